/* SPDX-License-Identifier: Apache-2.0 */
/* The engine writes a guest's output through Rust's standard output, which keeps an unfinished line back and
 * which only a Rust program flushes when it ends. */
#ifndef WAYBILL_STDIO_H
#define WAYBILL_STDIO_H

#ifdef __cplusplus
extern "C" {
#endif

/* waybill_stdio_flush - writes out what was kept back. Returns 0, or -1 when standard output does not take
 * it. */
int waybill_stdio_flush(void);

#ifdef __cplusplus
}
#endif

#endif
