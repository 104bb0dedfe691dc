#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job, on an OCI layout on disk: no server is needed. Usage: demo.sh WAYBILL GUESTS
set -eu
waybill=$1
module=$2/hello.wasm
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME="$work/cache"
cd "$work"

step() {
    printf '\n# %s\n' "$1"
    shift
    printf '$ waybill %s\n' "$*"
    "$waybill" "$@"
}

cp "$module" hello.wasm
step "Make a key pair." keygen -o release
step "Sign the module; the signature travels inside it." sign --key release.key hello.wasm -o signed.wasm
step "Push it." push signed.wasm oci:registry:v1
step "See what is there." inspect oci:registry:v1
step "Pull it: nothing is written unless the key's signature covers every byte." \
    pull --key release.pub -o pulled.wasm oci:registry:v1
step "Verify the file." verify --key release.pub pulled.wasm
step "Run it, straight from where it lies, verified." run --key release.pub oci:registry:v1 to the world
cmp signed.wasm pulled.wasm
printf '\n# The pulled file is the signed one, byte for byte. Done.\n'
