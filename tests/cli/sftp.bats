#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# sftp://: image layouts on a server, with OpenSSH's own.
load lib
load ssh

setup_file() { [ ! -x /usr/sbin/sshd ] || ssh_keys; }

setup() {
    [ -x /usr/sbin/sshd ] || skip "sshd (openssh-server) is not installed"
    export HOME=$BATS_TEST_TMPDIR/home TMPDIR=$BATS_TEST_TMPDIR/tmp LC_ALL=C
    unset XDG_CACHE_HOME DOCKER_CONFIG SSH_AUTH_SOCK
    mkdir -p "$HOME" "$TMPDIR" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work" || return 1
}

# serve [LINE...]: the server of the test, which knows us, and D, a folder on it.
serve() {
    start_sshd "$@"
    know_sshd
    use_key
    mkdir -p "$BATS_TEST_TMPDIR/srv"
    F=$BATS_TEST_TMPDIR/srv/lay
    D=sftp://$SSHD$F
}

teardown() { stop_sshd; }

# gives REF: it can be pulled, and run.
gives() {
    expect 0 waybill pull -o out.wasm "$1"
    cmp hello.wasm out.wasm
    rm out.wasm
    expect 0 waybill run --allow-unsigned "$1"
    out_is "hello from the guest"
}

# Nothing is left on the server but the layout.
clean() {
    [ "$(find "$F" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ')" = 'blobs index.json oci-layout ' ] ||
        fail "$(find "$F")"
    [ -z "$(find "$F/blobs" -name '.*')" ]
}

@test "every verb: push, inspect, tags, pull, run, verify" {
    signed_guests
    serve
    expect 4 waybill pull -o x "$D:v1"
    expect 0 waybill push signed.wasm "$D:v1"
    out_has "Pushed: $D:v1"
    expect 0 waybill push hello.wasm "$D:v2"
    clean
    expect 0 waybill tags "$D"
    out_is $'v1\nv2'
    expect 0 waybill inspect "$D:v1"
    out_has 'Kind:      cncf-wasm-v0'
    expect 0 waybill verify --key alice.pub "$D:v1"
    expect 12 waybill verify --key bob.pub "$D:v1"
    expect 0 waybill run --key alice.pub "$D:v1"
    out_is "hello from the guest"
    expect 126 waybill run "$D:v1"
    expect 4 waybill pull -o x "$D:v3"
    gives "$D:v2"
    gives "$D@$(waybill inspect --json "$D:v2" | jq -r .digest)"
    tidy "$HOME" .
}

@test "it is the layout that a push to a folder makes, byte for byte, and skopeo reads it" {
    guest hello args
    serve
    local name to
    for name in hello args; do
        for to in "$D:$name" "oci:here:$name"; do waybill push -q $name.wasm "$to" >/dev/null; done
    done
    diff -r "$F" here
    if command -v skopeo >/dev/null; then
        skopeo copy -q "oci:$F:hello" oci:copied:hello
        [ "$(waybill inspect --json oci:copied:hello | jq -r .digest)" = "$(waybill inspect --json "$D:hello" | jq -r .digest)" ]
    fi
    # and the other way: what lies there is read and added to
    cp -r here "$BATS_TEST_TMPDIR/srv/two"
    gives "sftp://$SSHD$BATS_TEST_TMPDIR/srv/two:hello"
    expect 0 waybill push -q hello.wasm "sftp://$SSHD$BATS_TEST_TMPDIR/srv/two:more"
    expect 0 waybill tags "oci:$BATS_TEST_TMPDIR/srv/two"
    out_is $'args\nhello\nmore'
}

@test "copy: registry of one kind to the other, the same digest" {
    guest hello
    serve
    waybill push -q hello.wasm oci:here:v1 >/dev/null
    expect 0 waybill copy oci:here:v1 oci-archive:a.tar:v1
    expect 0 waybill copy oci-archive:a.tar:v1 "$D:v1"
    clean
    expect 0 waybill copy "$D:v1" oci:there:v1
    diff -r here there
    cmp "$F/index.json" here/index.json
    expect 0 waybill copy "$D:v1" oci-archive:b.tar:v1
    cmp a.tar b.tar
}

@test "attach, tree, copy with referrers, delete, which leaves the blobs" {
    guest hello
    serve
    echo note >note
    waybill push -q hello.wasm "$D:v1" >/dev/null
    waybill push -q hello.wasm "$D:v2" >/dev/null
    expect 0 waybill attach --type text/x-note note "$D:v1"
    expect 0 waybill copy --recursive "$D:v1" oci:here:v1
    expect 0 waybill copy --recursive oci:here:v1 "sftp://$SSHD$BATS_TEST_TMPDIR/srv/two:v1"
    expect 0 waybill tree "sftp://$SSHD$BATS_TEST_TMPDIR/srv/two:v1"
    out_has text/x-note
    diff -r here "$BATS_TEST_TMPDIR/srv/two"
    expect 0 waybill delete --yes "$D:v1"
    err_has 'blobs that nothing refers to any more stay'
    expect 0 waybill tags "$D"
    out_is v2
    gives "$D:v2"
    expect 4 waybill delete --yes "$D:v1"
    clean
}

@test "folders are made, names are taken as they are, nothing passes a shell" {
    guest hello
    serve
    local name
    for name in 'a b/c' '~' '$(touch pwned)' 'per%20cent' 'semi;colon' "quo'te" 'gerät'; do
        expect 0 waybill push -q hello.wasm "sftp://$SSHD$BATS_TEST_TMPDIR/srv/$name/lay:v1"
        [ -f "$BATS_TEST_TMPDIR/srv/$name/lay/index.json" ] || fail "$name"
        gives "sftp://$SSHD$BATS_TEST_TMPDIR/srv/$name/lay:v1"
    done
    expect 0 waybill push -q hello.wasm "sftp://$SSHD$BATS_TEST_TMPDIR/srv/slash/:v1"
    gives "sftp://$SSHD$BATS_TEST_TMPDIR/srv/slash:v1"
    absent pwned "$HOME/pwned"
}

@test "other people's folders, files and links are left alone" {
    guest hello
    serve
    mkdir -p "$F"
    echo x >"$F/thesis.tex"
    expect 16 waybill push hello.wasm "$D:v1"
    err_has 'the folder is neither empty nor an image layout'
    [ "$(ls -A "$F")" = thesis.tex ]
    expect 16 waybill pull -o x "$D:v1"
    err_has 'no image layout'
    rm "$F/thesis.tex"
    waybill push -q hello.wasm "$D:v1" >/dev/null
    mv "$F/index.json" "$F/../real.json"
    ln -s ../real.json "$F/index.json"
    expect 1 waybill pull -o x "$D:v1"
    err_has 'index.json: not a regular file'
    expect 1 waybill push hello.wasm "$D:v2"
    rm -r "$F"
    echo x >"$F"
    expect 1 waybill push hello.wasm "$D:v1"
    err_has 'not a folder'
}

@test "damage: a blob of another size, other bytes, one that is gone, an index that is none" {
    guest hello
    serve
    waybill push -q hello.wasm "$D:v1" >/dev/null
    cp -r "$F" good
    local blob
    blob=$F/blobs/sha256/$(sha256sum <hello.wasm | cut -d' ' -f1)
    flip "$blob" 1000
    expect 17 waybill pull -o x "$D:v1"
    truncate -s 1000 "$blob"
    expect 17 waybill pull -o x "$D:v1"
    # a push mends what has the wrong size
    expect 0 waybill push -q hello.wasm "$D:v1"
    diff -r good "$F"
    rm "$blob"
    expect 4 waybill pull -o x "$D:v1"
    head -c 100 good/index.json >"$F/index.json"
    expect 16 waybill pull -o x "$D:v1"
    truncate -s 1G "$F/index.json"
    expect 16 waybill pull -o x "$D:v1"
    absent x
    tidy "$HOME" .
}

@test "six writers at once: all tags are there, and the lock is gone" {
    guest hello
    serve
    local i pids=()
    for i in 1 2 3 4 5 6; do
        "$WAYBILL" push -q hello.wasm "$D:v$i" >/dev/null 3>&- &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    expect 0 waybill tags "$D"
    out_is $'v1\nv2\nv3\nv4\nv5\nv6'
    clean
}

@test "a lock and files that a killed writer left" {
    guest hello
    serve
    waybill push -q hello.wasm "$D:v1" >/dev/null
    printf 0123456789abcdef0123456789abcdef >"$F/.waybill-lock"
    # a fresh one is respected
    "$WAYBILL" push -q hello.wasm "$D:v2" >/dev/null 3>&- &
    local pid=$!
    sleep 0.7
    kill -0 $pid
    expect 0 waybill tags "$D"
    out_is v1
    # an old one is not
    touch -d '2 minutes ago' "$F/.waybill-lock"
    wait $pid
    expect 0 waybill tags "$D"
    out_is $'v1\nv2'
    touch -d '2 hours ago' "$F/.waybill-0123.tmp"
    touch "$F/.waybill-4567.tmp"
    waybill push -q hello.wasm "$D:v3" >/dev/null
    absent "$F/.waybill-0123.tmp"
    [ -e "$F/.waybill-4567.tmp" ]
    rm "$F/.waybill-4567.tmp"
    clean
}

@test "a server that may only be read; one without SFTP; permissions" {
    guest hello
    serve 'ForceCommand internal-sftp -R'
    waybill push -q hello.wasm "oci:$F:v1" >/dev/null
    gives "$D:v1"
    expect 5 waybill push hello.wasm "$D:v2"
    err_has 'sftp'
    stop_sshd
    serve
    if [ "$(id -u)" -ne 0 ]; then
        chmod 000 "$F"
        expect 5 waybill pull -o x "$D:v1"
        chmod 755 "$F"
    fi
    stop_sshd
    serve 'Subsystem none /bin/false' 'ForceCommand /bin/false'
    expect 3 waybill pull -o x "$D:v1"
}

@test "a server that is not known, or has another key; a key that is not taken" {
    guest hello
    serve
    know_sshd host2
    expect 3 waybill push hello.wasm "$D:v1"
    absent "$F"
    know_sshd
    use_key stranger
    expect 5 waybill push hello.wasm "$D:v1"
    absent "$F"
    use_key
    expect 2 waybill push hello.wasm "sftp://me:secret@127.0.0.1:$SSHD_PORT$F:v1"
    [[ $stderr != *'lost'* ]]
}

@test "a big module, both ways; a push that is killed leaves no half blob" {
    serve
    big_guest big.wasm 30000000
    local try
    for try in 1 2 3; do
        "$WAYBILL" push -q big.wasm "$D:big" >/dev/null 3>&- &
        sleep 0.$((try * 5))
        kill -9 $! 2>/dev/null || true
        wait $! 2>/dev/null || true
    done
    [ -z "$(find "$F/blobs" -type f -size -1000k -size +10k 2>/dev/null)" ]
    rm -f "$F/.waybill-lock"
    expect 0 waybill push -q big.wasm "$D:big"
    expect 0 waybill pull -o out.wasm "$D:big"
    cmp big.wasm out.wasm
}

@test "registry, layout, tar, this server, another registry: every digest and referrer stays" {
    command -v docker-registry >/dev/null || skip "docker-registry is not installed"
    serve
    start_registry
    guest hello
    local at digest before=$REGISTRY/acme/app:1
    waybill push -q hello.wasm "$before" >/dev/null
    echo attestation >note.txt
    digest=$(waybill attach -q -T test/attestation note.txt "$before")
    waybill attach -q -T test/signature note.txt "$digest" >/dev/null
    shape() { waybill tree --json "$1" | jq -c 'del(.schema, .reference, .repository)'; }
    local want
    want=$(shape "$before")
    [ "$(jq -r '.referrers[0].referrers[0].artifactType' <<<"$want")" = test/signature ]
    for at in oci:one:1 oci-archive:two.tar:1 "$D:1" "$REGISTRY/far/app:1"; do
        waybill copy -q -r "$before" "$at" >/dev/null
        [ "$(shape "$at")" = "$want" ] || fail "$at: $(shape "$at")"
        before=$at
    done
    stop_registry
    gives "$D:1"
}
