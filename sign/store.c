/* SPDX-License-Identifier: Apache-2.0 */
/* Trust stores: see cert.h. */
#include "base/limits.h"
#include "base/text.h"
#include "sign/cert.h"

struct sign_store {
    struct sign_anchor *anchors;
    size_t n;
};

int sign_store_new(struct sign_store **ret, struct err *e)
{
    struct sign_store *s = calloc(1, sizeof(*s));
    if (!s)
        return err_nomem(e);
    *ret = s;
    return 0;
}

static void forget(struct sign_store *s, size_t from)
{
    while (s->n > from) {
        s->n--;
        free(s->anchors[s->n].name);
        sign_cert_free(s->anchors[s->n].cert);
    }
}

void sign_store_free(struct sign_store *s)
{
    if (!s)
        return;
    forget(s, 0);
    free(s->anchors);
    free(s);
}

size_t sign_store_len(const struct sign_store *s)
{
    return s->n;
}

const struct sign_anchor *sign_store_at(const struct sign_store *s, size_t i)
{
    return &s->anchors[i];
}

static int check(const struct sign_cert *c, enum sign_store_kind kind, struct err *e)
{
    char name[160];
    if (c->is_ca || kind == SIGN_STORE_TSA || sign_cert_signed_by(c, c, e) == 0)
        return 0;
    return err_set(e, ERR_CERT, "certificate \"%s\" is neither an authority's nor signed by itself",
                   text_escape_str(c->subject, name, sizeof(name)));
}

static int add(struct sign_store *s, enum sign_store_kind kind, const char *name, struct sign_cert **cert,
               struct err *e)
{
    int r = check(*cert, kind, e);
    if (r)
        return r;
    if (s->n >= LIMIT_ANCHORS)
        return err_set(e, ERR_LIMIT, "a trust store of more than %u certificates", LIMIT_ANCHORS);
    struct sign_anchor *more = reallocarray(s->anchors, s->n + 1, sizeof(*more));
    char *copy = strdup(name);
    if (more)
        s->anchors = more;
    if (!more || !copy) {
        free(copy);
        return err_nomem(e);
    }
    s->anchors[s->n++] = (struct sign_anchor){.kind = kind, .name = copy, .cert = TAKE(*cert)};
    return 0;
}

int sign_store_add(struct sign_store *s, enum sign_store_kind kind, const char *name, struct bytes content,
                   struct err *e)
{
    AUTO_DONE(sign_chain) all = SIGN_CHAIN_INIT;
    size_t before = s->n;
    /* DER starts with the tag of a SEQUENCE, and no text does with a '0' that matters here. */
    bool is_der =
        content.len && content.ptr[0] == 0x30 && !memmem(content.ptr, content.len, "-----BEGIN", 10);
    int r = is_der ? sign_chain_add(&all, content, e) : sign_chain_add_pem(&all, content, e);
    for (size_t i = 0; !r && i < all.n; i++)
        r = add(s, kind, name, &all.certs[i], e);
    if (r)
        forget(s, before);
    return r;
}
