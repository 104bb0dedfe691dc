#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# cache: what is listed, what goes, what is found damaged.
load lib

# blob TEXT DAYS: a blob in the store that was last used so long ago; prints its name.
blob() {
    local name
    name=$(printf %s "$1" | sha256sum | cut -d' ' -f1)
    mkdir -p -m 700 "$HOME/.cache/waybill/store/blobs/sha256"
    chmod 700 "$HOME/.cache/waybill" "$HOME/.cache/waybill/store" "$HOME/.cache/waybill/store/blobs"
    printf %s "$1" >"$HOME/.cache/waybill/store/blobs/sha256/$name"
    touch -d "-$2 days" "$HOME/.cache/waybill/store/blobs/sha256/$name"
    echo "$name"
}

store() { find "$HOME/.cache/waybill/store/blobs" -type f | wc -l; }

@test "nothing yet" {
    expect 0 waybill cache list
    out_is 'total               0'
    expect 0 waybill cache prune --all
    out_has 'Removed: 0 files, 0 bytes'
    expect 0 waybill cache verify --json
    [ "$(jq -c '[.schema, .checked, .left]' <<<"$output")" = '["waybill.cache/1",0,0]' ]
    absent "$HOME/.cache/waybill"
}

@test "list: kinds, sizes, those first that were not used for longest" {
    local old new
    new=$(blob new 1) old=$(blob older 9)
    guest hello
    waybill run hello.wasm >/dev/null
    expect 0 waybill cache list
    [ "$(awk '{ print $1, $2 }' <<<"${lines[0]}")" = 'blob 5' ]
    [[ ${lines[0]} == *$old ]] && [[ ${lines[1]} == *$new ]] && [[ ${lines[2]} == module* ]]
    out_lacks ' key'
    expect 0 waybill cache list --json
    [ "$(jq -c '[.files[].kind]' <<<"$output")" = '["blob","blob","module"]' ]
    [ "$(jq -r '.files[0].name' <<<"$output")" = "$old" ]
    [ "$(jq '.size == ([.files[].size] | add)' <<<"$output")" = true ]
}

@test "prune: by age, by size, all" {
    blob a 40
    blob b 20
    blob cc 10
    blob ddd 5
    expect 2 waybill cache prune
    expect 0 waybill cache prune --older-than 30d
    out_has 'Removed: 1 files, 1 bytes'
    [ "$(store)" -eq 3 ]
    expect 0 waybill cache prune --max-size 5
    out_has $'Removed: 1 files, 1 bytes\nLeft:    2 files, 5 bytes'
    expect 0 waybill cache prune --max-size 4 --older-than 30d
    [ "$(store)" -eq 1 ]
    guest hello
    waybill run hello.wasm >/dev/null
    expect 0 waybill cache prune --all --json
    [ "$(jq -c '[.action, .removed, .left, .leftSize]' <<<"$output")" = '["prune",2,0,0]' ]
    expect 0 waybill run hello.wasm
}

@test "prune: memos go, locks and a pull that is going on stay" {
    blob a 1
    local home=$HOME/.cache/waybill
    mkdir -p -m 700 "$home/memo/token" "$home/memo/lock" "$home/store/partial"
    chmod 700 "$home/memo"
    echo x >"$home/memo/token/abc"
    echo >"$home/memo/lock/referrers-00"
    echo half >"$home/store/partial/sha256-one"
    echo half >"$home/store/partial/sha256-two"
    expect 0 flock "$home/store/partial/sha256-one" "$WAYBILL" cache prune --all
    absent "$home/memo/token/abc" "$home/store/partial/sha256-two"
    [ -e "$home/memo/lock/referrers-00" ] && [ -e "$home/store/partial/sha256-one" ]
}

@test "verify: damaged blobs are named and removed, others stay as they were" {
    local good bad
    good=$(blob good 9) bad=$(blob bad 9)
    echo other >"$HOME/.cache/waybill/store/blobs/sha256/$bad"
    echo x >"$HOME/.cache/waybill/store/blobs/sha256/rubbish"
    expect 0 waybill cache verify
    err_has "blob $bad is damaged"
    out_has $'Checked: 3 blobs, 2 damaged\nRemoved: 2 files, 8 bytes\nLeft:    1 files, 4 bytes'
    [ "$(store)" -eq 1 ]
    expect 0 waybill cache prune --older-than 8d
    out_has 'Removed: 1 files'
    [ -n "$good" ]
}

@test "a folder that is open to others is refused, links are not followed" {
    blob a 40
    chmod 777 "$HOME/.cache/waybill/store/blobs/sha256"
    expect 2 waybill cache prune --all
    [ "$(store)" -eq 1 ]
    chmod 700 "$HOME/.cache/waybill/store/blobs/sha256"
    mkdir elsewhere
    echo mine >elsewhere/file
    ln -s "$PWD/elsewhere/file" "$HOME/.cache/waybill/store/blobs/sha256/link"
    expect 0 waybill cache prune --all
    [ -e elsewhere/file ] && [ -L "$HOME/.cache/waybill/store/blobs/sha256/link" ]
}

@test "wrong actions and options" {
    expect 2 waybill cache
    expect 2 waybill cache burn
    err_has 'list, prune and verify are known'
    expect 2 waybill cache list --all
    expect 2 waybill cache prune --older-than 5y
}
