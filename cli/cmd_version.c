/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/version.h"
#include "cli/ui.h"

struct version_options {
    bool json;
};

static const struct opt options[] = {CMD_JSON(struct version_options)};

static int run(struct cmd_call *call, struct err *e)
{
    const struct version_options *o = call->options;
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.version/1");
        jout_string(&w, "version", WAYBILL_VERSION);
        ui_json_end(&w);
    } else {
        buf_append_str(&out, "waybill " WAYBILL_VERSION "\n");
    }
    return ui_print(&out, e);
}

const struct cmd cmd_version = {
    .name = "version",
    .operands = "",
    .summary = "print the version",
    .about = "Prints the version.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct version_options),
    .run = run,
};
