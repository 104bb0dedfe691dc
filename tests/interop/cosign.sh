#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Signatures and attestations on references against cosign: each verifies what the other makes, for every type of key and every
# way of keeping them, over Debian's registry (no referrers API) and go-containerregistry's; and waybill refuses what cosign
# lets pass. TAP. Uses $WAYBILL, $GUESTS, $PEERS and $INSTALL_PEERS; see run.sh.
# shellcheck disable=SC2317 # most functions are called by name
set -u
suite=cosign
# shellcheck source=tests/interop/say.bash
. "$(dirname "$0")/say.bash"
# shellcheck source=tests/interop/servers.bash
. "$(dirname "$0")/servers.bash"
[ "${INSTALL_PEERS:-0}" != 1 ] || go_peer cosign github.com/sigstore/cosign/v2/cmd/cosign@v2.6.5
for tool in openssl jq python3 curl; do
    command -v $tool >/dev/null || skip_all "no $tool"
done
command -v cosign >/dev/null || skip_all "not in $PEERS/bin: make interop installs it"
for guest in hello args; do
    [ -f "$GUESTS/$guest.wasm" ] || skip_all "no $guest.wasm in $GUESTS"
done
own_home
export COSIGN_PASSWORD=pencil
cp "$GUESTS/hello.wasm" "$GUESTS/args.wasm" .
signatures=$tree/tests/registry/signatures.py

# Keys: NAME.pem for us, NAME.key for cosign, which wants them encrypted, and NAME.pub for both.
make_key() { # NAME OPENSSL-OPTION...
    local name=$1
    shift
    openssl genpkey "$@" -out "$name.pem" 2>/dev/null && chmod 600 "$name.pem" &&
        cosign import-key-pair -y --key "$name.pem" --output-key-prefix "$name" >/dev/null 2>&1
}
is "keys: P-256" 0 make_key p256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
is "keys: P-384" 0 make_key p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
is "keys: Ed25519" 0 make_key ed25519 -algorithm ed25519
is "keys: RSA" 0 make_key rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
is "keys: somebody else's" 0 make_key foreign -algorithm EC -pkeyopt ec_paramgen_curve:P-256
is "a trusted root with nobody in it" 0 cosign trusted-root create --out root.json

# How cosign is told. Each keeps what it makes in one of three ways: tag (an image under a tag), oci11 (the same as a referrer),
# bundle (a bundle as a referrer).
offline=(--insecure-ignore-tlog=true --allow-http-registry)
cosign_sign() { # WAY KEY REF@DIGEST [OPTION...]
    local way=$1 key=$2 ref=$3
    shift 3
    set -- sign --key "$key.key" --tlog-upload=false --allow-http-registry -y "$@"
    case $way in
    tag) cosign "$@" "$ref" ;;
    oci11) COSIGN_EXPERIMENTAL=1 cosign "$@" --registry-referrers-mode=oci-1-1 "$ref" ;;
    bundle) cosign "$@" --new-bundle-format --use-signing-config=false "$ref" ;;
    esac
}
cosign_verify() { # WAY KEY REF [OPTION...]
    local way=$1 key=$2 ref=$3
    shift 3
    set -- verify --key "$key.pub" "${offline[@]}" "$@"
    case $way in
    tag) cosign "$@" "$ref" ;;
    oci11) COSIGN_EXPERIMENTAL=1 cosign "$@" --experimental-oci11 "$ref" ;;
    bundle) cosign "$@" --new-bundle-format --trusted-root root.json "$ref" ;;
    esac
}
cosign_attest() { # WAY KEY REF@DIGEST TYPE PREDICATE
    set -- "$1" "$3" attest --key "$2.key" --tlog-upload=false --allow-http-registry -y --type "$4" --predicate "$5"
    case $1 in
    tag) cosign "${@:3}" "$2" ;;
    bundle) cosign "${@:3}" --new-bundle-format --use-signing-config=false "$2" ;;
    esac
}
cosign_verify_attestation() { # WAY KEY REF TYPE
    set -- "$1" "$3" verify-attestation --key "$2.pub" "${offline[@]}" --type "$4"
    case $1 in
    tag) cosign "${@:3}" "$2" ;;
    bundle) cosign "${@:3}" --new-bundle-format --trusted-root root.json "$2" ;;
    esac
}
format_of() { if [ "$1" = bundle ]; then echo sigstore; else echo cosign; fi; }

# pushed REPO: a module of its own in each repository, so that nothing is found that was made for another test. Sets ref
# (by tag) and pinned (by digest).
pushed() {
    ref=$HOST/$1:v1
    pinned=$("$WAYBILL" push -q "${2:-hello.wasm}" "$ref") || { echo "not ok - $suite: push $ref" && bad=1; }
}

cat >slsa.json <<END
{"buildDefinition": {"buildType": "https://example.com/build", "externalParameters": {"ref": "refs/tags/v1"}},
 "runDetails": {"builder": {"id": "https://builder.example/one"}}}
END
echo '{"spdxVersion": "SPDX-2.3", "name": "hello", "packages": []}' >spdx.json
echo '{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": []}' >cyclonedx.json
echo '{"invocation": {}, "scanner": {"uri": "https://scanner.example", "result": {}}, "metadata": {"scanStartedOn": "2026-01-01T00:00:00Z", "scanFinishedOn": "2026-01-01T00:00:01Z"}}' >vuln.json
echo '{"@context": "https://openvex.dev/ns", "statements": []}' >openvex.json
echo '{"_type": "link", "name": "step", "command": [], "materials": {}, "products": {}, "byproducts": {}, "environment": {}}' >link.json
echo '{"by": "hand"}' >custom.json
cp custom.json uri.json

ours() { # REGISTRY WAY KEY
    local name="$1: $2, $3"
    pushed "ours/$2/$3"
    is "$name: we sign" 0 "$WAYBILL" sign -q --key "$3.pem" --format "$(format_of "$2")" -a stage=prod "$ref"
    is "$name: they verify it" 0 cosign_verify "$2" "$3" "$ref"
    has "$name: they name our digest" "${pinned#*@}"
    [ "$2" = bundle ] || is "$name: they find our annotation" 0 cosign_verify "$2" "$3" "$ref" -a stage=prod
    is "$name: we verify it" 0 "$WAYBILL" verify --key "$3.pub" --annotation stage=prod "$ref"
    is "$name: we demand another annotation" 15 "$WAYBILL" verify --key "$3.pub" --annotation stage=test "$ref"
    # They end with 12 for images under tags, with 1 for bundles.
    is "$name: they refuse a foreign key" "$([ "$2" = bundle ] && echo 1 || echo 12)" cosign_verify "$2" foreign "$ref"
}

theirs() { # REGISTRY WAY KEY
    local name="$1: $2, $3" options=()
    pushed "theirs/$2/$3"
    is "$name: they sign" 0 cosign_sign "$2" "$3" "$pinned" -a stage=prod
    if [ "$3" = ed25519 ]; then
        is "$name: a prehashed signature is not taken for one" 12 "$WAYBILL" verify --key "$3.pub" "$ref"
        options=(--insecure-ed25519ph)
    fi
    is "$name: we verify it" 0 "$WAYBILL" verify --key "$3.pub" "${options[@]}" "$ref"
    # They sign no annotation in bundles, and say nothing of it.
    is "$name: with its annotation" "$([ "$2" = bundle ] && echo 15 || echo 0)" \
        "$WAYBILL" verify --key "$3.pub" "${options[@]}" --annotation stage=prod "$ref"
    is "$name: we refuse a foreign key" 12 "$WAYBILL" verify --key foreign.pub "${options[@]}" "$ref"
    is "$name: we pull it, verified" 0 "$WAYBILL" pull -q --key "$3.pub" "${options[@]}" -o "pulled.wasm" "$ref"
    is "$name: we sign it as well" 0 "$WAYBILL" sign -q --key foreign.pem --format "$(format_of "$2")" "$ref"
    is "$name: theirs is still good" 0 "$WAYBILL" verify --key "$3.pub" "${options[@]}" "$ref"
    # Their own Ed25519 signatures are prehashed, those of P-384 over SHA-384, and they verify neither.
    [ "$2" = oci11 ] || [ "$3" = ed25519 ] || [ "$3" = p384 ] || is "$name: they find both" 0 cosign_verify "$2" "$3" "$ref"
    [ "$2" = oci11 ] || is "$name: and ours" 0 cosign_verify "$2" foreign "$ref"
}

attestations() { # REGISTRY WAY KEY TYPE FILE
    local name="$1: $2, $3, $4" type=$4
    [ "$type" != uri ] || type=https://example.com/checked/v1
    pushed "attest/$2/$3/$4/ours"
    is "$name: we attest" 0 "$WAYBILL" attest -q --key "$3.pem" --format "$(format_of "$2")" -T "$type" --predicate "$5" "$ref"
    is "$name: they verify it" 0 cosign_verify_attestation "$2" "$3" "$ref" "$type"
    is "$name: they refuse a foreign key" 1 cosign_verify_attestation "$2" foreign "$ref" "$type"
    pushed "attest/$2/$3/$4/theirs"
    is "$name: they attest" 0 cosign_attest "$2" "$3" "$pinned" "$type" "$5"
    is "$name: we verify it" 0 "$WAYBILL" verify --key "$3.pub" --attestation "$type" "$ref"
    is "$name: we refuse a foreign key" 12 "$WAYBILL" verify --key foreign.pub --attestation "$type" "$ref"
    is "$name: it is no signature" 10 "$WAYBILL" verify --key "$3.pub" "$ref"
    is "$name: and no attestation of another type" 10 "$WAYBILL" verify --key "$3.pub" \
        --attestation https://example.com/other "$ref"
}

over() { # REGISTRY
    local way key type
    for key in p256 p384 ed25519 rsa; do
        for way in tag bundle; do ours "$1" $way $key; done
        for way in tag oci11 bundle; do theirs "$1" $way $key; done
    done
    for way in tag bundle; do
        for key in p384 rsa; do attestations "$1" $way $key slsaprovenance1 slsa.json; done
        for type in slsaprovenance1:slsa spdxjson:spdx cyclonedx:cyclonedx vuln:vuln openvex:openvex link:link custom:custom uri:uri; do
            attestations "$1" $way p256 ${type%:*} ${type#*:}.json
        done
    done
    attacks "$1"
}

# Signatures that do not say what they should, made with the right key: by cosign itself where it can, else without either.
attacks() { # REGISTRY
    local name=$1 digest other

    pushed attack/as-signature
    cosign_attest bundle p256 "$pinned" vuln vuln.json >/dev/null 2>&1
    says "$name: an attestation passed off as a signature" cosign_verify bundle p256 "$ref"
    is "$name: an attestation passed off as a signature: we refuse" 10 "$WAYBILL" verify --key p256.pub "$ref"

    pushed attack/annotation
    cosign_sign bundle p256 "$pinned" -a stage=test >/dev/null 2>&1
    says "$name: a bundle without the annotation that was asked for" cosign_verify bundle p256 "$ref" -a stage=prod
    is "$name: a bundle without the annotation: we refuse" 15 "$WAYBILL" verify --key p256.pub --annotation stage=prod "$ref"

    pushed attack/type
    digest=${pinned#*@}
    printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},"type":"%s"},"optional":null}' \
        "${ref%:*}" "$digest" "a note of mine" >payload.json
    openssl dgst -sha256 -sign p256.pem payload.json | base64 -w0 >payload.sig
    cosign attach signature --allow-http-registry --payload payload.json --signature payload.sig "$pinned" >/dev/null 2>&1
    says "$name: a signed text of another critical.type" cosign_verify tag p256 "$ref"
    is "$name: a signed text of another critical.type: we refuse" 16 "$WAYBILL" verify --key p256.pub "$ref"

    # The same artifact is pushed under a name that its signer never gave it, with its signature. Without a policy
    # a signature says what was signed, and not where; a policy can demand both.
    pushed attack/mine
    cosign_sign tag p256 "$pinned" >/dev/null 2>&1
    is "$name: copied, with its signature" 0 "$WAYBILL" copy -q --recursive "$ref" "$HOST/attack/yours:v1"
    ref=$HOST/attack/yours:v1
    says "$name: a signature that names another repository" cosign_verify tag p256 "$ref"
    policy "$HOST/attack" signed_repository
    is "$name: a signature that names another repository: a policy refuses it" 15 "$WAYBILL" verify --policy policy.toml "$ref"
    is "$name: and takes it where it was signed" 0 "$WAYBILL" verify --policy policy.toml "$HOST/attack/mine:v1"

    pushed attack/other args.wasm
    other=${pinned#*@}
    pushed attack/replayed
    digest=${pinned#*@}
    is "$name: a signature of another artifact, put under this one's tag" 0 \
        python3 -B "$signatures" "${ref%:*}" "$digest" ed25519.pem sig --says "$other"
    says "$name: a signature of another artifact under this one's tag" cosign_verify tag ed25519 "$ref"
    is "$name: a signature of another artifact: we refuse" 17 "$WAYBILL" verify --key ed25519.pub "$ref"

    pushed attack/listed
    digest=${pinned#*@}
    is "$name: a bundle, in a list that calls it something else" 0 \
        python3 -B "$signatures" "${ref%:*}" "$digest" ed25519.pem bundle --list --listed-type application/vnd.oci.empty.v1+json
    says "$name: a list of referrers that states another artifact type" cosign_verify bundle ed25519 "$ref"
    is "$name: a list that states another artifact type hides nothing" 0 "$WAYBILL" verify --key ed25519.pub "$ref"
}

policy() { # SCOPE SETTING: one key, and what else is demanded
    cat >policy.toml <<END
version = 1
[keys.p256]
file = "p256.pub"
[scopes."$1"]
keys = ["p256"]
$2 = true
END
}

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
