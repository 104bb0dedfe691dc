/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/inspect.h"

#include "base/hex.h"
#include "cli/ui.h"

#include <inttypes.h>

static int reopen(void *ctx, struct source **ret, struct err *e)
{
    (void)e;
    struct inspection *i = ctx;
    *ret = flow_artifact_read(&i->module, &i->reading);
    return 0;
}

int inspection_scan(struct inspection *i, struct err *e)
{
    struct flow_reading reading;
    int r = wbin_scan(flow_artifact_read(&i->module, &reading), &i->info, e);
    if (r)
        return r;
    i->has_module = true;
    i->from = (struct source_opener){reopen, i, i->module.size};
    r = sign_scan_run(&i->from, i->sections ? SIGN_SCAN_SECTIONS : 0, &i->scan, e);
    if (!r && i->scan.broken.code)
        r = err_set(e, ERR_FORMAT, "%s", i->scan.broken.msg);
    return r ? r : sign_list(&i->scan, &i->signatures, e);
}

void inspection_done(struct inspection *i)
{
    flow_artifact_done(&i->manifest);
    flow_artifact_done(&i->module);
    sign_marks_done(&i->signatures);
    sign_scan_done(&i->scan);
    if (i->has_module)
        wbin_info_done(&i->info);
}

/* Whether a signature would cover section n. */
static bool covers(const struct sign_mark *m, size_t n)
{
    return n >= m->first && n < m->end && n != m->but;
}

static const char *kind_name(enum wbin_kind kind)
{
    return kind == WBIN_COMPONENT ? "component" : "module";
}

/* Text */

static void text_annotations(const struct jval *annotations, const char *indent, struct buf *out)
{
    const char *key;
    const struct jval *value;
    for (const void *at = jobj_next(annotations, NULL, &key, &value); at;
         at = jobj_next(annotations, at, &key, &value)) {
        buf_append_str(out, indent);
        ui_text_str(out, key);
        buf_append_str(out, " = ");
        ui_text_str(out, jval_string(value) ? jval_string(value) : "");
        buf_append_str(out, "\n");
    }
}

static void text_desc(const char *label, const struct oci_desc *d, struct buf *out)
{
    char digest[DIGEST_STR_MAX];
    buf_printf(out, "%-10s ", label);
    ui_text_str(out, d->media_type);
    buf_printf(out, "\n           %s, %" PRIu64 " bytes\n", digest_str(&d->digest, digest), d->size);
    text_annotations(d->annotations, "           ", out);
}

static void text_manifest(const struct inspection *i, struct buf *out)
{
    const struct oci_manifest *m = &i->manifest.parsed;
    char digest[DIGEST_STR_MAX];
    buf_append_str(out, "Reference: ");
    ui_text_str(out, i->manifest.name);
    buf_printf(out, "\nDigest:    %s\nManifest:  ", digest_str(&i->manifest.manifest.digest, digest));
    ui_text_str(out, m->media_type);
    buf_append_str(out, "\nKind:      ");
    buf_append_str(out, i->kind ? i->kind->name : m->is_index ? "index" : "no known wasm artifact");
    buf_append_str(out, "\n");
    if (m->artifact_type) {
        buf_append_str(out, "Type:      ");
        ui_text_str(out, m->artifact_type);
        buf_append_str(out, "\n");
    }
    if (m->has_config)
        text_desc("Config:", &m->config, out);
    for (size_t n = 0; n < m->n_entries; n++)
        text_desc(m->is_index ? "Entry:" : "Layer:", &m->entries[n], out);
    if (m->has_subject)
        text_desc("Subject:", &m->subject, out);
    if (jobj_len(m->annotations))
        buf_append_str(out, "Annotations:\n");
    text_annotations(m->annotations, "  ", out);
    if (i->module.config) {
        buf_append_str(out, "Config text:\n  ");
        ui_text(out, bytes_of(i->module.config, i->module.config_len));
        buf_append_str(out, "\n");
    }
}

static void text_items(const char *label, const struct wbin_item *items, size_t n, struct buf *out)
{
    buf_printf(out, "%s: %zu\n", label, n);
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "  %-9s ", wbin_extern_name(items[i].kind));
        if (items[i].module.len) {
            ui_text(out, items[i].module);
            buf_append_str(out, " ");
        }
        ui_text(out, items[i].name);
        buf_append_str(out, "\n");
    }
}

/* The lines of a section for --sections. */
static void text_cover(const struct inspection *i, size_t n, struct buf *out)
{
    char hex[2 * HASH_SHA256_LEN + 1];
    bool any = false;
    buf_printf(out, "                 sha256:%s\n                 ",
               hex_encode(BYTES_ARR(i->scan.sections[n].sha256), hex));
    for (size_t m = 0; m < i->signatures.n; m++)
        if (covers(&i->signatures.at[m], n)) {
            buf_printf(out, "%s %zu", any ? "," : "covered by signature", m + 1);
            any = true;
        }
    buf_append_str(out, any ? "\n" : "covered by no signature\n");
}

static void text_module(const struct inspection *i, struct buf *out)
{
    const struct wbin_info *info = &i->info;
    char digest[DIGEST_STR_MAX];
    if (!i->has_manifest) {
        buf_append_str(out, "File:      ");
        ui_text_str(out, i->module.name);
        buf_append_str(out, "\n");
    }
    buf_printf(out, "Module:    %s, %" PRIu64 " bytes\n           %s\n", kind_name(info->kind), info->size,
               digest_str(&i->module.digest, digest));
    if (i->module.member) {
        buf_append_str(out, "           ");
        ui_text_str(out, i->module.member);
        buf_printf(out, " in layer %s\n", digest_str(&i->module.layer, digest));
    }
    buf_printf(out, "Sections: %zu\n", info->n_sections);
    for (size_t n = 0; n < info->n_sections; n++) {
        const struct wbin_section *s = &info->sections[n];
        buf_printf(out, "  %-14s %10" PRIu32 " bytes at %" PRIu64, wbin_section_name(info->kind, s->id),
                   s->size, s->offset);
        if (s->id == 0) {
            buf_append_str(out, "  ");
            ui_text(out, s->name);
        }
        buf_append_str(out, "\n");
        if (i->sections)
            text_cover(i, n, out);
    }
    text_items("Imports", info->imports, info->n_imports, out);
    text_items("Exports", info->exports, info->n_exports, out);
}

static void text_signatures(const struct inspection *i, struct buf *out)
{
    buf_append_str(out, i->signatures.n ? "Signatures (not checked):\n" : "Signatures: none\n");
    for (size_t m = 0; m < i->signatures.n; m++) {
        const struct sign_mark *mark = &i->signatures.at[m];
        buf_printf(out, "  %zu  %-8s  ", m + 1, mark->format);
        ui_text_str(out, mark->text);
        buf_append_str(out, mark->fits ? "\n" : "; for other content\n");
    }
}

void inspection_text(const struct inspection *i, struct buf *out)
{
    if (i->has_manifest)
        text_manifest(i, out);
    if (i->has_module) {
        text_module(i, out);
        text_signatures(i, out);
    }
}

/* JSON */

static int json_document(struct jout *w, const char *key, struct bytes text, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    int r = jdoc_parse(text, &doc, e);
    if (!r)
        jout_value(w, key, jdoc_root(doc));
    return r;
}

static int json_manifest(const struct inspection *i, struct jout *w, struct err *e)
{
    char digest[DIGEST_STR_MAX];
    jout_string(w, "reference", i->manifest.name);
    jout_string(w, "repository", i->manifest.repo);
    jout_string(w, "digest", digest_str(&i->manifest.manifest.digest, digest));
    jout_string(w, "mediaType", i->manifest.parsed.media_type);
    jout_string(w, "kind", i->kind ? i->kind->name : NULL);
    int r = json_document(w, "manifest", buf_bytes(&i->manifest.manifest.body), e);
    if (!r && i->module.config)
        r = json_document(w, "config", bytes_of(i->module.config, i->module.config_len), e);
    return r;
}

static void json_items(struct jout *w, const char *key, const struct wbin_item *items, size_t n)
{
    jout_array(w, key);
    for (size_t i = 0; i < n; i++) {
        jout_object(w, NULL);
        jout_string(w, "kind", wbin_extern_name(items[i].kind));
        if (items[i].module.len)
            jout_bytes(w, "module", items[i].module);
        jout_bytes(w, "name", items[i].name);
        jout_object_end(w);
    }
    jout_array_end(w);
}

/* The members of a section for --sections; signatures by their places in the list, from 0. */
static void json_cover(const struct inspection *i, size_t n, struct jout *w)
{
    char hex[2 * HASH_SHA256_LEN + 1];
    jout_string(w, "sha256", hex_encode(BYTES_ARR(i->scan.sections[n].sha256), hex));
    jout_array(w, "coveredBy");
    for (size_t m = 0; m < i->signatures.n; m++)
        if (covers(&i->signatures.at[m], n))
            jout_uint(w, NULL, m);
    jout_array_end(w);
}

static void json_module(const struct inspection *i, struct jout *w)
{
    const struct wbin_info *info = &i->info;
    char digest[DIGEST_STR_MAX];
    jout_object(w, "module");
    jout_string(w, "kind", kind_name(info->kind));
    jout_uint(w, "size", info->size);
    jout_string(w, "digest", digest_str(&i->module.digest, digest));
    if (i->has_manifest) {
        jout_string(w, "layer", digest_str(&i->module.layer, digest));
        jout_string(w, "member", i->module.member);
    }
    jout_array(w, "sections");
    for (size_t n = 0; n < info->n_sections; n++) {
        const struct wbin_section *s = &info->sections[n];
        jout_object(w, NULL);
        jout_uint(w, "id", s->id);
        jout_string(w, "kind", wbin_section_name(info->kind, s->id));
        if (s->id == 0)
            jout_bytes(w, "name", s->name);
        jout_uint(w, "offset", s->offset);
        jout_uint(w, "size", s->size);
        if (i->sections)
            json_cover(i, n, w);
        jout_object_end(w);
    }
    jout_array_end(w);
    json_items(w, "imports", info->imports, info->n_imports);
    json_items(w, "exports", info->exports, info->n_exports);
    jout_array(w, "signatures");
    for (size_t m = 0; m < i->signatures.n; m++) {
        jout_object(w, NULL);
        jout_string(w, "format", i->signatures.at[m].format);
        jout_string(w, "text", i->signatures.at[m].text);
        jout_bool(w, "fits", i->signatures.at[m].fits);
        jout_object_end(w);
    }
    jout_array_end(w);
    jout_object_end(w);
}

int inspection_json(const struct inspection *i, struct buf *out, struct err *e)
{
    struct jout w = ui_json_begin(out, "waybill.inspect/1");
    int r = 0;
    if (i->has_manifest)
        r = json_manifest(i, &w, e);
    else
        jout_string(&w, "file", i->module.name);
    if (r)
        return r;
    if (i->has_module)
        json_module(i, &w);
    ui_json_end(&w);
    return 0;
}
