/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/format.h"

#include "base/text.h"
#include "sign/content.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct sign_format *const sign_formats[] = {&sign_sigstore, &sign_cosign,     &sign_notation,
                                                  &sign_embedded, &sign_claims_jwt, &sign_ssh,
                                                  &sign_minisign};
const size_t sign_n_formats = ARRAY_LEN(sign_formats);

const struct sign_format *sign_format_find(const char *name)
{
    for (size_t i = 0; i < sign_n_formats; i++)
        if (strcmp(sign_formats[i]->name, name) == 0)
            return sign_formats[i];
    return NULL;
}

const struct sign_format *sign_format_detect(const char *media_type, const char *artifact_type)
{
    for (size_t i = 0; i < sign_n_formats; i++)
        if (sign_formats[i]->detect && sign_formats[i]->detect(media_type, artifact_type))
            return sign_formats[i];
    return NULL;
}

const struct sign_format *sign_format_of_file(struct bytes content)
{
    for (size_t i = 0; i < sign_n_formats; i++)
        if (sign_formats[i]->is_file && sign_formats[i]->is_file(content))
            return sign_formats[i];
    return NULL;
}

void sign_product_done(struct sign_product *p)
{
    buf_done(&p->blob);
    buf_done(&p->annotations);
    buf_done(&p->manifest_annotations);
}

bool sign_trust_is_empty(const struct sign_trust *t)
{
    return t->keys.n == 0 && !t->store && !t->root && !t->signers;
}

bool sign_trust_wants(const struct sign_trust *t, const char *format)
{
    for (size_t i = 0; i < t->n_formats; i++)
        if (strcmp(t->formats[i], format) == 0)
            return true;
    return t->n_formats == 0;
}

void sign_marks_done(struct sign_marks *m)
{
    free(TAKE(m->at));
}

int sign_marks_add(struct sign_marks *m, const char *format, struct sign_mark **ret, struct err *e)
{
    struct sign_mark *more = reallocarray(m->at, m->n + 1, sizeof(*more));
    if (!more)
        return err_nomem(e);
    m->at = more;
    *ret = &m->at[m->n++];
    **ret = (struct sign_mark){.format = format, .but = SIZE_MAX};
    return 0;
}

int sign_list(const struct sign_scan *scan, struct sign_marks *to, struct err *e)
{
    int r = 0;
    for (size_t i = 0; !r && i < sign_n_formats; i++)
        if (sign_formats[i]->list)
            r = sign_formats[i]->list(scan, to, e);
    return r;
}

/* Whether a good signature is there, so that it is of interest what it does not cover. The section of an
 * embedded signature cannot cover itself, and nothing runs it. */
static int note_uncovered(const struct sign_scan *scan, struct sign_report *report, struct err *e)
{
    AUTO_DONE(buf) list = BUF_INIT(ERR_MSG_MAX - 64);
    size_t n = 0;
    bool any = false;
    for (size_t i = 0; i < scan->n_sections; i++) {
        const struct sign_section *s = &scan->sections[i];
        any = any || s->covered;
        if (s->covered || (s->role == SIGN_ROLE_SIGNATURE && i == 0))
            continue;
        char name[64];
        if (n++ < 8)
            buf_printf(&list, "%s%zu (%s%s%s)", n > 1 ? ", " : "", i, wbin_section_name(scan->kind, s->id),
                       s->id ? "" : " ",
                       s->id ? "" : text_escape(sign_section_name(scan, i), name, sizeof(name)));
        else if (n == 9)
            buf_append_str(&list, ", ...");
    }
    if (!any || !n)
        return 0;
    return sign_report_add(report, "sections", 0, "", e, "no signature covers %zu of %zu sections: %s", n,
                           scan->n_sections, buf_cstr(&list));
}

/* By a signature that lies beside the file and is over all of it, whatever the file is. What stands inside
 * does not count: it is not what was asked about. */
static int verify_beside(const struct sign_format *format, const struct source_opener *from,
                         const struct sign_trust *trust, struct sign_report *report, struct digest *ret_file,
                         struct err *e)
{
    AUTO_DONE(sign_content) content = {.size = 0};
    const struct sign_carrier carrier = {
        .media_type = "", .artifact_type = "", .blob = trust->detached, .where = "beside the file"};
    struct source *in;
    int r = from->open(from->ctx, &in, e);
    if (r)
        return r;
    r = sign_content_read(in, format->wants_content && format->wants_content(trust->detached), &content, e);
    source_close(in);
    if (r)
        return r;
    const struct sign_subject subject = sign_content_subject(&content);
    if (sign_trust_wants(trust, format->name))
        r = format->judge(&carrier, &subject, trust, report, e);
    if (!r && ret_file)
        *ret_file = subject.digest;
    return r;
}

int sign_verify(const struct source_opener *from, const struct sign_trust *trust, struct sign_report *report,
                struct digest *ret_file, struct err *e)
{
    if (sign_trust_is_empty(trust))
        return err_set(e, ERR_USAGE, "verification needs at least one key");
    const struct sign_format *beside = trust->detached.len ? sign_format_of_file(trust->detached) : NULL;
    if (beside)
        return verify_beside(beside, from, trust, report, ret_file, e);
    AUTO_DONE(sign_scan) scan = SIGN_SCAN_INIT;
    int r = sign_scan_run(from, trust->detached.len ? SIGN_SCAN_DETACHED : 0, &scan, e);
    if (!r && scan.broken.code)
        r = sign_report_add(report, "wasm", ERR_FORMAT, "", e, "%s", scan.broken.msg);
    for (size_t i = 0; !r && i < sign_n_formats; i++)
        if (sign_formats[i]->verify && sign_trust_wants(trust, sign_formats[i]->name))
            r = sign_formats[i]->verify(&scan, trust, report, e);
    if (!r)
        r = note_uncovered(&scan, report, e);
    if (!r && ret_file)
        *ret_file = scan.file;
    return r;
}
