/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread may do by its credentials, and what the process has open. */
#include "runner/sandbox_layers.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void note(int *first, bool failed)
{
    if (failed && *first == 0)
        *first = errno;
}

/* From the bounding set, as far as we may: without CAP_SETPCAP nothing is in the other sets that it would
 * matter for. */
static void drop_bounding(void)
{
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
            return;
}

/* What is left of the permitted and effective sets; nothing is inherited. */
static void keep_capabilities(uint32_t mask, int *failure)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}, {0, 0, 0}}, left = {0, 0, 0};
    if (mask && syscall(SYS_capget, &header, sets) == 0) {
        left.effective = sets[0].effective & mask;
        left.permitted = sets[0].permitted & mask;
    }
    sets[0] = left;
    sets[1] = (struct __user_cap_data_struct){0, 0, 0};
    note(failure, syscall(SYS_capset, &header, sets) != 0);
}

static void drop_capabilities(bool dac_override, int *failure)
{
    drop_bounding();
    note(failure, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0);
    keep_capabilities(dac_override ? CAP_TO_MASK(CAP_DAC_OVERRIDE) : 0, failure);
}

void sandbox_privileges_drop(struct sandbox_drop *d)
{
    note(&d->no_new_privs, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0);
    if (d->ruleset >= 0)
        note(&d->landlock, syscall(SYS_landlock_restrict_self, d->ruleset, 0) != 0);
    drop_capabilities(d->dac_override, &d->capabilities);
}

/* The lowest descriptor of keep that is not below `from`, or -1. */
static int next_kept(const int *keep, size_t n, int from)
{
    int next = -1;
    for (size_t i = 0; i < n; i++)
        if (keep[i] >= from && (next < 0 || keep[i] < next))
            next = keep[i];
    return next;
}

int sandbox_descriptors_close(const int *keep, size_t n)
{
    for (int from = STDERR_FILENO + 1;;) {
        int kept = next_kept(keep, n, from);
        unsigned last = kept < 0 ? ~0U : (unsigned)kept - 1;
        if (kept != from && syscall(SYS_close_range, (unsigned)from, last, 0) != 0)
            return errno;
        if (kept < 0)
            return 0;
        from = kept + 1;
    }
}

/* An empty range: nothing is closed, and EINVAL comes from the call itself. */
int sandbox_descriptors_probe(void)
{
    return syscall(SYS_close_range, 1U, 0U, 0) == 0 || errno == EINVAL ? 0 : errno;
}
