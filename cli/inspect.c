/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/inspect.h"

#include "base/limits.h"
#include "cli/ui.h"

#include <inttypes.h>

int inspection_scan(struct inspection *i, struct err *e)
{
    struct flow_reading reading;
    i->signatures = (struct buf)BUF_INIT(LIMIT_SIG_SECTION);
    int r = wbin_scan(flow_artifact_read(&i->module, &reading), &i->info, e);
    if (r)
        return r;
    i->has_module = true;
    for (size_t f = 0; !r && f < sign_n_formats; f++)
        if (sign_formats[f]->list)
            r = sign_formats[f]->list(flow_artifact_read(&i->module, &reading), &i->signatures, e);
    return r ? r : buf_check(&i->signatures, e);
}

void inspection_done(struct inspection *i)
{
    flow_artifact_done(&i->manifest);
    flow_artifact_done(&i->module);
    buf_done(&i->signatures);
    if (i->has_module)
        wbin_info_done(&i->info);
}

/* Cuts one line off the front of *rest. */
static bool next_line(struct bytes *rest, struct bytes *ret)
{
    if (!rest->len)
        return false;
    const uint8_t *end = memchr(rest->ptr, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    (void)bytes_take(rest, len, ret);
    if (end)
        *rest = bytes_of(rest->ptr + 1, rest->len - 1);
    return true;
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
    }
    text_items("Imports", info->imports, info->n_imports, out);
    text_items("Exports", info->exports, info->n_exports, out);
}

static void text_signatures(const struct inspection *i, struct buf *out)
{
    struct bytes rest = buf_bytes(&i->signatures), line;
    buf_append_str(out, rest.len ? "Signatures (not checked):\n" : "Signatures: none\n");
    while (next_line(&rest, &line)) {
        buf_append_str(out, "  ");
        ui_text(out, line);
        buf_append_str(out, "\n");
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
        jout_object_end(w);
    }
    jout_array_end(w);
    json_items(w, "imports", info->imports, info->n_imports);
    json_items(w, "exports", info->exports, info->n_exports);
    jout_array(w, "signatures");
    struct bytes rest = buf_bytes(&i->signatures), line;
    while (next_line(&rest, &line))
        jout_bytes(w, NULL, line);
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
