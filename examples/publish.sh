#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signs a module, pushes it, and prints the name that cannot change its meaning, to be written down where it is used.
# Usage: publish.sh KEY FILE.wasm REF
set -eu
key=$1 file=$2 reference=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
signed=$folder/$(basename "$file")
waybill sign --key "$key" -o "$signed" "$file" >/dev/null
waybill push -q "$signed" "$reference"
