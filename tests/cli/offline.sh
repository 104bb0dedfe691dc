#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What offline.bats does with the network cut off. Usage: offline.sh HOW SCENE, in an empty folder; HOW is namespace (we are in
# one) or strace. Uses $WAYBILL and $GUESTS.
set -eu
how=$1 scene=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/interop/servers.bash
. "$root/tests/interop/servers.bash"
trap servers_end EXIT
waybill() { "$WAYBILL" "$@"; }

# The loopback interface of a new namespace is down.
[ "$how" != namespace ] || python3 -B - <<'PYTHON'
import fcntl, socket, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x41))  # SIOCSIFFLAGS: IFF_UP, IFF_RUNNING
PYTHON
server_docker "$PWD/registry"
echo '{"buildDefinition": {"buildType": "https://ci.example.com/make", "externalParameters": {}},
 "runDetails": {"builder": {"id": "https://ci.example.com/runner"}}}' >provenance.json

# ok ARGUMENTS...: waybill does it. no STATUS ARGUMENTS...: it ends so, which shows that ok means something. Both speak to the
# registry and nobody else.
seen() {
    if [ "$how" = strace ]; then
        rm -f trace.*
        strace -f -ff -o trace -e trace=connect,sendto,sendmsg "$WAYBILL" "$@" >said 2>&1
    else
        "$WAYBILL" "$@" >said 2>&1
    fi
}
strangers() {
    [ "$how" = strace ] || return 0
    if cat trace.* | grep -E 'sa_family=AF_INET' | grep -vF "sin_port=htons(${HOST#*:}), sin_addr=inet_addr(\"127.0.0.1\")"; then
        echo "somebody else was spoken to: $*"
        exit 1
    fi
}
no() {
    local want=$1 status=0
    shift
    seen "$@" || status=$?
    [ "$status" -eq "$want" ] || { echo "status $status instead of $want: $*" && cat said && exit 1; }
    strangers "$@"
}
ok() { no 0 "$@"; }
pushed() { waybill push -q "$GUESTS/hello.wasm" "$HOST/off/$scene:v1" >/dev/null; }
ref=$HOST/off/$scene:v1
waybill keygen --type p256 -o key >/dev/null
waybill keygen --type p256 -o other >/dev/null

scene_nothing() {
    [ "$how" = namespace ] || return 0
    [ "$(grep -c : /proc/self/net/dev)" -eq 1 ] # lo
    ! python3 -B -c 'import socket; socket.create_connection(("192.0.2.1", 443), 2)' 2>/dev/null
}
detached() { # OPTION... to sign with
    pushed
    no 10 verify --key key.pub "$ref"
    waybill sign -q --key key.key "$@" "$ref" >/dev/null
    ok verify --key key.pub "$ref"
    no 12 verify --key other.pub "$ref"
    ok pull --key key.pub -o pulled.wasm "$ref"
    ok run --key key.pub "$ref"
}
scene_sigstore() { detached --format sigstore; }
scene_cosign() { detached --format cosign; }
scene_attestation() {
    pushed
    waybill attest -q --key key.key -T slsaprovenance1 --predicate provenance.json "$ref" >/dev/null
    waybill attest -q --key key.key --format cosign -T https://example.com/built --predicate provenance.json "$ref" >/dev/null
    ok verify --key key.pub --attestation slsaprovenance1 --attestation https://example.com/built "$ref"
    no 10 verify --key key.pub "$ref"
}
certificate() { # NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" -days 30 -sha256 \
        -subj "/C=US/ST=WA/O=$1/CN=$1" -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature \
        -addext extendedKeyUsage=codeSigning 2>/dev/null
    chmod 600 "$1.key"
}
scene_notation() {
    certificate notary
    certificate nobody
    pushed
    waybill sign -q --format notation --key notary.key --certificate notary.pem "$ref" >/dev/null
    ok verify --trust-store notary.pem "$ref"
    no 13 verify --trust-store nobody.pem "$ref"
}
scene_ssh() {
    ssh-keygen -q -t ed25519 -N '' -C '' -f ssh
    echo "me@example.com $(cat ssh.pub)" >signers
    ssh-keygen -q -t ed25519 -N '' -C '' -f nobody
    echo "me@example.com $(cat nobody.pub)" >others
    pushed
    waybill sign -q --format ssh --key ssh "$ref" >/dev/null
    ok verify --signers signers "$ref"
    no 12 verify --signers others "$ref"
}
scene_keyless() {
    local bundle=application/vnd.dev.sigstore.bundle.v0.3+json digest
    local who=https://ci.example/team/app/build.yml@refs/heads/main issuer=https://token.ci.example
    digest=$(waybill push -q "$GUESTS/hello.wasm" "$ref")
    make -s -C "$root" build/release/tests/unit/sign_keyless_files_test
    "$root/build/release/tests/unit/sign_keyless_files_test" "${digest#*@sha256:}" .
    waybill attach -q -T $bundle --media-type $bundle bundle.json "$ref" >/dev/null
    ok verify --trusted-root root.json --identity $who --issuer $issuer "$ref"
    no 12 verify --trusted-root root.json --identity $who --issuer https://elsewhere.example "$ref"
    printf 'version = 1\n[roots.r]\nfile = "root.json"\n[scopes."%s"]\nroot = "r"\nidentities = [{issuer = "%s", subject = "%s"}]\n' \
        "$HOST/off" $issuer $who >policy.toml
    ok verify --policy policy.toml "$ref"
    ok run --policy policy.toml "$ref"
    waybill push -q "$GUESTS/args.wasm" "$ref" >/dev/null
    waybill attach -q -T $bundle --media-type $bundle bundle.json "$ref" >/dev/null
    no 17 verify --trusted-root root.json --identity $who --issuer $issuer "$ref"
}
scene_embedded() {
    waybill keygen -o inner >/dev/null
    waybill sign --key inner.key "$GUESTS/hello.wasm" -o signed.wasm >/dev/null
    waybill push -q signed.wasm "$ref" >/dev/null
    ok verify --key inner.pub "$ref"
    ok verify --key inner.pub signed.wasm
    no 12 verify --key key.pub signed.wasm
}
scene_policy() {
    cat >policy.toml <<END
version = 1
[keys.one]
file = "key.pub"
[keys.two]
file = "other.pub"
[keys.three]
file = "third.pub"
[scopes."$HOST/off"]
keys = ["one", "two", "three"]
threshold = 2
[[scopes."$HOST/off".attestation]]
type = "slsaprovenance1"
keys = ["one"]
END
    waybill keygen -o third >/dev/null
    pushed
    waybill sign -q --key key.key "$ref" >/dev/null
    waybill attest -q --key key.key -T slsaprovenance1 --predicate provenance.json "$ref" >/dev/null
    no 15 verify --policy policy.toml "$ref"
    no 126 run --policy policy.toml "$ref"
    waybill sign -q --key third.key --format cosign "$ref" >/dev/null
    ok verify --policy policy.toml "$ref"
    ok pull --policy policy.toml -o pulled.wasm "$ref"
    ok run --policy policy.toml "$ref"
}
scene_layout() {
    waybill push -q "$GUESTS/hello.wasm" oci:shelf:v1 >/dev/null
    waybill sign -q --key key.key oci:shelf:v1 >/dev/null
    waybill copy -q --recursive oci:shelf:v1 oci-archive:shelf.tar:v1 >/dev/null
    ok verify --key key.pub oci:shelf:v1
    ok verify --key key.pub oci-archive:shelf.tar:v1
}

"scene_$scene"
echo "$scene: done"
