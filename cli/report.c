/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report.h"

#include "cli/ui.h"

void report_text(struct buf *out, const struct sign_report *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct sign_check *c = &r->checks[i];
        buf_printf(out, "%-6s  %-8s  ", c->ok ? "ok" : "FAILED", c->format);
        if (*c->key) {
            ui_text_str(out, c->key);
            buf_append_str(out, ": ");
        }
        ui_text_str(out, c->text);
        buf_append_str(out, "\n");
    }
}

void report_json(struct jout *w, const struct sign_report *r)
{
    jout_array(w, "checks");
    for (size_t i = 0; i < r->n; i++) {
        const struct sign_check *c = &r->checks[i];
        jout_object(w, NULL);
        jout_string(w, "format", c->format);
        jout_bool(w, "ok", c->ok);
        jout_string(w, "error", c->ok ? NULL : err_name(c->code));
        jout_string(w, "key", *c->key ? c->key : NULL);
        jout_string(w, "text", c->text);
        jout_object_end(w);
    }
    jout_array_end(w);
}
