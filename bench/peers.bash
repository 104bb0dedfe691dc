# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # CMD is for those who source this
# How each registry client is told to do the same thing. Every function sets CMD, one command; HOST is the registry (plain
# HTTP). FILE is a module in the working folder, REF is REPO:TAG or REPO@DIGEST, OUT what the client may write to.

peers_present() { # prints those of its arguments that are there
    local peer
    for peer; do
        if command -v "$peer" >/dev/null; then echo "$peer"; else echo "# no $peer: make interop tries to install it" >&2; fi
    done
}

peer_push() { # PEER FILE REF; for crane and skopeo the module is in the image layout FILE.layout, tag v1
    case $1 in
    waybill) CMD=("$waybill" push -q "$2" "$HOST/$3") ;;
    oras) CMD=(oras push --plain-http --artifact-type application/vnd.wasm.config.v0+json "$HOST/$3" "$2:application/wasm") ;;
    regctl) CMD=(regctl --host "reg=$HOST,tls=disabled" artifact put --artifact-type application/vnd.wasm.config.v0+json
        -m application/wasm -f "$2" "$HOST/$3") ;;
    crane) CMD=(crane push "$2.layout" "$HOST/$3") ;;
    skopeo) CMD=(skopeo copy -q --dest-tls-verify=false "oci:$2.layout:v1" "docker://$HOST/$3") ;;
    wasm-to-oci) CMD=(wasm-to-oci push --use-http "$2" "$HOST/$3") ;;
    esac
}

peer_pull() { # PEER REF OUT
    case $1 in
    waybill) CMD=("$waybill" pull -q -o "$3" "$HOST/$2") ;;
    oras) CMD=(oras pull --plain-http -o "$3" "$HOST/$2") ;;
    regctl) CMD=(regctl --host "reg=$HOST,tls=disabled" artifact get -o "$3" "$HOST/$2") ;;
    crane) CMD=(crane pull --format=oci "$HOST/$2" "$3") ;;
    skopeo) CMD=(skopeo copy -q --src-tls-verify=false "docker://$HOST/$2" "dir:$3") ;;
    wasm-to-oci) CMD=(wasm-to-oci pull --use-http -o "$3" "$HOST/$2") ;;
    esac
}

# Every tag of a repository to another one of the same registry: the new one is called TO/app.
peer_copy() { # PEER FROM/app TO
    case $1 in
    waybill) CMD=("$waybill" copy -q --all-tags "$HOST/$2" "$HOST/$3/app") ;;
    skopeo) CMD=(skopeo sync --src docker --dest docker --src-tls-verify=false --dest-tls-verify=false "$HOST/$2" "$HOST/$3") ;;
    crane) CMD=(crane copy --all-tags "$HOST/$2" "$HOST/$3/app") ;;
    esac
}

# What a client needs beside its arguments: the folder it may write to.
peer_out() { # PEER OUT
    rm -rf "$2"
    [ "$1" != regctl ] || mkdir -p "$2"
}

# The user and password that every client looks for in docker's configuration.
peers_login() { # USER:PASSWORD
    mkdir -p "$HOME/.docker"
    printf '{"auths": {"%s": {"auth": "%s"}}}\n' "$HOST" "$(printf %s "$1" | base64 -w0)" >"$HOME/.docker/config.json"
}
