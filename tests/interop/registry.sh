#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Registry clients against each other, over Debian's registry and go-containerregistry's: what they push we pull, what we push
# they pull and copy, and all name it by the same digest. TAP. Uses $WAYBILL, $GUESTS, $PEERS and $INSTALL_PEERS; see run.sh.
# shellcheck disable=SC2317 # what a peer can do is called by its name
set -u
WAYBILL=${WAYBILL:-$PWD/build/release/bin/waybill}
GUESTS=${GUESTS:-$PWD/build/guests}
PEERS=${PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/waybill-peers}
export PEERS
# shellcheck source=tests/interop/servers.bash
. "$(dirname "$0")/servers.bash"
PATH=$PATH:$PEERS/bin
bad=0
wasm=application/wasm

skip() { echo "ok - registry: $1 # SKIP $2"; }

# go_install NAME PACKAGE and cargo_install NAME: into the folder of the peers, once.
go_install() {
    command -v "$1" >/dev/null || ! command -v go >/dev/null ||
        GOBIN=$PEERS/bin CGO_ENABLED=0 nice go install "$2" >&2 || echo "# go could not install $1" >&2
}
cargo_install() {
    command -v "$1" >/dev/null || ! command -v cargo >/dev/null ||
        nice cargo install "$1" --locked --root "$PEERS" >&2 || echo "# cargo could not install $1" >&2
}
if [ "${INSTALL_PEERS:-0}" = 1 ]; then
    mkdir -p "$PEERS/bin"
    go_install crane github.com/google/go-containerregistry/cmd/crane@v0.22.1
    go_install regctl github.com/regclient/regclient/cmd/regctl@v0.11.7
    go_install oras oras.land/oras/cmd/oras@v1.3.3
    go_install wasm-to-oci github.com/engineerd/wasm-to-oci@v0.1.2
    cargo_install wkg
fi

for guest in hello component-ok; do
    [ -f "$GUESTS/$guest.wasm" ] || { skip "all" "no $guest.wasm in $GUESTS" && exit 0; }
done
for tool in jq curl; do
    command -v $tool >/dev/null || { skip "all" "no $tool" && exit 0; }
done
dir=$(mktemp -d) || exit 2
trap 'servers_end; rm -rf "$dir"' EXIT
mkdir "$dir/home" && cd "$dir" || exit 2
# Their programs and configuration files know nothing of the user's.
export HOME=$dir/home DOCKER_CONFIG=$dir/home/.docker XDG_CACHE_HOME=$dir/cache NO_COLOR=1
cp "$GUESTS/component-ok.wasm" "$GUESTS/hello.wasm" .

is() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >out 2>&1 </dev/null; then
        echo "ok - registry: $name"
    else
        echo "not ok - registry: $name: status $?: $*"
        sed 's/^/# /' out | head -n 20
        bad=1
    fi
}
same() { [ "$1" = "$2" ] || { echo "$1 is not $2" && return 1; }; }

# What the registry itself says of REPO:TAG, by the bytes of the manifest.
accept='application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'
digest_at() { echo "sha256:$(curl -sf -H "Accept: $accept" "http://$HOST/v2/${1%:*}/manifests/${1##*:}" | sha256sum | head -c 64)"; }

# Per peer: PEER_push FILE REPO:TAG, PEER_pull REPO:TAG FILE, PEER_digest REPO:TAG, PEER_copy FROM TO; those that it can do.
oras_push() { oras push --plain-http --artifact-type application/vnd.wasm.config.v0+json "$HOST/$2" "$1:$wasm"; }
oras_pull() { oras pull --plain-http -o pulled "$HOST/$1" && cp pulled/*.wasm "$2"; }
oras_digest() { oras resolve --plain-http "$HOST/$1"; }
oras_copy() { oras cp --from-plain-http --to-plain-http "$HOST/$1" "$HOST/$2"; }
regctl_set() { regctl registry set --tls disabled "$HOST"; }
regctl_push() { regctl_set && regctl artifact put --artifact-type application/vnd.wasm.config.v0+json -m "$wasm" -f "$1" --file-title "$HOST/$2"; }
regctl_pull() { regctl_set && regctl artifact get "$HOST/$1" >"$2"; }
regctl_digest() { regctl_set && regctl manifest head "$HOST/$1"; }
regctl_copy() { regctl_set && regctl image copy "$HOST/$1" "$HOST/$2"; }
# crane and skopeo take what is in an image layout; ours has to do.
crane_push() { "$WAYBILL" push -q "$1" "oci:$dir/shelf:${2##*:}" && crane push "$dir/shelf" "$HOST/$2"; }
crane_pull() { crane manifest "$HOST/$1" >m && crane blob "$HOST/${1%:*}@$(jq -r '.layers[0].digest' m)" >"$2"; }
crane_digest() { crane digest "$HOST/$1"; }
crane_copy() { crane copy "$HOST/$1" "$HOST/$2"; }
skopeo_push() { "$WAYBILL" push -q "$1" "oci:$dir/shelf:${2##*:}" && skopeo copy -q --dest-tls-verify=false "oci:$dir/shelf:${2##*:}" "docker://$HOST/$2"; }
skopeo_pull() { skopeo copy -q --src-tls-verify=false "docker://$HOST/$1" "dir:$dir/flat" && cp "flat/$(jq -r '.layers[0].digest' flat/manifest.json | cut -d: -f2)" "$2"; }
skopeo_digest() { echo "sha256:$(skopeo inspect --raw --tls-verify=false "docker://$HOST/$1" | sha256sum | head -c 64)"; }
skopeo_copy() { skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$HOST/$1" "docker://$HOST/$2"; }
wkg_push() { wkg oci push --insecure "$HOST" "$HOST/$2" "$1"; }
wkg_pull() { wkg oci pull --insecure "$HOST" -o "$2" "$HOST/$1"; }
wasm-to-oci_push() { wasm-to-oci push --use-http "$1" "$HOST/$2"; }
wasm-to-oci_pull() { wasm-to-oci pull --use-http -o "$2" "$HOST/$1"; }
# What a peer cannot do, whoever pushed: wkg wants a Location in the answer to a blob's PUT, and this registry sends none.
cannot() { [ "$1" = "wkg over ggcr" ] && echo "the registry's answer to a PUT has no Location, which wkg wants"; }
# wasm-to-oci reads its own kind of artifact only.
formats() { "$WAYBILL" push --help | grep -q -- --format; }
push_options() { [ "$1" != wasm-to-oci ] || echo "--format=wasm-to-oci"; }
can() { declare -F "$1" >/dev/null; }

# Reads a digest out of what a command prints, by the caller's word for it.
agrees() { # WANTED COMMAND...
    local want=$1 said
    shift
    said=$("$@") || return 1
    same "$said" "$want"
}

theirs() { # NAME PEER GUEST
    local ref=theirs/$2:$3
    rm -rf shelf pulled flat ours.wasm
    if cannot "$1" >why; then
        skip "$1: they push $3" "$(cat why)"
        return
    fi
    is "$1: they push $3" "$2_push" "$3.wasm" "$ref"
    is "$1: we pull it" "$WAYBILL" pull -o ours.wasm "$HOST/$ref"
    is "$1: the bytes are the same" cmp "$3.wasm" ours.wasm
    is "$1: we name it by the registry's digest" agrees "$HOST/${ref%:*}@$(digest_at "$ref")" "$WAYBILL" pull -q -o again.wasm "$HOST/$ref"
    is "$1: we inspect it" "$WAYBILL" inspect "$HOST/$ref"
}

ours() { # NAME PEER GUEST
    local ref=ours/$2:$3 digest
    rm -rf pulled flat theirs.wasm
    if [ "$2" = wasm-to-oci ] && ! formats; then
        skip "$1: we push $3" "this waybill writes no artifact of wasm-to-oci's kind"
        return
    fi
    # shellcheck disable=SC2046 # none or one
    is "$1: we push $3" "$WAYBILL" push -q $(push_options "$2") "$3.wasm" "$HOST/$ref"
    digest=$(tail -n 1 out | sed 's/.*@//')
    is "$1: the registry has it by our digest" same "$(digest_at "$ref")" "$digest"
    is "$1: they pull it" "$2_pull" "$ref" theirs.wasm
    is "$1: the bytes are the same" cmp "$3.wasm" theirs.wasm
    ! can "$2_digest" || is "$1: they name it by our digest" agrees "$digest" "$2_digest" "$ref"
    if can "$2_copy"; then
        is "$1: they copy it" "$2_copy" "$ref" "copied/$2:$3"
        is "$1: the copy has our digest" agrees "$HOST/copied/$2@$digest" "$WAYBILL" pull -q -o copied.wasm "$HOST/copied/$2:$3"
    fi
}

over() { # REGISTRY
    local peer guest
    for peer in "${present[@]}"; do
        for guest in hello component-ok; do
            # wkg's artifacts are components.
            [ "$peer.$guest" != wkg.hello ] || continue
            theirs "$peer over $1" "$peer" $guest
            ours "$peer over $1" "$peer" $guest
        done
    done
}

present=()
for peer in oras regctl crane skopeo wkg wasm-to-oci; do
    if command -v $peer >/dev/null; then
        present+=("$peer")
    else
        skip $peer "not on PATH nor in $PEERS/bin: make interop tries to install it"
    fi
done
if server_docker "$dir/docker"; then
    over docker-registry
else
    skip docker-registry "docker-registry is not there or did not start"
fi
if server_ggcr "$dir/ggcr" 2>why; then
    over ggcr
else
    skip ggcr "$(cat why)"
fi
exit $bad
