#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No function over 80 lines, no file over 800. Usage: size.sh [ROOT]
set -u
cd "${1:-.}" || exit 2
bad=0
while IFS= read -r file; do
    lines=$(wc -l <"$file")
    if [ "$lines" -gt 800 ]; then
        echo "not ok - size: $file has $lines lines, 800 are allowed"
        bad=1
    fi
done < <(find base net oci sign runner flow cli tests bench engine examples testdata Makefile -type f \
    \( -name '*.[ch]' -o -name '*.sh' -o -name '*.bats' -o -name '*.bash' -o -name '*.py' -o -name '*.rs' -o -name Makefile \) 2>/dev/null)
while read -r lines name; do
    echo "not ok - size: $name has $lines lines, 80 are allowed"
    bad=1
done < <(find base net oci sign runner flow cli tests bench -name '*.c' -print0 2>/dev/null | xargs -0r pmccabe |
    awk '$5 > 80 { print $5, $6, $7 }')
[ $bad -eq 0 ] && echo "ok - size: functions and files are within bounds"
exit $bad
