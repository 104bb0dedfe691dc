/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static log_handler *the_handler;
static void *the_ctx;
static enum log_level the_level;

void log_set_handler(log_handler *handler, void *ctx, enum log_level level)
{
    the_handler = handler;
    the_ctx = ctx;
    the_level = level;
}

void log_get_handler(log_handler **ret_handler, void **ret_ctx, enum log_level *ret_level)
{
    *ret_handler = the_handler;
    *ret_ctx = the_ctx;
    *ret_level = the_level;
}

void log_say(enum log_level level, const char *fmt, ...)
{
    if (!the_handler || level > the_level)
        return;
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    the_handler(the_ctx, level, text);
}
