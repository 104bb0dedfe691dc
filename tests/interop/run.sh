#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every interop test against other people's tools, in TAP. Peers that are not there are skipped, loudly; --install gets them first,
# with cargo, go, pip and npm, into a folder outside the tree.
set -u
cd "$(dirname "$0")/../.." || exit 2
export WAYBILL=${WAYBILL:-$PWD/build/release/bin/waybill}
export GUESTS=${GUESTS:-$PWD/build/guests}
export PEERS=${PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/waybill-peers}
export INSTALL_PEERS=0
[ "${1:-}" = --install ] && INSTALL_PEERS=1
bad=0
for script in tests/interop/*.sh; do
    case $script in
    tests/interop/run.sh) continue ;;
    tests/interop/conformance.sh) [ -n "${CONFORMANCE:-}" ] || continue ;; # its program is nothing to install
    esac
    "$script" || bad=1
done
# make check runs it by itself.
[ $INSTALL_PEERS -eq 0 ] || tests/wasi/run.sh || bad=1
exit $bad
