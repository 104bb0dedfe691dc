/* SPDX-License-Identifier: Apache-2.0 */
/* What logs say: the first byte chooses among an entry of a bundle ('e'), cosign's annotation ('s'), the
 * timestamps in a certificate ('t') and, by any other, the body of an entry. The log's key signed the corpus.
 */
#include "base/hex.h"
#include "base/limits.h"
#include "base/plugin.h"
#include "sign/alg.h"
#include "sign/cert_ops.h"
#include "sign/dsse.h"
#include "sign/fulcio.h"
#include "sign/rekor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The plugin is linked into this program. */
int plugin_load(const char *name, const void **ret_ops, struct err *e)
{
    (void)name, (void)e;
    *ret_ops = &sign_cert_plugin_ops;
    return 0;
}

static void must(bool good)
{
    if (!good)
        abort();
}

static struct sign_key *key_of(uint8_t fill)
{
    struct err e = ERR_INIT;
    struct sign_key *k = NULL;
    uint8_t seed[SIGN_SECRET_LEN];
    memset(seed, fill, sizeof(seed));
    must(sign_key_new_private(&sign_alg_ed25519, BYTES_ARR(seed), BYTES_NONE, &k, &e) == 0);
    return k;
}

static void make_root(struct sign_root *root, struct sign_log *log)
{
    static char origin[] = "log.example";
    struct err e = ERR_INIT;
    struct digest d;
    AUTO_DONE(buf) id = BUF_INIT(256);
    *log = (struct sign_log){.origin = origin, .key = key_of(1), .window = {0, INT64_MAX}};
    buf_append_str(&id, "log.example\n\x01");
    buf_append_bytes(&id, sign_key_public(log->key));
    must(hash_bytes(HASH_SHA256, buf_bytes(&id), &d, &e) == 0);
    memcpy(log->id, d.value, sizeof(log->id));
    *root = (struct sign_root){.tlogs = log, .n_tlogs = 1, .ctlogs = log, .n_ctlogs = 1};
}

static int run(uint8_t kind, const struct jval *v, const struct sign_rekor_about *about,
               const struct sign_root *root, struct err *e)
{
    struct sign_rekor_proof proof = {.log = NULL};
    int r = kind == 's'
                ? jval_kind(v) == JKIND_OBJECT ? sign_rekor_check_set(v, about, root, &proof, e) : ERR_FORMAT
            : kind == 'e' ? sign_rekor_check(v, about, false, root, &proof, e)
                          : sign_rekor_body_check(v, about, e);
    must(r != 0 || (kind != 's' && kind != 'e') || proof.log == root->tlogs);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sign_root root;
    static struct sign_log log;
    static struct sign_key *key;
    struct err e = ERR_INIT;
    AUTO(jdoc) doc = NULL;
    AUTO_DONE(sign_dsse) envelope = SIGN_DSSE_INIT;
    struct sign_sct scts[LIMIT_SCTS];
    size_t n = 0;
    if (!key) {
        make_root(&root, &log);
        key = key_of(2);
    }
    if (size == 0)
        return 0;
    struct bytes rest = bytes_of(data + 1, size - 1);
    if (data[0] == 't') {
        must(sign_sct_list(rest, scts, &n, &e) != 0 || n <= LIMIT_SCTS);
        return 0;
    }
    if (jdoc_parse(rest, &doc, &e) != 0)
        return 0;
    buf_append_str(&envelope.payload, "payload");
    const struct sign_keyless in = {.message = BYTES_LIT("message"),
                                    .signature = BYTES_LIT("signature"),
                                    .envelope = &envelope,
                                    .envelope_json = BYTES_LIT("envelope")};
    const struct sign_rekor_about about = {.in = &in, .key = key};
    (void)run(data[0], jdoc_root(doc), &about, &root, &e);
    return 0;
}
