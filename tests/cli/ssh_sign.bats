#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Signatures beside files, as ssh-keygen -Y and minisign make and take them; keys of OpenSSH and of its agent.
load lib

teardown() {
    if [ -n "${AGENT_PID:-}" ]; then kill "$AGENT_PID" 2>/dev/null || true; fi
}

need() { command -v "$1" >/dev/null || skip "$1 is not installed"; }

# ssh_key NAME [OPTION...]: a pair of ssh-keygen's, without a password.
ssh_key() {
    local name=$1
    shift
    ssh-keygen -q -N '' -C "$name@example.com" -f "$name" "$@"
}

# takes NAME SIGNATURE FILE: whether ssh-keygen takes it as NAME's.
takes() {
    echo "$1@example.com namespaces=\"file\" $(cat "$1.pub")" >allowed
    ssh-keygen -Y verify -f allowed -I "$1@example.com" -n file -s "$2" <"$3" >/dev/null
}

# start_agent KEY...: an agent with these keys, whose files then go away.
start_agent() {
    SSH_AUTH_SOCK=$BATS_TEST_TMPDIR/agent
    AGENT_PID=$(ssh-agent -s -a "$SSH_AUTH_SOCK" | sed -n 's/^SSH_AGENT_PID=\([0-9]*\).*/\1/p')
    export SSH_AUTH_SOCK
    local key
    for key; do ssh-add -q "$key" && rm "$key"; done
}

@test "ssh: ssh-keygen takes ours and we take ssh-keygen's, every type of key" {
    need ssh-keygen
    guest hello
    ssh_key ed25519 -t ed25519
    ssh_key p256 -t ecdsa -b 256
    ssh_key p384 -t ecdsa -b 384
    ssh_key rsa -t rsa -b 2048
    local k hash
    for k in ed25519 p256 p384 rsa; do
        expect 0 waybill sign --format ssh --key $k --detached our.sig hello.wasm
        takes $k our.sig hello.wasm
        expect 0 waybill verify --key $k.pub --signature our.sig hello.wasm
        for hash in sha256 sha512; do
            rm -f hello.wasm.sig
            ssh-keygen -q -Y sign -f $k -n file -O hashalg=$hash hello.wasm 2>/dev/null
            expect 0 waybill verify --key $k.pub --signature hello.wasm.sig hello.wasm
            out_has 'ssh'
        done
    done
}

@test "ssh: another key, another file, another namespace, a changed signature" {
    need ssh-keygen
    guest hello args
    ssh_key alice -t ed25519
    ssh_key bob -t ed25519
    ssh-keygen -q -Y sign -f alice -n file hello.wasm 2>/dev/null
    expect 12 waybill verify --key bob.pub --signature hello.wasm.sig hello.wasm
    err_has 'which is not trusted'
    expect 12 waybill verify --key alice.pub --signature hello.wasm.sig args.wasm
    err_has 'and is not, or of something else'
    ssh-keygen -q -Y sign -f alice -n git args.wasm 2>/dev/null
    expect 12 waybill verify --key alice.pub --signature args.wasm.sig args.wasm
    err_has 'made for "git" and not for "file"'
    head -c 150 hello.wasm.sig >short.sig
    expect 16 waybill verify --key alice.pub --signature short.sig hello.wasm
    cat hello.wasm.sig args.wasm.sig >two.sig
    expect 16 waybill verify --key alice.pub --signature two.sig hello.wasm
    err_has 'behind the PEM block'
    printf '\n' >>hello.wasm
    expect 12 waybill verify --key alice.pub --signature hello.wasm.sig hello.wasm
}

@test "ssh: what stands inside the file does not count for the signature beside it" {
    need ssh-keygen
    signed_guests
    ssh_key eve -t ed25519
    ssh-keygen -q -Y sign -f eve -n file signed.wasm 2>/dev/null
    expect 0 waybill verify --key alice.pub signed.wasm
    expect 12 waybill verify --key alice.pub --signature signed.wasm.sig signed.wasm
}

@test "ssh: a certificate is refused" {
    need ssh-keygen
    guest hello
    ssh_key ca -t ed25519
    ssh_key carol -t ed25519
    ssh-keygen -q -s ca -I carol carol.pub
    ssh-keygen -q -Y sign -f carol-cert.pub -n file hello.wasm 2>/dev/null || skip 'ssh-keygen does not sign so'
    expect 12 waybill verify --key carol.pub --signature hello.wasm.sig hello.wasm
    err_has 'certificate'
}

@test "OpenSSH keys: sign with the private, verify with the public" {
    need ssh-keygen
    guest hello
    ssh_key alice -t ed25519
    expect 0 waybill sign --key alice hello.wasm -o signed.wasm
    expect 0 waybill verify --key alice.pub signed.wasm
    chmod 644 alice
    expect 0 waybill sign --key alice hello.wasm -o signed.wasm
    err_has 'others can reach this private key'
    cat alice.pub alice.pub >two.pub
    expect 16 waybill verify --key two.pub signed.wasm
    expect 2 waybill verify --key alice signed.wasm
    err_has 'private key'
}

@test "ssh-agent: a public key names the one that signs, or agent: and its fingerprint" {
    need ssh-agent
    guest hello
    ssh_key alice -t ed25519
    ssh_key p256 -t ecdsa -b 256
    ssh_key rsa -t rsa -b 2048
    ssh_key other -t ed25519
    start_agent alice p256 rsa
    local k
    for k in alice p256 rsa; do
        expect 0 waybill sign --format ssh --key $k.pub --detached $k.sig hello.wasm
        takes $k $k.sig hello.wasm
    done
    expect 0 waybill sign --key alice.pub hello.wasm -o signed.wasm
    expect 0 waybill verify --key alice.pub signed.wasm
    expect 0 waybill sign --key "agent:$(ssh-keygen -lf alice.pub | cut -d ' ' -f 2)" hello.wasm -o again.wasm
    cmp signed.wasm again.wasm
    expect 4 waybill sign --key other.pub hello.wasm -o no.wasm
    err_has 'ssh-agent does not have the key other.pub'
    expect 4 waybill sign --key agent:SHA256:none hello.wasm -o no.wasm
    expect 2 waybill sign --key agent:MD5:00 hello.wasm -o no.wasm
    err_has 'SHA256:'
    kill "$AGENT_PID"
    expect 1 waybill sign --key alice.pub hello.wasm -o no.wasm
    err_has 'ssh-agent'
    absent no.wasm
    unset SSH_AUTH_SOCK
    expect 2 waybill sign --key alice.pub hello.wasm -o no.wasm
    err_has 'alice.pub is a public key'
    expect 2 waybill sign --key agent:SHA256:none hello.wasm -o no.wasm
    err_has 'there is no ssh-agent'
}

@test "ssh: options that do not go together" {
    need ssh-keygen
    guest hello
    ssh_key alice -t ed25519
    expect 2 waybill sign --format ssh --key alice hello.wasm
    err_has '--detached SIG is missing'
    expect 2 waybill sign --format ssh --key alice --detached s -o out.wasm hello.wasm
    expect 2 waybill sign --format ssh --key alice --detached s --name x hello.wasm
    expect 1 waybill sign --format ssh --key alice --detached s --expires 1d hello.wasm
    err_has 'do not expire'
    absent s out.wasm
}

@test "minisign: both algorithms, the trusted comment, other keys and files" {
    need minisign
    guest hello args
    minisign -G -W -p alice.pub -s alice.key >/dev/null
    minisign -G -W -p bob.pub -s bob.key >/dev/null
    minisign -S -s alice.key -m hello.wasm -t $'by \033[31malice' >/dev/null ||
        minisign -S -s alice.key -m hello.wasm -t 'by alice' >/dev/null
    minisign -S -l -s alice.key -x legacy.minisig -m hello.wasm >/dev/null
    expect 0 waybill verify --key alice.pub --signature hello.wasm.minisig hello.wasm
    out_has 'trusted comment: by '
    out_lacks $'\033'
    expect 0 waybill verify --key alice.pub --signature legacy.minisig hello.wasm
    tail -n 1 alice.pub >bare.pub
    expect 0 waybill verify --key bare.pub --signature legacy.minisig hello.wasm
    local s
    for s in hello.wasm.minisig legacy.minisig; do
        expect 12 waybill verify --key bob.pub --signature $s hello.wasm
        expect 12 waybill verify --key alice.pub --signature $s args.wasm
        sed 's/^trusted comment: ./trusted comment: X/' $s >comment.minisig
        expect 12 waybill verify --key alice.pub --signature comment.minisig hello.wasm
        err_has 'the trusted comment is not the one that was signed'
        head -n 3 $s >short.minisig
        expect 16 waybill verify --key alice.pub --signature short.minisig hello.wasm
    done
    expect 16 waybill sign --key alice.key hello.wasm -o no.wasm
}

@test "ssh: on a reference, a referrer whose layer ssh-keygen takes for the digest's text" {
    need ssh-keygen
    guest hello
    ssh_key alice -t ed25519
    expect 0 waybill push hello.wasm oci:place:v1
    expect 0 waybill sign --format ssh --key alice oci:place:v1
    local digest manifest layer
    digest=$(waybill inspect --json oci:place:v1 | jq -r .digest)
    manifest=$(jq -r '.manifests[] | select(.artifactType == "application/vnd.waybill.sshsig.v1").digest' place/index.json)
    [ -n "$manifest" ] || manifest=$(waybill tree --json oci:place:v1 | jq -r '.. | .digest? // empty' | grep -v "$digest" | head -n 1)
    manifest=place/blobs/sha256/${manifest#sha256:}
    [ "$(jq -r .subject.digest "$manifest")" = "$digest" ]
    [ "$(jq -r '.artifactType, .layers[0].mediaType' "$manifest" | sort -u)" = application/vnd.waybill.sshsig.v1 ]
    layer=place/blobs/sha256/$(jq -r '.layers[0].digest' "$manifest" | cut -d : -f 2)
    echo "alice@example.com namespaces=\"wasm-oci\" $(cat alice.pub)" >allowed
    printf %s "$digest" | ssh-keygen -Y verify -f allowed -I alice@example.com -n wasm-oci -s "$layer"
    expect 1 waybill sign --format ssh --key alice -a k=v oci:place:v1
    err_has 'hold no annotations'
}
