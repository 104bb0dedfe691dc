/* SPDX-License-Identifier: Apache-2.0 */
/* Logging: libraries say, the program decides where it goes. Nothing is printed unless a handler was set. */
#ifndef WAYBILL_BASE_LOG_H
#define WAYBILL_BASE_LOG_H

#include "base/macro.h"

enum log_level { LOG_WARN, LOG_INFO, LOG_DEBUG };

/* text: one line without a newline, remote text in it already escaped. Several threads may be in a handler at
 * once. */
typedef void log_handler(void *ctx, enum log_level level, const char *text);

/* log_set_handler - before any thread is started; NULL switches logging off. level: the least important that
 * is said. */
void log_set_handler(log_handler *handler, void *ctx, enum log_level level);
void log_get_handler(log_handler **ret_handler, void **ret_ctx, enum log_level *ret_level);

void log_say(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
#define log_warn(...)  log_say(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_say(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_say(LOG_DEBUG, __VA_ARGS__)

#endif
