#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# compile, and the compiled code that is kept: what is made, found again, limited, and what can go wrong with it.
load lib

modules() { echo "$HOME/.cache/waybill/modules"; }
entries() { find "$(modules)" -regextype posix-extended -regex '.*/[0-9a-f]{64}' 2>/dev/null; }
n_entries() { entries | wc -l; }
# kept FILE...: compile finds each there, and so run does
kept() { [ "$(waybill compile "$@" | grep -c '^kept already: ')" -eq $# ]; }

@test "compiles files, and run finds the code" {
    guest hello component-ok
    expect 0 waybill compile hello.wasm component-ok.wasm
    [[ ${lines[0]} == 'compiled: hello.wasm sha256:'$(sha256sum hello.wasm | cut -d' ' -f1)' '* ]]
    [[ ${lines[1]} == 'compiled: component-ok.wasm sha256:'* ]]
    [ "$(n_entries)" -eq 2 ]
    local before
    before=$(entries | xargs stat -c '%i %Y')
    expect 0 waybill run hello.wasm
    out_is 'hello from the guest'
    expect 0 waybill compile hello.wasm component-ok.wasm
    [[ ${lines[0]} == 'kept already: hello.wasm '* ]] && [[ ${lines[1]} == 'kept already: '* ]]
    [ "$(entries | xargs stat -c '%i %Y')" = "$before" ]
}

@test "--json" {
    guest hello
    expect 0 waybill compile --json hello.wasm
    [ "$(jq -c '[.schema, .target, .kind, .keptBefore, .verified]' <<<"$output")" = \
        '["waybill.compile/1","hello.wasm","module",false,false]' ]
    [ "$(jq -r .digest <<<"$output")" = "sha256:$(sha256sum hello.wasm | cut -d' ' -f1)" ]
    [ "$(jq '.codeSize > 0' <<<"$output")" = true ]
    [[ $(jq -r .engine <<<"$output") == 'wasmtime '* ]]
}

@test "with a key nothing unverified is compiled, and the worst status counts" {
    signed_guests
    expect 0 waybill compile --key alice.pub signed.wasm
    rm -rf "$(modules)"
    expect 10 waybill compile --key alice.pub hello.wasm
    expect 12 waybill compile --key bob.pub signed.wasm
    expect 17 waybill compile --key alice.pub changed.wasm
    [ "$(n_entries)" -eq 0 ]
    expect 10 waybill compile --key alice.pub hello.wasm signed.wasm nowhere.wasm
    err_has 'compile hello.wasm:'
    err_has 'compile nowhere.wasm:'
    out_has 'compiled: signed.wasm'
    [ "$(n_entries)" -eq 1 ]
}

@test "a policy that is found counts for files" {
    signed_guests
    mkdir -p "$HOME/.config/waybill"
    cp alice.pub "$HOME/.config/waybill"
    printf 'version = 1\n[[scope]]\nmatch = "*"\nrequire = "signed"\n' >"$HOME/.config/waybill/policy.toml"
    run "$WAYBILL" compile hello.wasm
    [ "$status" -ne 0 ] || fail "compiled against the policy"
    [ "$(n_entries)" -eq 0 ]
}

@test "a reference needs a word about trust" {
    guest hello
    waybill push -q hello.wasm oci:layout:v1
    run "$WAYBILL" compile oci:layout:v1
    [ "$status" -ne 0 ] || fail "compiled"
    [ "$(n_entries)" -eq 0 ]
    expect 0 waybill compile --allow-unsigned oci:layout:v1
    kept hello.wasm
}

@test "what is no module is said, and nothing is kept" {
    echo nonsense >bad.wasm
    : >empty.wasm
    printf '\0asm\1\0\0\0\1\xff' >broken.wasm
    for name in bad empty broken; do
        expect 126 waybill compile $name.wasm
        err_has "waybill: compile $name.wasm: "
    done
    [ "$(n_entries)" -eq 0 ]
    expect 2 waybill compile
}

@test "nowhere to keep it" {
    guest hello
    expect 2 env -u HOME -u XDG_CACHE_HOME "$WAYBILL" compile hello.wasm
    err_has 'nothing is kept'
    expect 0 env -u HOME -u XDG_CACHE_HOME "$WAYBILL" run hello.wasm
}

@test "WAYBILL_CACHE_SIZE: what was not used for longest goes" {
    guest hello args files
    waybill compile hello.wasm args.wasm files.wasm
    local all
    all=$(entries | xargs stat -c %s | awk '{ n += $1 } END { print n }')
    entries | xargs touch -d '-2 days'
    expect 0 waybill run hello.wasm # so it was used today
    guest cat
    WAYBILL_CACHE_SIZE=$all expect 0 waybill compile cat.wasm
    [ "$(entries | xargs stat -c %s | awk '{ n += $1 } END { print n }')" -le "$all" ]
    kept hello.wasm cat.wasm
    # one that is larger than all may be is run, but not kept
    rm -rf "$(modules)"
    WAYBILL_CACHE_SIZE=10 expect 16 waybill compile hello.wasm
    err_has 'more than all compiled code may have'
    WAYBILL_CACHE_SIZE=10 expect 0 waybill run hello.wasm
    out_is 'hello from the guest'
    [ "$(n_entries)" -eq 0 ]
    WAYBILL_CACHE_SIZE=lots expect 125 waybill run hello.wasm
    err_has 'WAYBILL_CACHE_SIZE'
}

@test "cache list says what the code is of, prune removes another engine's" {
    guest hello
    waybill compile hello.wasm
    expect 0 waybill cache list
    out_has "sha256:$(sha256sum hello.wasm | cut -d' ' -f1) module, wasmtime "
    expect 0 waybill cache list --json
    [ "$(jq -c '.files[0] | [.kind, .moduleKind, .stale]' <<<"$output")" = '["module","module",false]' ]
    [ "$(jq -r '.files[0].digest' <<<"$output")" = "sha256:$(sha256sum hello.wasm | cut -d' ' -f1)" ]
    local other
    other=$(modules)/$(printf 'other' | sha256sum | cut -d' ' -f1)
    sed 's/wasmtime 4/wasmtime 3/' "$(entries)" >"$other"
    chmod 600 "$other"
    expect 0 waybill cache list --json
    [ "$(jq -c '[.files[].stale] | sort' <<<"$output")" = '[false,true]' ]
    expect 0 waybill cache prune --older-than 30d
    out_has 'Removed: 1 files'
    absent "$other"
    kept hello.wasm
}

@test "an entry cannot put terminal sequences into a list" {
    guest hello
    waybill compile hello.wasm
    local entry
    entry=$(entries)
    sed -i 's/wasmtime /\x1b[31mtime /' "$entry"
    expect 0 waybill cache list
    out_lacks $'\x1b'
    waybill cache list --json | jq -e '.files[0].stale' >/dev/null
}

@test "entries that are cut, changed or another's are compiled again" {
    guest hello args
    waybill compile hello.wasm args.wasm
    local entry
    for entry in $(entries); do
        truncate -s -1 "$entry"
    done
    expect 0 waybill run hello.wasm
    out_is 'hello from the guest'
    err_has 'is not used'
    expect 0 waybill run hello.wasm
    err_is ''
    expect 0 waybill run args.wasm
    out_lacks 'hello'
    # each in the place of the other
    local two
    two=($(entries))
    mv "${two[0]}" x && mv "${two[1]}" "${two[0]}" && mv x "${two[1]}"
    expect 0 waybill run hello.wasm
    out_is 'hello from the guest'
    err_has 'is not used'
}

@test "runs, compilers and evictions at the same moment" {
    guest hello args files cat
    local i pids=() size
    waybill compile files.wasm >/dev/null
    size=$(($(stat -c %s "$(entries)") * 2)) # of four that are not as large
    for i in 1 2 3 4; do
        (for _ in 1 2 3 4 5 6; do
            [ "$(WAYBILL_CACHE_SIZE=$size "$WAYBILL" run hello.wasm 2>&1)" = 'hello from the guest' ] || exit 1
            WAYBILL_CACHE_SIZE=$size "$WAYBILL" compile args.wasm files.wasm cat.wasm >/dev/null || exit 2
            [ "$i" -gt 1 ] || "$WAYBILL" cache prune --all >/dev/null || exit 3
        done) &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    [ -z "$(find "$(modules)" -name '.waybill-*')" ]
}

@test "killed at any moment: no half entry is ever used, and the next run is well" {
    guest hello
    local i
    for i in 1 2 3 4 5 6 7 8 9 10 12 14 16 18 20 25 30 40; do
        rm -f "$(modules)"/[0-9a-f]*[0-9a-f]
        "$WAYBILL" compile hello.wasm >/dev/null 2>&1 &
        local pid=$!
        sleep "0.0$(printf %02d "$i")"
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
        expect 0 waybill run hello.wasm
        out_is 'hello from the guest'
        err_is ''
    done
    [ "$(find "$(modules)" -type f | wc -l)" -eq 2 ] # the key and one entry
}

# in_mount SIZE SCRIPT: with a file system of that size for $HOME/.cache
in_mount() {
    unshare -Urm true 2>/dev/null || skip "no user namespaces here"
    mkdir -p "$HOME/.cache"
    unshare -Urm sh -euc "mount -t tmpfs -o size=$1,mode=700 none \"\$HOME/.cache\"; $2"
}

@test "a full disk: the guest runs, nothing is kept" {
    guest hello
    expect 0 in_mount 8k '"$WAYBILL" run hello.wasm; ! "$WAYBILL" compile hello.wasm
        [ "$(find "$HOME/.cache/waybill/modules" -type f | wc -l)" -le 1 ]'
    out_is 'hello from the guest'
    err_has 'not kept'
}

@test "a folder that cannot be written: what is there is used, the guest runs" {
    guest hello args
    expect 0 in_mount 1m '"$WAYBILL" compile hello.wasm; mount -o remount,ro none "$HOME/.cache"
        "$WAYBILL" compile hello.wasm; "$WAYBILL" run hello.wasm; "$WAYBILL" run args.wasm; ! "$WAYBILL" compile args.wasm'
    out_has 'kept already: hello.wasm'
    out_has 'hello from the guest'
    out_has 'arg 0: args.wasm'
    err_has 'compiled code is not kept'
}
