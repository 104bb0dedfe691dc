/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signing.h"

#include "base/file.h"
#include "cli/conf.h"
#include "cli/keys.h"
#include "cli/pairs.h"
#include "cli/ui.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

/* The annotations as the formats want them; *ret: heap. */
static int to_sign(const struct pairs *p, struct sign_pair **ret, struct err *e)
{
    struct sign_pair *all = calloc(p->n + 1, sizeof(*all));
    if (!all)
        return err_nomem(e);
    for (size_t i = 0; i < p->n; i++)
        all[i] = (struct sign_pair){p->all[i].key, p->all[i].value};
    *ret = all;
    return 0;
}

static void signature_text(struct buf *out, const struct signing *s, const struct flow_signed *made,
                           const struct flow_signature *one)
{
    char subject[DIGEST_STR_MAX], manifest[DIGEST_STR_MAX];
    (void)digest_str(&one->subject, subject);
    (void)digest_str(&one->manifest, manifest);
    ui_text_str(out, made->repo);
    if (s->quiet) {
        buf_printf(out, "@%s\n", manifest);
        return;
    }
    buf_printf(out, "@%s\n  %s %s", subject, s->how.predicate_type ? "attestation" : "signature", manifest);
    if (*one->tag)
        buf_printf(out, " under the tag %s", one->tag);
    buf_append_str(out, "\n");
}

static void signature_json(struct jout *w, const struct flow_signature *one)
{
    char digest[DIGEST_STR_MAX];
    jout_object(w, NULL);
    jout_string(w, "subject", digest_str(&one->subject, digest));
    jout_string(w, "digest", digest_str(&one->manifest, digest));
    jout_string(w, "tag", *one->tag ? one->tag : NULL);
    jout_object_end(w);
}

static void print_json(struct buf *out, const struct signing *s, const struct flow_signed *made)
{
    char schema[64], fingerprint[SIGN_FINGERPRINT_MAX];
    (void)snprintf(schema, sizeof(schema), "waybill.%s/1", s->verb);
    struct jout w = ui_json_begin(out, schema);
    jout_string(&w, "reference", made->name);
    jout_string(&w, "repository", made->repo);
    jout_string(&w, "format", s->how.format->name);
    jout_string(&w, "keyType", sign_key_type_name(sign_key_type(s->how.key)));
    jout_string(&w, "fingerprint", sign_key_fingerprint(s->how.key, fingerprint));
    if (s->how.predicate_type)
        jout_string(&w, "predicateType", s->how.predicate_type);
    jout_array(&w, "signatures");
    for (size_t i = 0; i < made->n; i++)
        signature_json(&w, &made->all[i]);
    jout_array_end(&w);
    ui_json_end(&w);
}

static int print(const struct signing *s, const struct flow_signed *made, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    if (s->json)
        print_json(&out, s, made);
    for (size_t i = 0; !s->json && i < made->n; i++)
        signature_text(&out, s, made, &made->all[i]);
    return ui_print(&out, e);
}

int signing_read(const char *path, struct buf *out, struct err *e)
{
    struct source_file file;
    if (strcmp(path, "-") != 0)
        return file_read_input(AT_FDCWD, path, out, e);
    (void)source_file_init(&file, STDIN_FILENO);
    file.at = -1;
    int r = source_read_all(&file.base, out, e);
    return r ? err_wrap(e, "standard input") : 0;
}

int signing_run(struct cmd_call *call, const char *reference, struct signing *s, struct err *e)
{
    AUTO_DONE(pairs) pairs = {NULL, 0};
    AUTO_FREE struct sign_pair *annotations = NULL;
    AUTO(sign_key) key = NULL;
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(flow_signed) made = {.name = NULL};
    call->subject = reference;
    s->how.format = sign_format_find(s->format);
    s->how.now = time(NULL);
    s->how.expires_at = s->expires ? s->how.now + (int64_t)(s->expires / 1000) : 0;
    int r = pairs_parse(s->annotations, &pairs, e);
    if (!r)
        r = to_sign(&pairs, &annotations, e);
    if (!r)
        r = keys_read_private(s->key, s->password_fd, &key, e);
    if (!r)
        r = conf_load(&conf, call->network, oci_ref_in_registry(reference), e);
    if (r)
        return r;
    s->how.annotations = annotations;
    s->how.n_annotations = pairs.n;
    s->how.key = key;
    const struct flow_conf flow = conf_flow(&conf, call->network, NULL);
    r = flow_sign(&flow, reference, &s->how, &made, e);
    return r ? r : print(s, &made, e);
}
