/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/session.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"

void runner_session_begin(struct runner_session *s, const struct runner_grants *g, bool deterministic)
{
    const uint64_t resolution = g->clock_ns ? g->clock_ns : RUNNER_CLOCK_NS;
    *s = (struct runner_session){.denied = 0};
    s->clock = deterministic ? runner_clock_fixed(resolution, g->epoch) : runner_clock_real(resolution);
    runner_random_seed(&s->random, g->seed);
}

/* A name that holds what would end it is put in quotes, which text_escape has left alone. */
static void quote(const char *text, char *out, size_t size)
{
    size_t n = 0;
    bool plain = text[strcspn(text, " \"=")] == '\0';
    if (!plain)
        out[n++] = '"';
    for (; *text && n + 4 < size; text++) {
        if (*text == '"')
            out[n++] = '\\';
        out[n++] = *text;
    }
    if (!plain)
        out[n++] = '"';
    out[n] = '\0';
}

void runner_session_denied(struct runner_session *s, const char *capability, const char *use,
                           struct bytes what, const char *error)
{
    char shown[400], quoted[800];
    if (s->denied > LIMIT_DENIED_LINES)
        return;
    if (s->denied++ == LIMIT_DENIED_LINES) {
        log_warn("denied more than %u uses: no further one is logged", LIMIT_DENIED_LINES);
        return;
    }
    quote(text_escape(what, shown, sizeof(shown)), quoted, sizeof(quoted));
    log_warn("denied capability=%s use=%s%s%s error=%s", capability, use, what.len ? " what=" : "",
             what.len ? quoted : "", error);
}
