/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up is a feature: nothing that a verb may not need happens before the verb is known. */
#include "cli/cmd.h"

#include "oci/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

/* Where a standard descriptor is closed, puts one there that cannot be used in its direction: otherwise the
 * next file that is opened would take its place. */
static bool hold_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

/* The default action comes after: it was put back before this is called. */
static void on_end(int number)
{
    int before = errno;
    oci_staging_abandon();
    (void)raise(number);
    errno = before;
}

/* What lies beside an archive that is being made goes with the process; what the user ignores stays so. */
static void clean_up_at_end(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    const struct sigaction end = {.sa_handler = on_end, .sa_flags = (int)SA_RESETHAND};
    struct sigaction before;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            (void)sigaction(numbers[i], &end, NULL);
}

int main(int argc, char **argv)
{
    if (!hold_standard_descriptors())
        return 1;
    /* A closed pipe and a file over the limit are errors that are reported, and not a silent death. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    clean_up_at_end();
    /* Options say that, and compiled code that is kept depends on it. */
    (void)unsetenv(CMD_SOURCE_LINES);
    return cmd_main(argc > 1 ? (size_t)argc - 1 : 0, argv + (argc > 0));
}
