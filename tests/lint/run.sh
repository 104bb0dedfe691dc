#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The house rules: every script of this folder, in TAP. Fails when one fails.
set -u
cd "$(dirname "$0")/../.." || exit 2
bad=0
for script in arrows size source man selftest; do
    [ -e "tests/lint/$script.sh" ] || continue
    "tests/lint/$script.sh" || bad=1
done
exit $bad
