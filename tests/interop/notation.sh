#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Notary Project signatures against notation: each verifies what the other signs, for every type of key that both know, over
# Debian's registry (list under a tag) and go-containerregistry's (referrers API). TAP. Uses $WAYBILL, $GUESTS, $PEERS and
# $INSTALL_PEERS; see run.sh.
# shellcheck disable=SC2317 # most functions are called by name
set -u
suite=notation
# shellcheck source=tests/interop/say.bash
. "$(dirname "$0")/say.bash"
# shellcheck source=tests/interop/servers.bash
. "$(dirname "$0")/servers.bash"
[ "${INSTALL_PEERS:-0}" != 1 ] || go_peer notation github.com/notaryproject/notation/cmd/notation@v1.3.2
for tool in openssl jq curl; do
    command -v $tool >/dev/null || skip_all "no $tool"
done
command -v notation >/dev/null || skip_all "not in $PEERS/bin: make interop installs it"
for guest in hello args; do
    [ -f "$GUESTS/$guest.wasm" ] || skip_all "no $guest.wasm in $GUESTS"
done
own_home
cp "$GUESTS/hello.wasm" .
config=$HOME/.config/notation
store=$config/truststore
mkdir -p "$config" "$store/x509/ca"
known_keys=()

# certified NAME OPENSSL-OPTION...: a key with a certificate of an authority of its own; NAME.key, NAME.pem (leaf, then root).
certified() {
    local name=$1
    shift
    openssl req -x509 -newkey rsa:3072 -nodes -keyout "$name-ca.key" -out "$name-ca.crt" -days 3650 -sha256 \
        -subj "/C=US/ST=WA/O=$name authority/CN=$name root" -addext basicConstraints=critical,CA:TRUE \
        -addext keyUsage=critical,keyCertSign 2>/dev/null &&
        openssl req -newkey "$@" -nodes -keyout "$name.key" -out "$name.csr" -subj "/C=US/ST=WA/O=$name/CN=$name" 2>/dev/null &&
        openssl x509 -req -sha256 -in "$name.csr" -CA "$name-ca.crt" -CAkey "$name-ca.key" -days 3650 -out "$name.crt" \
            -extfile <(printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n') \
            2>/dev/null && cat "$name.crt" "$name-ca.crt" >"$name.pem" && mkdir -p "$store/x509/ca/$name" &&
        cp "$name-ca.crt" "$store/x509/ca/$name/" && chmod 600 "$name.key"
    known_keys+=("$(jq -n --arg n "$name" --arg d "$dir" '{name: $n, keyPath: "\($d)/\($n).key", certPath: "\($d)/\($n).pem"}')")
}
# notation wants RSA-PSS and ECDSA by the size of the key; it has no other types.
is "keys: P-256" 0 certified p256 ec -pkeyopt ec_paramgen_curve:P-256
is "keys: P-384" 0 certified p384 ec -pkeyopt ec_paramgen_curve:P-384
is "keys: RSA 2048" 0 certified rsa2048 rsa:2048
is "keys: RSA 3072" 0 certified rsa3072 rsa:3072
is "keys: RSA 4096" 0 certified rsa4096 rsa:4096
is "keys: somebody else's" 0 certified foreign ec -pkeyopt ec_paramgen_curve:P-256
printf '%s\n' "${known_keys[@]}" | jq -s '{keys: .}' >"$config/signingkeys.json"
# Its own kind of key, whose certificate is signed by itself.
is "keys: notation's own, for tests" 0 notation cert generate-test wasm.example
cp "$config/localkeys/wasm.example.key" own.key && cp "$config/localkeys/wasm.example.crt" own.pem
chmod 600 own.key

trusting() { # STORE [IDENTITY]: notation's policy for everything
    jq -n --arg s "ca:$1" --arg i "${2:-*}" '{version: "1.0", trustPolicies: [{name: "all", registryScopes: ["*"],
        signatureVerification: {level: "strict"}, trustStores: [$s], trustedIdentities: [$i]}]}' >policy.json &&
        notation policy import --force policy.json >/dev/null 2>&1
}
pushed() { # REPO: sets ref and pinned
    ref=$HOST/$1:v1
    pinned=$("$WAYBILL" push -q hello.wasm "$ref") || { echo "not ok - $suite: push $ref" && bad=1; }
}
later() { date -u -d "+$1" +%Y-%m-%dT%H:%M:%SZ; }

both() { # REGISTRY KEY STORE NAME-OF-KEY
    local name="$1: $2" key=$2 trusted=$3 theirs=$4 anchor="$store/x509/ca/$3"
    pushed "ours/$key"
    is "$name: we sign" 0 "$WAYBILL" sign -q --format notation --key "$key.key" --certificate "$key.pem" -a stage=prod "$ref"
    trusting "$trusted"
    is "$name: they verify it" 0 notation verify --insecure-registry "$pinned"
    is "$name: they find our annotation" 0 notation verify --insecure-registry -m stage=prod "$pinned"
    is "$name: they miss another annotation" 1 notation verify --insecure-registry -m stage=test "$pinned"
    trusting foreign
    is "$name: they refuse another authority" 1 notation verify --insecure-registry "$pinned"
    is "$name: we verify it" 0 "$WAYBILL" verify --trust-store "$anchor" "$ref"

    pushed "theirs/$key"
    is "$name: they sign" 0 notation sign --insecure-registry -k "$theirs" -m stage=prod -e 2h "$pinned"
    is "$name: we verify it" 0 "$WAYBILL" verify --trust-store "$anchor" "$ref"
    is "$name: with its annotation" 0 "$WAYBILL" verify --trust-store "$anchor" --annotation stage=prod "$ref"
    is "$name: we miss another annotation" 15 "$WAYBILL" verify --trust-store "$anchor" --annotation stage=test "$ref"
    is "$name: we refuse another authority" 13 "$WAYBILL" verify --trust-store "$store/x509/ca/foreign" "$ref"
    is "$name: it expires" 14 "$WAYBILL" verify --trust-store "$anchor" --now "$(later 3hours)" "$ref"
    is "$name: we pull it, verified" 0 "$WAYBILL" pull -q --trust-store "$anchor" -o pulled.wasm "$ref"
}

# Who it is, and not only by whose authority; and a signature that expired.
identities() { # REGISTRY
    local anchor=$store/x509/ca/p256 signature
    pushed identity
    is "$1: we sign for an hour" 0 "$WAYBILL" sign -q --format notation --key p256.key --certificate p256.pem --expires 1h "$ref"
    trusting p256 "x509.subject: C=US, ST=WA, O=p256"
    is "$1: they ask for a name" 0 notation verify --insecure-registry "$pinned"
    trusting p256 "x509.subject: C=US, ST=WA, O=someone"
    is "$1: they ask for another name" 1 notation verify --insecure-registry "$pinned"
    is "$1: we ask for a name" 0 "$WAYBILL" verify --trust-store "$anchor" --identity "C=US, ST=WA, O=p256" "$ref"
    is "$1: we ask for another name" 12 "$WAYBILL" verify --trust-store "$anchor" --identity "C=US, ST=WA, O=someone" "$ref"
    is "$1: ours expires" 14 "$WAYBILL" verify --trust-store "$anchor" --now "$(later 2hours)" "$ref"
    is "$1: its certificate expires" 14 "$WAYBILL" verify --trust-store "$anchor" --now 2040-01-01T00:00:00Z "$ref"

    # What notation signed for one artifact, hung on another.
    pushed replayed/from
    is "$1: they sign an artifact" 0 notation sign --insecure-registry -k p256 "$pinned"
    signature=$("$WAYBILL" tree --json "$ref" | jq -r '.. | objects | select(.artifactType? == "application/vnd.cncf.notary.signature") | .digest')
    curl -sf -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$HOST/v2/replayed/from/manifests/$signature" >m
    curl -sfL "http://$HOST/v2/replayed/from/blobs/$(jq -r '.layers[0].digest' m)" >envelope.json
    ref=$HOST/replayed/to:v1
    pinned=$("$WAYBILL" push -q "$GUESTS/args.wasm" "$ref")
    is "$1: the signature is hung on another artifact" 0 "$WAYBILL" attach -q -T application/vnd.cncf.notary.signature \
        --media-type application/jose+json \
        -a "io.cncf.notary.x509chain.thumbprint#S256=$(jq -r '.annotations."io.cncf.notary.x509chain.thumbprint#S256"' m)" \
        envelope.json "$ref"
    trusting p256
    says "$1: a signature of another artifact" notation verify --insecure-registry "$pinned"
    is "$1: a signature of another artifact: we refuse" 17 "$WAYBILL" verify --trust-store "$anchor" "$ref"
}

over() { # REGISTRY
    local key
    for key in p256 p384 rsa2048 rsa3072 rsa4096; do both "$1" $key $key $key; done
    both "$1" own wasm.example wasm.example
    identities "$1"
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
