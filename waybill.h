/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libwaybill: all that `waybill` does but its command line. This header takes in those that are for users of
 * the library, and no others are installed; each says what its functions want and give.
 *
 *     flow/launch.h    a reference to the result of its run: what `waybill run` does
 *     flow/obtain.h    a reference to verified bytes: what `waybill pull` and `verify` do
 *     flow/trust.h     what is verified with: a policy file, or keys
 *     runner/run.h     bytes to a run: hosts, programs that run many times, grants, limits
 *     base/log.h       what the library has to say while it works
 *
 * Functions return 0 or a negative enum err_code and say why in their last parameter. Nothing is read from
 * the environment, nothing is printed, and the process is not ended. One thread may use an object at a time,
 * where its header says nothing else.
 */
#ifndef WAYBILL_H
#define WAYBILL_H

#ifdef __cplusplus
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
extern "C" {
#endif

#include "base/err.h"
#include "base/log.h"
#include "base/plugin.h"
#include "base/version.h"
#include "flow/launch.h"
#include "flow/obtain.h"
#include "flow/trust.h"
#include "runner/run.h"
#include "sign/policy.h"

#ifdef __cplusplus
}
#endif

#endif
