#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What names mean: mirrors and short names of registries.conf, packages as wkg names them. Against Debian's registry and a
# web server that has registry.json.

load lib

setup_file() {
    # shellcheck source=tests/cli/lib.bash
    source "$BATS_TEST_DIRNAME/lib.bash"
    start_registry
    start_web
}

teardown_file() {
    # shellcheck source=tests/cli/lib.bash
    source "$BATS_TEST_DIRNAME/lib.bash"
    kill "$WEB_PID"
    stop_registry
}

# start_web: a web server on a free port of the loopback interface; sets WEB (host:port), WEB_ROOT, WEB_LOG and WEB_PID.
start_web() {
    export WEB_ROOT=$BATS_FILE_TMPDIR/web WEB_LOG=$BATS_FILE_TMPDIR/web.log
    mkdir -p "$WEB_ROOT/.well-known/wasm-pkg"
    python3 -u -c '
import functools, http.server, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
print(server.server_port, flush=True)
server.serve_forever()' "$WEB_ROOT" >"$BATS_FILE_TMPDIR/web.port" 2>"$WEB_LOG" 3>&- &
    export WEB_PID=$!
    for _ in $(seq 100); do
        [ -s "$BATS_FILE_TMPDIR/web.port" ] && break
        sleep 0.05
    done
    WEB=127.0.0.1:$(cat "$BATS_FILE_TMPDIR/web.port")
    export WEB
}

# conf TEXT...: the user's registries.conf, one line each.
conf() {
    mkdir -p "$HOME/.config/containers"
    printf '%s\n' "$@" >"$HOME/.config/containers/registries.conf"
}

# packages TEXT...: wkg's config.toml.
packages() {
    mkdir -p "$HOME/.config/wasm-pkg"
    printf '%s\n' "$@" >"$HOME/.config/wasm-pkg/config.toml"
}

# pushed REPO:TAG...: each is hello.wasm in the registry.
pushed() {
    local name
    guest hello
    for name; do waybill push -q hello.wasm "$REGISTRY/$name" >/dev/null; done
}

@test "a mirror answers for a host that is not there" {
    pushed mirrored/team/app:1
    conf '[[registry]]' 'prefix = "nowhere.invalid"' '[[registry.mirror]]' "location = \"$REGISTRY/mirrored\""
    expect 0 waybill pull -q -o got.wasm nowhere.invalid/team/app:1
    [[ $output == nowhere.invalid/team/app@sha256:* ]] || fail "$output"
    cmp hello.wasm got.wasm
    expect 0 waybill tags nowhere.invalid/team/app
    out_is 1
    expect 0 waybill inspect nowhere.invalid/team/app:1
    expect 0 waybill run --allow-unsigned nowhere.invalid/team/app:1
}

@test "what the mirrors cannot give is asked of the registry itself" {
    pushed own/app:1
    conf '[[registry]]' "prefix = \"$REGISTRY/own\"" \
        '[[registry.mirror]]' 'location = "127.0.0.1:1/dead"' \
        '[[registry.mirror]]' "location = \"$REGISTRY/empty\""
    expect 0 waybill pull -v -q -o got.wasm "$REGISTRY/own/app:1"
    cmp hello.wasm got.wasm
    err_has "127.0.0.1:1"
}

@test "the failure that is shown is the registry's own, not a mirror's" {
    conf '[[registry]]' "prefix = \"$REGISTRY/own\"" '[[registry.mirror]]' 'location = "127.0.0.1:1/dead"'
    expect 4 waybill pull -o got.wasm "$REGISTRY/own/none:1"
    absent got.wasm
}

@test "mirrors by digest only are not asked for tags" {
    pushed digests/app:1
    digest=$(waybill pull -q -o x.wasm "$REGISTRY/digests/app:1" | sed 's/.*@//')
    rm -rf "$HOME/.cache"
    conf '[[registry]]' 'prefix = "nowhere.invalid"' 'mirror-by-digest-only = true' \
        '[[registry.mirror]]' "location = \"$REGISTRY\""
    expect 3 waybill pull -o got.wasm nowhere.invalid/digests/app:1
    absent got.wasm
    expect 0 waybill pull -q -o got.wasm "nowhere.invalid/digests/app@$digest"
}

@test "another location takes the place of a name" {
    pushed inner/all/app:1
    conf '[[registry]]' 'prefix = "outer.invalid"' "location = \"$REGISTRY/inner/all\""
    expect 0 waybill pull -q -o got.wasm outer.invalid/app:1
}

@test "a push goes where it says, past mirrors and locations" {
    guest hello
    conf '[[registry]]' 'prefix = "nowhere.invalid"' "location = \"$REGISTRY/pushed\""
    expect 3 waybill push -q hello.wasm nowhere.invalid/app:1
    expect 4 waybill tags "$REGISTRY/pushed/app"
}

@test "a blocked registry is denied" {
    conf '[[registry]]' 'prefix = "blocked.invalid"' 'blocked = true'
    expect 15 waybill pull -o got.wasm blocked.invalid/app:1
    err_is "waybill: pull blocked.invalid/app:1: registries.conf blocks blocked.invalid"
    absent got.wasm
}

@test "a short name is an alias, or of the one registry that is searched" {
    pushed short/tool:1 library/tool:1 elsewhere/tool:1
    conf "unqualified-search-registries = [\"$REGISTRY\"]" '[aliases]' "\"tool\" = \"$REGISTRY/short/tool\""
    expect 0 waybill pull -q -o got.wasm tool:1
    [[ $output == "$REGISTRY/short/tool@"* ]] || fail "$output"
    expect 0 waybill pull -q -o got.wasm elsewhere/tool:1
    [[ $output == "$REGISTRY/elsewhere/tool@"* ]] || fail "$output"
}

@test "several registries to search are no answer" {
    conf 'unqualified-search-registries = ["a.invalid", "b.invalid"]'
    expect 2 waybill pull -o got.wasm nosuchtool:1
    err_has "a.invalid"
    err_has "b.invalid"
}

@test "drop-in files are read after the main one" {
    pushed short/tool:1
    conf 'unqualified-search-registries = ["a.invalid", "b.invalid"]'
    mkdir -p "$HOME/.config/containers/registries.conf.d"
    echo "unqualified-search-registries = [\"$REGISTRY\"]" >"$HOME/.config/containers/registries.conf.d/50-own.conf"
    expect 0 waybill pull -q -o got.wasm short/tool:1
}

@test "CONTAINERS_REGISTRIES_CONF names the file" {
    pushed mirrored/app:1
    printf '[[registry]]\nprefix = "nowhere.invalid"\nlocation = "%s/mirrored"\n' "$REGISTRY" >own.conf
    CONTAINERS_REGISTRIES_CONF=$PWD/own.conf expect 0 waybill pull -q -o got.wasm nowhere.invalid/app:1
    CONTAINERS_REGISTRIES_CONF=$PWD/none.conf expect 2 waybill pull -q -o got2.wasm nowhere.invalid/app:1
    err_has none.conf
}

@test "a malformed registries.conf is said with its line, and stops nothing that needs no registry" {
    guest hello
    conf 'unqualified-search-registries = ['
    expect 2 waybill pull -o got.wasm nowhere.invalid/app:1
    err_has registries.conf
    expect 0 waybill push -q hello.wasm oci:shelf:1
    expect 0 waybill pull -q -o got.wasm oci:shelf:1
}

@test "a package is found by its registry's registry.json" {
    pushed prefixed/wasi/http:0.2.0
    packages "default_registry = \"$WEB\""
    printf '{"preferredProtocol":"oci","oci":{"registry":"%s","namespacePrefix":"prefixed/"}}' "$REGISTRY" \
        >"$WEB_ROOT/.well-known/wasm-pkg/registry.json"
    expect 0 waybill pull -q -o got.wasm wasi:http@0.2.0
    [[ $output == "$REGISTRY/prefixed/wasi/http@sha256:"* ]] || fail "$output"
    cmp hello.wasm got.wasm
    before=$(grep -c registry.json "$WEB_LOG")
    expect 0 waybill pull -q -o got.wasm wasi:http@0.2.0
    [ "$(grep -c registry.json "$WEB_LOG")" -eq "$before" ] || fail "asked again"
}

@test "what registry.json said under other options of the network counts for these alone" {
    pushed prefixed/wasi/io:0.2.0
    packages "default_registry = \"$WEB\""
    printf '{"preferredProtocol":"oci","oci":{"registry":"%s","namespacePrefix":"prefixed/"}}' "$REGISTRY" \
        >"$WEB_ROOT/.well-known/wasm-pkg/registry.json"
    before=$(grep -c registry.json "$WEB_LOG" || true)
    expect 0 waybill pull -q -o got.wasm --resolve localhost:1:127.0.0.1 wasi:io@0.2.0
    expect 0 waybill pull -q -o got.wasm wasi:io@0.2.0
    [ "$(grep -c registry.json "$WEB_LOG")" -eq $((before + 2)) ] || fail "not asked again"
}

@test "credentials given for this run do not go to a registry that a registry.json names" {
    packages "default_registry = \"$WEB\""
    printf '{"preferredProtocol":"oci","oci":{"registry":"%s"}}' "$REGISTRY" \
        >"$WEB_ROOT/.well-known/wasm-pkg/registry.json"
    WAYBILL_USERNAME=ada WAYBILL_PASSWORD=secret expect 5 waybill pull -o got.wasm wasi:io@0.2.0
    err_has "it leads to $REGISTRY, which does not get the credentials given for this run"
}

@test "of several versions that are wanted the newest is taken" {
    pushed many/acme/lib:1.2.9 many/acme/lib:1.2.10 many/acme/lib:1.3.0 many/acme/lib:2.0.0-rc.1 many/acme/lib:latest
    packages '[namespace_registries]' \
        "acme = { registry = \"key.invalid\", metadata = { preferredProtocol = \"oci\", oci = { registry = \"$REGISTRY\", namespacePrefix = \"many/\" } } }"
    expect 0 waybill pull -o got.wasm acme:lib@1.2
    out_has "$REGISTRY/many/acme/lib:1.2.10"
    expect 0 waybill pull -o got.wasm acme:lib@1
    out_has "$REGISTRY/many/acme/lib:1.3.0"
    expect 0 waybill pull -o got.wasm 'acme:lib@*'
    out_has "$REGISTRY/many/acme/lib:1.3.0"
    expect 0 waybill pull -o got.wasm acme:lib@1.2.9
    expect 4 waybill pull -o none.wasm acme:lib@3
    err_has "no version 3"
    absent none.wasm
}

@test "a package is pushed under its exact version" {
    guest hello
    packages '[namespace_registries]' \
        "acme = { registry = \"key.invalid\", metadata = { oci = { registry = \"$REGISTRY\", namespacePrefix = \"out/\" } } }"
    expect 0 waybill push -q hello.wasm acme:tool@1.0.0
    [[ $output == "$REGISTRY/out/acme/tool@sha256:"* ]] || fail "$output"
    expect 0 waybill tags "$REGISTRY/out/acme/tool"
    out_is 1.0.0
    expect 2 waybill push -q hello.wasm acme:tool@1
    err_has "exact version"
    expect 2 waybill push -q hello.wasm acme:tool@1.0.0+build
}

@test "a namespace that nothing is configured for is said" {
    expect 2 waybill pull -o got.wasm acme:tool@1.0.0
    err_has "no registry is configured for packages of acme"
}

@test "a registry.json that is none, or of another protocol" {
    packages "default_registry = \"$WEB\""
    echo '<html></html>' >"$WEB_ROOT/.well-known/wasm-pkg/registry.json"
    expect 16 waybill pull -o got.wasm acme:html@1.0.0
    echo '{"preferredProtocol":"warg"}' >"$WEB_ROOT/.well-known/wasm-pkg/registry.json"
    expect 1 waybill pull -o got.wasm acme:html@1.0.0
    err_has "does not speak OCI"
    absent got.wasm
}

@test "credentials given for a registry do not go to its mirror" {
    python3 -u -c '
import http.server, sys
class Mirror(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.headers.get("Authorization"), file=sys.stderr, flush=True)
        self.send_response(401)
        self.send_header("WWW-Authenticate", "Basic realm=mirror")
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Mirror)
print(server.server_port, flush=True)
server.handle_request()
server.handle_request()' >mirror.port 2>mirror.log 3>&- &
    mirror=$!
    for _ in $(seq 100); do
        [ -s mirror.port ] && break
        sleep 0.05
    done
    pushed own/app:1
    conf '[[registry]]' "prefix = \"$REGISTRY/own\"" '[[registry.mirror]]' "location = \"127.0.0.1:$(cat mirror.port)/x\""
    WAYBILL_USERNAME=ada WAYBILL_PASSWORD=secret expect 0 waybill pull -q -o got.wasm "$REGISTRY/own/app:1"
    kill $mirror
    [ "$(sort -u mirror.log)" = None ] || fail "$(cat mirror.log)"
}
