#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SSH signatures against `ssh-keygen -Y`: of files and of references, each verifies what the other signs, with an allowed_signers
# file that both read. TAP. Uses $WAYBILL and $GUESTS; see run.sh.
# shellcheck disable=SC2317 # most functions are called by name
set -u
suite=ssh-keygen
# shellcheck source=tests/interop/say.bash
. "$(dirname "$0")/say.bash"
# shellcheck source=tests/interop/servers.bash
. "$(dirname "$0")/servers.bash"
command -v ssh-keygen >/dev/null || skip_all "it is not there"
[ -f "$GUESTS/hello.wasm" ] || skip_all "no hello.wasm in $GUESTS"
own_home
umask 077

keys=(ed25519 p256 p384 rsa)
ssh_key() { # NAME OPTION...
    ssh-keygen -q -N '' -C "$1" -f "$1" "${@:2}"
}
is "keys: Ed25519" 0 ssh_key ed25519 -t ed25519
is "keys: P-256" 0 ssh_key p256 -t ecdsa -b 256
is "keys: P-384" 0 ssh_key p384 -t ecdsa -b 384
is "keys: RSA" 0 ssh_key rsa -t rsa -b 3072
is "keys: somebody else's" 0 ssh_key foreign -t ed25519
line() { # KEY PRINCIPALS [OPTIONS]: a line of allowed_signers
    echo "$2 ${3:+$3 }$(cut -d' ' -f1-2 "$1.pub")"
}
for key in "${keys[@]}"; do line "$key" "$key@example.com"; done >signers
line foreign foreign@example.com >others

peer_verify() { # NAMESPACE SIGNERS WHO SIGNATURE MESSAGE
    ssh-keygen -Y verify -n "$1" -f "$2" -I "$3" -s "$4" <"$5"
}

files() { # KEY
    local name="file, $1"
    rm -f module.wasm module.wasm.sig
    cp "$GUESTS/hello.wasm" module.wasm
    is "$name: we sign" 0 "$WAYBILL" sign --format ssh --key "$1" --detached module.wasm.sig module.wasm
    is "$name: they verify it" 0 peer_verify file signers "$1@example.com" module.wasm.sig module.wasm
    is "$name: they refuse another namespace" 255 peer_verify git signers "$1@example.com" module.wasm.sig module.wasm
    is "$name: they refuse a foreign key" 255 peer_verify file others foreign@example.com module.wasm.sig module.wasm
    is "$name: we verify it" 0 "$WAYBILL" verify --signers signers --signature module.wasm.sig module.wasm
    rm module.wasm.sig
    is "$name: they sign" 0 ssh-keygen -q -Y sign -f "$1" -n file module.wasm
    is "$name: we verify it" 0 "$WAYBILL" verify --signers signers --signature module.wasm.sig module.wasm
    is "$name: by name" 0 "$WAYBILL" verify --signers signers --identity "$1@example.com" --signature module.wasm.sig module.wasm
    is "$name: by another name" 12 "$WAYBILL" verify --signers signers --identity someone@example.com --signature module.wasm.sig module.wasm
    is "$name: we refuse a foreign key" 12 "$WAYBILL" verify --signers others --signature module.wasm.sig module.wasm
    is "$name: we verify it by the key alone" 0 "$WAYBILL" verify --key "$1.pub" --signature module.wasm.sig module.wasm
    printf '\0\5\4more' >>module.wasm
    is "$name: they refuse a longer file" 255 peer_verify file signers "$1@example.com" module.wasm.sig module.wasm
    is "$name: we refuse a longer file" 12 "$WAYBILL" verify --signers signers --signature module.wasm.sig module.wasm
}

# Namespaces, times and principals, by the same lines.
lines() {
    local now
    now=$(date +%Y%m%d)
    cp "$GUESTS/hello.wasm" module.wasm
    rm -f module.wasm.sig
    ssh-keygen -q -Y sign -f ed25519 -n git module.wasm
    is "another namespace: they refuse" 255 peer_verify file signers ed25519@example.com module.wasm.sig module.wasm
    is "another namespace: we refuse" 12 "$WAYBILL" verify --signers signers --signature module.wasm.sig module.wasm
    rm module.wasm.sig
    ssh-keygen -q -Y sign -f ed25519 -n file module.wasm
    line ed25519 ed25519@example.com 'namespaces="git"' >narrow
    is "a line for another namespace: they refuse" 255 peer_verify file narrow ed25519@example.com module.wasm.sig module.wasm
    is "a line for another namespace: we refuse" 12 "$WAYBILL" verify --signers narrow --signature module.wasm.sig module.wasm
    line ed25519 ed25519@example.com 'namespaces="git,fil?"' >narrow
    is "a pattern of namespaces: they take it" 0 peer_verify file narrow ed25519@example.com module.wasm.sig module.wasm
    is "a pattern of namespaces: we take it" 0 "$WAYBILL" verify --signers narrow --signature module.wasm.sig module.wasm
    line ed25519 '*@example.com,!ed25519@example.com' >narrow
    is "a principal that is excluded: they refuse" 255 peer_verify file narrow ed25519@example.com module.wasm.sig module.wasm
    is "a principal that is excluded: we refuse" 12 "$WAYBILL" verify --signers narrow --identity ed25519@example.com --signature module.wasm.sig module.wasm
    line ed25519 ed25519@example.com 'valid-before="20200101"' >narrow
    is "a line that is over: they refuse" 255 peer_verify file narrow ed25519@example.com module.wasm.sig module.wasm
    is "a line that is over: we refuse" 14 "$WAYBILL" verify --signers narrow --signature module.wasm.sig module.wasm
    is "at that time: we take it" 0 "$WAYBILL" verify --signers narrow --now 2019-06-01T00:00:00Z --signature module.wasm.sig module.wasm
    line ed25519 ed25519@example.com "valid-after=\"$((${now%????} + 1))0101\"" >narrow
    is "a line that is to come: they refuse" 255 peer_verify file narrow ed25519@example.com module.wasm.sig module.wasm
    is "a line that is to come: we refuse" 14 "$WAYBILL" verify --signers narrow --signature module.wasm.sig module.wasm
}

references() { # REGISTRY KEY
    local name="$1: $2" ref=$HOST/ssh/$2:v1 made
    "$WAYBILL" push -q "$GUESTS/hello.wasm" "$ref" >pinned
    sed 's/.*@//' pinned | tr -d '\n' >digest
    is "$name: we sign" 0 "$WAYBILL" sign -q --format ssh --key "$2" "$ref"
    made=$(tail -n 1 out)
    curl -sf -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$HOST/v2/ssh/$2/manifests/${made#*@}" >m
    curl -sfL "http://$HOST/v2/ssh/$2/blobs/$(jq -r '.layers[0].digest' m)" >reference.sig
    is "$name: they verify the digest" 0 peer_verify wasm-oci signers "$2@example.com" reference.sig digest
    is "$name: we verify it" 0 "$WAYBILL" verify --signers signers "$ref"
    is "$name: we refuse a foreign key" 12 "$WAYBILL" verify --signers others "$ref"
    rm -f digest.sig
    "$WAYBILL" push -q "$GUESTS/args.wasm" "$ref" | sed 's/.*@//' | tr -d '\n' >digest
    is "$name: they sign the digest" 0 ssh-keygen -q -Y sign -f "$2" -n wasm-oci digest
    is "$name: it is attached" 0 "$WAYBILL" attach -q -T "$(jq -r .artifactType m)" --media-type "$(jq -r '.layers[0].mediaType' m)" \
        digest.sig "$ref"
    is "$name: we verify it" 0 "$WAYBILL" verify --signers signers "$ref"
    "$WAYBILL" push -q "$GUESTS/exit.wasm" "$ref" >pinned
    is "$name: the same hung on another artifact" 0 "$WAYBILL" attach -q -T "$(jq -r .artifactType m)" \
        --media-type "$(jq -r '.layers[0].mediaType' m)" digest.sig "$ref"
    is "$name: we refuse it" 12 "$WAYBILL" verify --signers signers "$ref"
}

over() { # REGISTRY
    local key
    for key in "${keys[@]}"; do references "$1" "$key"; done
}

for key in "${keys[@]}"; do files "$key"; done
lines
for tool in jq curl; do
    command -v $tool >/dev/null || { skip references "no $tool" && exit $bad; }
done
if server_docker "$dir/docker"; then
    over docker-registry
else
    skip docker-registry "docker-registry is not there or did not start"
fi
servers_end
if server_ggcr "$dir/ggcr" 2>why; then
    over ggcr
else
    skip ggcr "$(cat why)"
fi
exit $bad
