#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# run --explain: what a guest would be granted, what not, and why.
load lib

# row NAME: what the text says of a capability, one blank between the columns.
row() { awk -v name="$1" '$1 == name { $1 = $1; print }' <<<"$output"; }
# member NAME KEY: of a capability in the JSON.
member() { jq -c --arg name "$1" ".capabilities[] | select(.name == \$name) | .$2" <<<"$output"; }

@test "it runs nothing and says what would be granted" {
    guest files hello
    mkdir data
    expect 0 waybill run --explain --dir data::/srv:rw --env SECRET=hidden files.wasm write /srv/new x
    [ -z "$(ls data)" ]
    [ "$(row wasi:filesystem)" = 'wasi:filesystem yes - - yes granted' ]
    [[ $(row wasi:cli/environment) == 'wasi:cli/environment no - - yes unused: '* ]]
    out_has 'folder /srv is data, writable'
    out_has 'variable SECRET'
    out_lacks hidden
    out_has $'\nwould start'
    expect 0 waybill run --explain --stdout out hello.wasm
    absent out
    out_has 'sandbox no_new_privs: in force'
    expect 0 waybill run --explain --sandbox off hello.wasm
    out_has 'sandbox off'
    out_lacks 'hello from the guest'
    out_lacks wasi:filesystem
}

@test "asked for and not given: denied, and why; the guest would start all the same" {
    guest files args component-clocks
    expect 0 waybill run --explain files.wasm
    [ "$(row wasi:filesystem)" = 'wasi:filesystem yes - - no denied: no --dir' ]
    expect 0 waybill run --explain args.wasm
    [ "$(row wasi:cli/environment)" = 'wasi:cli/environment yes - - no denied: no --env or --env-file' ]
    expect 0 waybill run --explain component-clocks.wasm
    [ "$(row wasi:sockets)" = 'wasi:sockets yes - - never denied: run gives no network' ]
}

@test "what would not start: 126, and why" {
    guest import-unknown component-import-unknown no-start component-p3 component-library
    for name in import-unknown component-import-unknown no-start component-p3 component-library; do
        expect 126 waybill run --explain $name.wasm
        out_has 'would not start: '
        err_has "waybill: run $name.wasm: "
    done
    expect 126 waybill run --explain component-import-unknown.wasm
    err_has 'it asks for example:rockets/launcher@1.0.0, which is not offered'
    expect 126 waybill run --explain import-unknown.wasm
    [ "$(row env)" = 'env yes - - never denied: nothing of that name is offered' ]
    echo text >text.wasm
    expect 126 waybill run --explain text.wasm
    expect 127 waybill run --explain nothing.wasm
}

@test "what run would refuse for a reason of its own has that status" {
    guest hello
    expect 125 waybill run --explain --dir nowhere hello.wasm
    out_has 'would not start: '
    expect 125 waybill run --explain --dir /proc hello.wasm
    signed_guests
    expect 126 waybill run --explain --key bob.pub signed.wasm
    waybill push -q signed.wasm oci:shelf:1
    expect 126 waybill run --explain oci:shelf:1
    expect 0 waybill run --explain --key alice.pub oci:shelf:1
    out_has ', verified'
    expect 125 waybill run --json hello.wasm
    err_has '--json needs --explain, --invoke or --stats'
}

@test "a policy's limit and claims are two more columns" {
    guest files
    waybill keygen -o a >/dev/null
    waybill keygen -o c --type ed25519 >/dev/null
    waybill sign --key a.key -o signed.wasm files.wasm >/dev/null
    mkdir data
    printf '%s\n' 'version = 1' '[scopes."file:"]' 'keys = ["a"]' 'capabilities = ["wasi:cli"]' \
        '[keys.a]' 'file = "a.pub"' >policy.toml
    expect 126 waybill run --explain --policy policy.toml --dir data --env A=1 signed.wasm
    [ "$(row wasi:filesystem)" = 'wasi:filesystem yes - no yes denied: not allowed by scopes."file:"' ]
    [[ $(row wasi:cli/environment) == 'wasi:cli/environment no - yes yes unused: '* ]]
    err_has '--dir: wasi:filesystem is not allowed (scopes."file:".capabilities)'
    expect 0 waybill run --explain --policy policy.toml --env A=1 signed.wasm
    waybill sign --format claims --cap wasmcloud:keyvalue --cap wascc:http_server --key c.key -o claims.wasm files.wasm >/dev/null
    expect 0 waybill run --explain --key c.pub --dir data claims.wasm
    [ "$(row wasi:keyvalue)" = 'wasi:keyvalue no yes - never not asked: run has none to give' ]
    [[ $(row wasi:http/incoming-handler) == *' no yes - never '* ]]
    [ -z "$(row wasi:messaging)" ]
    [ "$(row wasi:filesystem)" = 'wasi:filesystem yes - - yes granted' ]
    expect 0 waybill run --explain --json --key c.pub claims.wasm
    [ "$(member wasi:messaging claimed)$(member wasi:keyvalue claimed)$(member wasi:filesystem claimed)" = falsetruenull ]
}

@test "--json: the same with a schema" {
    guest files import-unknown
    mkdir data
    SOURCE_DATE_EPOCH=1 expect 0 waybill run --explain --json --deterministic --clock 1ms --dir data::/srv --env A=1 files.wasm
    jq -e '.schema == "waybill.run.explain/1" and .starts and .reason == null and .kind == "module" and
        .verified == false and .clockResolutionNs == 1000000 and .deterministic and .variables == ["A"] and
        .folders == [{host: "data", guest: "/srv", writable: false}]' <<<"$output"
    [ "$(member wasi:filesystem granted)" = true ]
    jq -e '.sandbox | keys == ["capabilities", "descriptors", "landlock", "no_new_privs", "seccomp"] and .no_new_privs' <<<"$output"
    member wasi:filesystem asked | grep -q '"wasi_snapshot_preview1.path_open"'
    [ "$(member wasi:cli/environment result)" = '"unused"' ]
    [ "$(jq -r .digest <<<"$output")" = "sha256:$(sha256sum <files.wasm | cut -d' ' -f1)" ]
    expect 126 waybill run --explain --json import-unknown.wasm
    jq -e '(.starts | not) and (.reason | contains("launch_missiles"))' <<<"$output"
}

@test "a module that cannot be put together: one line in the log for each import that is denied" {
    guest import-unknown component-import-unknown
    expect 126 waybill run import-unknown.wasm
    err_has 'waybill: warning: denied capability=env use=import what=env.launch_missiles error=not-offered'
    expect 126 waybill run component-import-unknown.wasm
    err_has 'denied capability=example:rockets/launcher use=import what=example:rockets/launcher@1.0.0 error=not-offered'
}

@test "names of a hostile module are shown escaped" {
    printf '(module (import "\\1b[31mx" "a b" (func)) (func (export "_start")))' >hostile.wat
    expect 126 waybill run --explain hostile.wat
    out_has '\x1b[31mx'
    [[ $output != *$'\e'* && $stderr != *$'\e'* ]]
    expect 126 waybill run hostile.wat
    [[ $stderr != *$'\e'* ]]
}
