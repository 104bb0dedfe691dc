/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/sshsig.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "sign/content.h"
#include "sign/format.h"
#include "sign/pem.h"
#include "sign/signers.h"
#include "sign/sshkey.h"
#include "sign/sshwire.h"
#include "sign/statement.h"

#include <stdio.h>

#define NAME    "ssh"
#define LABEL   "SSH SIGNATURE"
#define MAGIC   BYTES_LIT("SSHSIG")
#define VERSION 1U
#define WIDTH   70U /* of the lines, as ssh-keygen has it */

void sign_sshsig_done(struct sign_sshsig *s)
{
    buf_done(&s->raw);
}

static int malformed(const char *what, struct err *e)
{
    return err_set(e, ERR_FORMAT, "malformed SSH signature: %s", what);
}

static bool hash_of(struct bytes name, enum hash_alg *ret)
{
    static const enum hash_alg taken[] = {HASH_SHA512, HASH_SHA256};
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        if (bytes_eq_str(name, hash_name(taken[i]))) {
            *ret = taken[i];
            return true;
        }
    return false;
}

static int parse_blob(struct bytes rest, struct sign_sshsig *ret, struct err *e)
{
    struct bytes magic, reserved, hash;
    uint32_t version;
    char text[32];
    if (!bytes_take(&rest, MAGIC.len, &magic) || !bytes_eq(magic, MAGIC))
        return malformed("it does not start as one", e);
    if (!sign_sshwire_take_u32(&rest, &version))
        return malformed("cut off", e);
    if (version != VERSION)
        return err_set(e, ERR_UNSUPPORTED, "an SSH signature of version %u", version);
    if (!sign_sshwire_take_string(&rest, &ret->key) || !sign_sshwire_take_string(&rest, &ret->name_space) ||
        !sign_sshwire_take_string(&rest, &reserved) || !sign_sshwire_take_string(&rest, &hash) ||
        !sign_sshwire_take_string(&rest, &ret->signature))
        return malformed("cut off", e);
    if (rest.len)
        return malformed("trailing bytes", e);
    if (!ret->name_space.len)
        return malformed("no namespace", e);
    if (reserved.len)
        return err_set(e, ERR_UNSUPPORTED, "an SSH signature that uses its reserved field");
    if (!hash_of(hash, &ret->hash))
        return err_set(e, ERR_UNSUPPORTED, "an SSH signature with the hash \"%s\"",
                       text_escape(hash, text, sizeof(text)));
    return 0;
}

static bool is_file(struct bytes content)
{
    struct bytes label;
    return sign_pem_label(content, &label) && bytes_eq_str(label, LABEL);
}

int sign_sshsig_parse(struct bytes armored, struct sign_sshsig *ret, struct err *e)
{
    if (armored.len > LIMIT_SSH_SIGNATURE)
        return err_set(e, ERR_LIMIT, "an SSH signature of more than %u bytes", LIMIT_SSH_SIGNATURE);
    if (!is_file(armored))
        return malformed("no block \"" LABEL "\"", e);
    int r = sign_pem_decode(armored, &ret->raw, e);
    return r ? err_wrap(e, "malformed SSH signature") : parse_blob(buf_bytes(&ret->raw), ret, e);
}

/* PROTOCOL.sshsig section 3: what the key really signs. */
static int put_signed(struct bytes name_space, const struct digest *message, struct buf *out, struct err *e)
{
    buf_append_bytes(out, MAGIC);
    sign_sshwire_put_string(out, name_space);
    sign_sshwire_put_string(out, BYTES_NONE);
    sign_sshwire_put_string(out, bytes_str(hash_name(message->alg)));
    sign_sshwire_put_string(out, bytes_of(message->value, hash_len(message->alg)));
    return buf_check(out, e);
}

int sign_sshsig_write(const struct sign_key *key, const char *name_space, const struct digest *message,
                      struct buf *out, struct err *e)
{
    AUTO_DONE(buf) told = BUF_INIT(LIMIT_SSH_SIGNATURE);
    AUTO_DONE(buf) raw = BUF_INIT(LIMIT_SSH_SIGNATURE);
    AUTO_DONE(buf) part = BUF_INIT(LIMIT_SSH_SIGNATURE);
    AUTO_DONE(buf) blob = BUF_INIT(LIMIT_SSH_SIGNATURE);
    const struct sign_scheme scheme = sign_sshkey_scheme(key);
    if (!*name_space)
        return err_set(e, ERR_USAGE, "an SSH signature needs a namespace");
    int r = put_signed(bytes_str(name_space), message, &told, e);
    if (!r)
        r = sign_key_sign_as(key, scheme, buf_bytes(&told), &raw, e);
    if (r)
        return r;
    buf_append_bytes(&blob, MAGIC);
    sign_sshwire_put_u32(&blob, VERSION);
    sign_sshkey_put(key, &part);
    if ((r = buf_check(&part, e)))
        return r;
    sign_sshwire_put_string(&blob, buf_bytes(&part));
    sign_sshwire_put_string(&blob, bytes_str(name_space));
    sign_sshwire_put_string(&blob, BYTES_NONE);
    sign_sshwire_put_string(&blob, bytes_str(hash_name(message->alg)));
    buf_reset(&part);
    r = sign_sshkey_put_signature(key, scheme, buf_bytes(&raw), &part, e);
    if (r)
        return r;
    sign_sshwire_put_string(&blob, buf_bytes(&part));
    r = buf_check(&blob, e);
    return r ? r : sign_pem_encode_wide(LABEL, WIDTH, buf_bytes(&blob), out, e);
}

static bool detect(const char *media_type, const char *artifact_type)
{
    return strcmp(*media_type ? media_type : artifact_type, SIGN_SSHSIG_TYPE) == 0;
}

static bool is_of_file(const struct sign_subject *subject)
{
    return !*subject->media_type;
}

static const char *namespace_for(const struct sign_subject *subject, const char *given)
{
    if (given)
        return given;
    return is_of_file(subject) ? SIGN_SSHSIG_NAMESPACE_FILE : SIGN_SSHSIG_NAMESPACE;
}

/* The digest of the message, which is a file's content or a manifest's digest as text. */
static int hash_message(const struct sign_subject *subject, enum hash_alg alg, struct digest *ret,
                        struct err *e)
{
    char text[DIGEST_STR_MAX];
    if (is_of_file(subject))
        return sign_content_hash(subject, alg, ret, e);
    return hash_bytes(alg, bytes_str(digest_str(&subject->digest, text)), ret, e);
}

/* Who the key belongs to. The outcome of the check is set, and *ret_known false, when that is nobody. */
static int find_signer(const struct sign_sshsig *s, const struct sign_sshkey *k,
                       const struct sign_trust *trust, const char *name_space, struct sign_check *check,
                       bool *ret_known, struct err *e)
{
    const struct sign_signers_query q = {.key = s->key,
                                         .name_space = name_space,
                                         .identities = trust->identities,
                                         .n_identities = trust->any_signer ? 0 : trust->n_identities,
                                         .now = trust->now};
    struct err why = ERR_INIT;
    char id[SIGN_SSH_FINGERPRINT_MAX];
    *ret_known = true;
    for (size_t i = 0; !k->on_device && i < trust->keys.n; i++)
        if (sign_key_eq(trust->keys.keys[i], k->key)) {
            (void)snprintf(check->key, sizeof(check->key), "%s", sign_key_name(trust->keys.keys[i]));
            /* It may be trusted as a signer of the file besides; a policy keeps the two apart. */
            return trust->signers && sign_signers_find(trust->signers, &q, &check->subject, &why) == ERR_NOMEM
                       ? err_nomem(e)
                       : 0;
        }
    *ret_known = false;
    if (!trust->signers)
        return sign_check_set(check, ERR_UNTRUSTED, "by the key %s, which is not trusted",
                              sign_sshkey_fingerprint(s->key, id));
    int r = sign_signers_find(trust->signers, &q, &check->subject, e);
    if (r)
        return sign_check_fail(check, r, e);
    (void)snprintf(check->key, sizeof(check->key), "%s", check->subject);
    *ret_known = true;
    return 0;
}

static int judge_by(const struct sign_sshsig *s, const struct sign_sshkey *k,
                    const struct sign_subject *subject, const struct sign_trust *trust,
                    struct sign_check *check, struct err *e)
{
    AUTO_DONE(buf) told = BUF_INIT(LIMIT_SSH_SIGNATURE);
    const char *wanted = namespace_for(subject, trust->ssh_namespace);
    char got[64];
    struct digest message;
    bool known, good = false;
    if (!bytes_eq_str(s->name_space, wanted))
        return sign_check_set(check, ERR_UNTRUSTED, "made for \"%s\" and not for \"%s\"",
                              text_escape(s->name_space, got, sizeof(got)), wanted);
    int r = find_signer(s, k, trust, wanted, check, &known, e);
    if (r || !known)
        return r;
    r = hash_message(subject, s->hash, &message, e);
    if (!r)
        r = put_signed(s->name_space, &message, &told, e);
    if (!r)
        r = sign_sshkey_verify(k, buf_bytes(&told), s->signature, &good, e);
    if (r)
        return sign_check_fail(check, r, e);
    if (!good)
        return sign_check_set(check, ERR_UNTRUSTED,
                              "says that it is by %.100s, and is not, or of something else", check->key);
    (void)sign_key_fingerprint(k->key, check->key_id);
    sign_check_cover(check, subject);
    if (!sign_annotations_want(NULL, trust, check)) /* it has none */
        return 0;
    return sign_check_set(check, 0, "signed");
}

static int judge(const struct sign_carrier *carrier, const struct sign_subject *subject,
                 const struct sign_trust *trust, struct sign_report *report, struct err *e)
{
    AUTO_DONE(sign_sshsig) s = SIGN_SSHSIG_INIT;
    AUTO_DONE(sign_sshkey) k = {.key = NULL};
    struct sign_check *check;
    int r = sign_report_begin(report, NAME, SIGN_CHECK_SIGNATURE, carrier->where, &check, e);
    if (r)
        return r;
    r = sign_sshsig_parse(carrier->blob, &s, e);
    if (!r)
        r = sign_sshkey_parse(s.key, &k, e);
    return r ? sign_check_fail(check, r, e) : judge_by(&s, &k, subject, trust, check, e);
}

static int refuse(const struct sign_order *order, struct err *e)
{
    if (order->statement.len)
        return err_set(e, ERR_UNSUPPORTED, "SSH signatures hold no attestations");
    if (order->n_annotations)
        return err_set(e, ERR_UNSUPPORTED, "SSH signatures hold no annotations");
    if (order->expires_at)
        return err_set(e, ERR_UNSUPPORTED,
                       "SSH signatures do not expire; allowed_signers says how long keys are good");
    return 0;
}

static int make(const struct sign_order *order, struct sign_product *ret, struct err *e)
{
    struct digest message;
    char created[TIME_STR_MAX];
    *ret = (struct sign_product){.hang = SIGN_HANG_REFERRER,
                                 .artifact_type = SIGN_SSHSIG_TYPE,
                                 .media_type = SIGN_SSHSIG_TYPE,
                                 .blob = BUF_INIT(LIMIT_SSH_SIGNATURE),
                                 .annotations = BUF_INIT(LIMIT_PAYLOAD),
                                 .manifest_annotations = BUF_INIT(LIMIT_PAYLOAD)};
    struct jout w = {.out = &ret->manifest_annotations};
    int r = refuse(order, e);
    if (!r)
        r = hash_message(order->subject, HASH_SHA512, &message, e);
    if (!r)
        r = sign_sshsig_write(order->key, namespace_for(order->subject, order->ssh_namespace), &message,
                              &ret->blob, e);
    if (r)
        return r;
    jout_object(&w, NULL);
    jout_string(&w, "org.opencontainers.image.created", time_str(order->now, created));
    jout_object_end(&w);
    return buf_check(&ret->manifest_annotations, e);
}

const struct sign_format sign_ssh = {
    .name = NAME, .detect = detect, .is_file = is_file, .judge = judge, .make = make};
