/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "cli/sign_file.h"
#include "cli/ui.h"

struct detach_options {
    const char *signature, *output;
    bool json;
};

static const struct opt options[] = {
    {"signature", 0, OPT_STRING, true, offsetof(struct detach_options, signature), "SIG",
     "where to write the signature", NULL},
    {"output", 'o', OPT_STRING, true, offsetof(struct detach_options, output), "OUT",
     "where to write the file without it; FILE itself is\nfine", NULL},
    CMD_JSON(struct detach_options),
};

static int run(struct cmd_call *call, struct err *e)
{
    const struct detach_options *o = call->options;
    const char *path = call->operands[0];
    call->subject = path;
    int r = sign_file_detach(path, o->output, o->signature, e);
    if (r)
        return r;
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.detach/1");
        jout_string(&w, "file", o->output);
        jout_string(&w, "signature", o->signature);
        ui_json_end(&w);
    } else {
        buf_append_str(&out, "Signature: ");
        ui_text_str(&out, o->signature);
        buf_append_str(&out, "\nFile:      ");
        ui_text_str(&out, o->output);
        buf_append_str(&out, "\n");
    }
    return ui_print(&out, e);
}

const struct cmd cmd_detach = {
    .name = "detach",
    .operands = "FILE",
    .summary = "move an embedded signature out of a wasm file",
    .about = "Writes the signature that stands in FILE to a file of its own, and FILE\n"
             "without it. 'waybill verify --signature' takes the two, and 'waybill attach\n"
             "--signature' puts them together again.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct detach_options),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
