/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/sandbox.h"

#include "base/log.h"
#include "runner/sandbox_layers.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#if defined(__SANITIZE_ADDRESS__)
/* The search for leaks at the end of the process starts a tracer, which we have made impossible by then. */
static bool sealed;
int __lsan_is_turned_off(void);
__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
    return sealed;
}
#define SEALED() (sealed = true)
#else
#define SEALED() ((void)0)
#endif

const char *runner_sandbox_layer_name(enum runner_sandbox_layer layer)
{
    static const char *const names[RUNNER_SANDBOX_LAYERS] = {
        [RUNNER_SANDBOX_LANDLOCK] = "landlock",         [RUNNER_SANDBOX_SECCOMP] = "seccomp",
        [RUNNER_SANDBOX_NO_NEW_PRIVS] = "no_new_privs", [RUNNER_SANDBOX_CAPABILITIES] = "capabilities",
        [RUNNER_SANDBOX_DESCRIPTORS] = "descriptors",
    };
    return names[layer];
}

int runner_sandbox_close(const int *keep, size_t n_keep)
{
    return sandbox_descriptors_close(keep, n_keep);
}

static void drop(void *ctx)
{
    sandbox_privileges_drop(ctx);
}

/* Root is granted folders of others, too: a container's root those of the user outside. */
static bool is_of_others(const struct runner_sandbox_conf *conf)
{
    struct stat st;
    for (size_t i = 0; geteuid() == 0 && i < conf->n_folders; i++)
        if (fstat(conf->folders[i].fd, &st) == 0 && st.st_uid != 0)
            return true;
    return false;
}

/* What each thread has to give up by itself. The rules are made while files can still be opened. */
static void drop_all(const struct runner_sandbox_conf *conf, struct runner_sandbox_report *report)
{
    /* Not on the stack: a thread that answers too late may still look at it. */
    static struct sandbox_drop each;
    each = (struct sandbox_drop){.ruleset = -1, .dac_override = is_of_others(conf)};
    int abi = sandbox_landlock_abi();
    if (abi > 0)
        each.ruleset = sandbox_landlock_make(abi, conf->folders, conf->n_folders);
    if (abi < 0 || each.ruleset < 0)
        each.landlock = abi < 0 ? -abi : -each.ruleset;
    int r = sandbox_threads_each(drop, &each);
    if (each.ruleset >= 0)
        (void)close(each.ruleset);
    report->landlock_abi = abi > 0 ? abi : 0;
    report->dac_override = each.dac_override;
    report->missing[RUNNER_SANDBOX_LANDLOCK] = r ? r : each.landlock;
    report->missing[RUNNER_SANDBOX_NO_NEW_PRIVS] = r ? r : each.no_new_privs;
    report->missing[RUNNER_SANDBOX_CAPABILITIES] = r ? r : each.capabilities;
}

static int judge(const struct runner_sandbox_report *report, struct err *e)
{
    int r = 0;
    for (unsigned i = 0; i < RUNNER_SANDBOX_LAYERS; i++) {
        if (report->missing[i] == 0)
            continue;
        if (report->mode == RUNNER_SANDBOX_REQUIRE)
            return err_set_errno(e, ERR_UNSUPPORTED, report->missing[i], "sandbox: %s cannot be put in force",
                                 runner_sandbox_layer_name(i));
        log_info("sandbox: %s is not in force: %s", runner_sandbox_layer_name(i),
                 strerror(report->missing[i]));
    }
    return r;
}

int runner_sandbox_enter(const struct runner_sandbox_conf *conf, int descriptors,
                         struct runner_sandbox_report *ret, struct err *e)
{
    *ret = (struct runner_sandbox_report){.mode = conf->mode};
    if (conf->mode == RUNNER_SANDBOX_OFF)
        return 0;
    ret->missing[RUNNER_SANDBOX_DESCRIPTORS] = descriptors;
    /* Nobody but root reads our memory and environment by way of /proc, should that be in a granted folder.
     */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    drop_all(conf, ret);
    SEALED();
    ret->missing[RUNNER_SANDBOX_SECCOMP] = sandbox_seccomp_load();
    return judge(ret, e);
}

void runner_sandbox_probe(enum runner_sandbox_mode mode, struct runner_sandbox_report *ret)
{
    *ret = (struct runner_sandbox_report){.mode = mode};
    if (mode == RUNNER_SANDBOX_OFF)
        return;
    int abi = sandbox_landlock_abi();
    ret->landlock_abi = abi > 0 ? abi : 0;
    ret->missing[RUNNER_SANDBOX_LANDLOCK] = abi > 0 ? 0 : -abi;
    ret->missing[RUNNER_SANDBOX_SECCOMP] = sandbox_seccomp_probe();
    ret->missing[RUNNER_SANDBOX_DESCRIPTORS] = sandbox_descriptors_probe();
}

void runner_sandbox_describe(const struct runner_sandbox_report *report, struct buf *out)
{
    if (report->mode == RUNNER_SANDBOX_OFF) {
        buf_append_str(out, "off\n");
        return;
    }
    for (unsigned i = 0; i < RUNNER_SANDBOX_LAYERS; i++) {
        buf_printf(out, "%s: ", runner_sandbox_layer_name(i));
        if (report->missing[i])
            buf_printf(out, "missing: %s\n", strerror(report->missing[i]));
        else if (i == RUNNER_SANDBOX_LANDLOCK)
            buf_printf(out, "in force, version %d\n", report->landlock_abi);
        else if (i == RUNNER_SANDBOX_CAPABILITIES && report->dac_override)
            buf_append_str(out, "in force, but for CAP_DAC_OVERRIDE: a folder belongs to somebody else\n");
        else
            buf_append_str(out, "in force\n");
    }
}
