/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"
#include "base/limits.h"
#include "base/time.h"
#include "sign/jws.h"
#include "sign/notation.h"

/* Nothing is signed that nobody would take: the chain must hold, if its root were trusted. */
static int check_order(const struct sign_order *o, const struct sign_chain *chain, struct err *e)
{
    AUTO(sign_key) key = NULL;
    AUTO(sign_store) store = NULL;
    if (o->expires_at && o->expires_at <= o->now)
        return err_set(e, ERR_USAGE, "the signature would have expired when it is made");
    int r = sign_cert_take_key(chain->certs[0], &key, e);
    if (r)
        return r;
    if (!sign_key_eq(key, o->key))
        return err_set(e, ERR_USAGE, "the first certificate is not that of the key %s",
                       sign_key_name(o->key));
    r = sign_store_new(&store, e);
    if (!r)
        r = sign_store_add(store, SIGN_STORE_CA, "signer", chain->certs[chain->n - 1]->der, e);
    return r ? r : sign_cert_chain_check(chain->certs, chain->n, store, o->now, SIGN_PROFILE_NOTARY, NULL, e);
}

static int write_payload(const struct sign_order *o, struct buf *out, struct err *e)
{
    struct jout w = {.out = out};
    char digest[DIGEST_STR_MAX];
    jout_object(&w, NULL);
    jout_object(&w, "targetArtifact");
    jout_string(&w, "mediaType", o->subject->media_type);
    jout_string(&w, "digest", digest_str(&o->subject->digest, digest));
    jout_uint(&w, "size", o->subject->size);
    if (o->n_annotations)
        jout_object(&w, "annotations");
    for (size_t i = 0; i < o->n_annotations; i++)
        jout_string(&w, o->annotations[i].key, o->annotations[i].value);
    if (o->n_annotations)
        jout_object_end(&w);
    jout_object_end(&w);
    jout_object_end(&w);
    return buf_check(out, e);
}

static int write_protected(const struct sign_order *o, const char *alg, struct buf *out, struct err *e)
{
    struct jout w = {.out = out};
    char time[TIME_STR_MAX];
    jout_object(&w, NULL);
    jout_string(&w, "alg", alg);
    jout_array(&w, "crit");
    jout_string(&w, NULL, SIGN_NOTATION_SCHEME);
    if (o->expires_at)
        jout_string(&w, NULL, SIGN_NOTATION_EXPIRY);
    jout_array_end(&w);
    jout_string(&w, "cty", SIGN_NOTATION_PAYLOAD);
    if (o->expires_at)
        jout_string(&w, SIGN_NOTATION_EXPIRY, time_str(o->expires_at, time));
    jout_string(&w, SIGN_NOTATION_SCHEME, SIGN_NOTATION_X509);
    jout_string(&w, SIGN_NOTATION_TIME, time_str(o->now, time));
    jout_object_end(&w);
    return buf_check(out, e);
}

struct header {
    const struct sign_chain *chain;
    const char *agent;
    struct buf text; /* one certificate as base64 */
    int failed;
};

static void header_done(struct header *h)
{
    buf_done(&h->text);
}

static void write_header(struct jout *w, void *ctx)
{
    struct header *h = ctx;
    jout_array(w, "x5c");
    for (size_t i = 0; i < h->chain->n; i++) {
        buf_reset(&h->text);
        b64_encode(B64_STD, h->chain->certs[i]->der, &h->text);
        jout_bytes(w, NULL, buf_bytes(&h->text));
        if (h->text.failed)
            h->failed = h->text.failed;
    }
    jout_array_end(w);
    if (h->agent)
        jout_string(w, SIGN_NOTATION_AGENT, h->agent);
}

/* What registries show beside the signature: the certificates' SHA-256, as a JSON array in a string. */
static int write_annotations(const struct sign_order *o, const struct sign_chain *chain, struct buf *out,
                             struct err *e)
{
    AUTO_DONE(buf) list = BUF_INIT(LIMIT_CERTS * (2 * HASH_SHA256_LEN + 8));
    struct jout inner = {.out = &list}, w = {.out = out};
    char hex[DIGEST_STR_MAX], time[TIME_STR_MAX];
    jout_array(&inner, NULL);
    for (size_t i = 0; i < chain->n; i++)
        jout_string(&inner, NULL, digest_hex(&chain->certs[i]->fingerprint, hex));
    jout_array_end(&inner);
    int r = buf_check(&list, e);
    if (r)
        return r;
    jout_object(&w, NULL);
    jout_bytes(&w, SIGN_NOTATION_THUMBPRINT, buf_bytes(&list));
    jout_string(&w, "org.opencontainers.image.created", time_str(o->now, time));
    jout_object_end(&w);
    return buf_check(out, e);
}

static int sign(const struct sign_order *o, const struct sign_chain *chain, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) payload = BUF_INIT(LIMIT_JWS);
    AUTO_DONE(buf) head = BUF_INIT(LIMIT_JWS);
    AUTO_DONE(header) h = {.chain = chain, .agent = o->agent, .text = BUF_INIT(2 * LIMIT_CERT)};
    const char *alg;
    struct sign_scheme scheme;
    int r = sign_notation_alg(chain->certs[0], &alg, &scheme, e);
    if (!r)
        r = write_payload(o, &payload, e);
    if (!r)
        r = write_protected(o, alg, &head, e);
    if (!r)
        r = sign_jws_make(buf_bytes(&head), buf_bytes(&payload), scheme, o->key, write_header, &h, out, e);
    return r ? r : h.failed ? err_nomem(e) : 0;
}

int sign_notation_make(const struct sign_order *order, struct sign_product *ret, struct err *e)
{
    AUTO_DONE(sign_chain) chain = SIGN_CHAIN_INIT;
    *ret = (struct sign_product){.hang = SIGN_HANG_REFERRER,
                                 .artifact_type = SIGN_NOTATION_ARTIFACT,
                                 /* Registries were seen that list a referrer by its config's type, and
                                  * notation itself says it there and nowhere else. */
                                 .config_type = SIGN_NOTATION_ARTIFACT,
                                 .media_type = SIGN_NOTATION_JWS,
                                 .blob = BUF_INIT(LIMIT_JWS),
                                 .annotations = BUF_INIT(0),
                                 .manifest_annotations = BUF_INIT(LIMIT_JWS)};
    if (order->statement.len)
        return err_set(e, ERR_UNSUPPORTED, "notation has no attestations");
    if (!order->certificates.len)
        return err_set(e, ERR_USAGE,
                       "notation signs with a certificate: give the chain of the key's, in PEM");
    int r = sign_chain_add_pem(&chain, order->certificates, e);
    if (!r)
        r = check_order(order, &chain, e);
    if (!r)
        r = sign(order, &chain, &ret->blob, e);
    return r ? r : write_annotations(order, &chain, &ret->manifest_annotations, e);
}
