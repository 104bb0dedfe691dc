#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Image layouts in tar files: ours, those of skopeo, what docker save writes, and what nobody should.
load lib

mktar() { python3 -B "$root/tests/cli/mktar.py" "$@"; }

digest_of() { sha256sum <"$1" | cut -d' ' -f1; }

# same REF REF: both hold the artifact with the same digest.
same() {
    local one two
    one=$(waybill inspect --json "$1" | jq -r .digest)
    two=$(waybill inspect --json "$2" | jq -r .digest)
    [ "$one" = "$two" ] || fail "$1 is $one, $2 is $two"
}

# gives REF: it can be pulled, and run.
gives() {
    expect 0 waybill pull -o out.wasm "$1"
    cmp hello.wasm out.wasm
    expect 0 waybill run --allow-unsigned "$1"
    out_is "hello from the guest"
    rm out.wasm
}

# refused STATUS MESSAGE: what a.tar holds is refused, soon, and nothing is written.
refused() {
    expect "$1" timeout 30 "$WAYBILL" pull -o out.wasm oci-archive:a.tar
    err_has "$2"
    absent out.wasm
    tidy "$HOME" .
}

# layout_members DIR: arguments for mktar.
layout_members() {
    local file
    for file in oci-layout index.json $(cd "$1" && find blobs -type f | sort); do echo "file:$file=$1/$file"; done
}

@test "every verb: push, inspect, tags, pull, run, verify" {
    signed_guests
    expect 0 waybill push signed.wasm oci-archive:a.tar:v1
    out_has 'Pushed: oci-archive:a.tar:v1'
    expect 0 waybill push hello.wasm oci-archive:a.tar:v2
    expect 0 waybill tags oci-archive:a.tar
    out_is $'v1\nv2'
    expect 0 waybill inspect oci-archive:a.tar:v1
    out_has 'Kind:      cncf-wasm-v0'
    expect 0 waybill verify --key alice.pub oci-archive:a.tar:v1
    expect 12 waybill verify --key bob.pub oci-archive:a.tar:v1
    expect 10 waybill verify --key bob.pub oci-archive:a.tar:v2
    expect 0 waybill run --key alice.pub oci-archive:a.tar:v1
    out_is "hello from the guest"
    expect 126 waybill run oci-archive:a.tar:v1
    expect 4 waybill pull -o x oci-archive:a.tar:v3
    expect 4 waybill pull -o x oci-archive:none.tar
    expect 4 waybill pull -o x oci-archive:a.tar
    gives oci-archive:a.tar:v2
    gives "oci-archive:a.tar@$(waybill inspect --json oci-archive:a.tar:v2 | jq -r .digest)"
    tidy "$HOME" .
}

@test "the same pushes give the same bytes, and the order of members is fixed" {
    guest hello args
    local name
    for name in a b; do
        waybill push -q hello.wasm oci-archive:$name.tar:v1 >/dev/null
        waybill push -q args.wasm oci-archive:$name.tar:v2 >/dev/null
    done
    cmp a.tar b.tar
    tar tf a.tar >names
    [ "$(head -2 names)" = $'oci-layout\nindex.json' ]
    tail -n +3 names | LC_ALL=C sort -c
    [ "$(tail -n +3 names | grep -cE '^blobs/sha256/[0-9a-f]{64}$')" -eq 6 ]
    tar tvf a.tar --numeric-owner --utc >long
    [ "$(grep -c -- '-rw-r--r-- 0/0 .* 1970-01-01 00:00' long)" -eq 8 ]
    waybill push -q hello.wasm oci:shelf:v1 >/dev/null
    same oci:shelf:v1 oci-archive:a.tar:v1
}

@test "attach, tree, copy with referrers, delete" {
    guest hello
    echo note >note
    waybill push -q hello.wasm oci-archive:a.tar:v1 >/dev/null
    expect 0 waybill attach --type text/x-note note oci-archive:a.tar:v1
    expect 0 waybill tree oci-archive:a.tar:v1
    out_has text/x-note
    expect 0 waybill copy --recursive oci-archive:a.tar:v1 oci:shelf:v1
    expect 0 waybill copy --recursive oci:shelf:v1 oci-archive:b.tar:v1
    expect 0 waybill tree oci-archive:b.tar:v1
    out_has text/x-note
    same oci-archive:b.tar:v1 oci-archive:a.tar:v1
    waybill push -q hello.wasm oci-archive:a.tar:v2 >/dev/null
    expect 0 waybill delete --yes oci-archive:a.tar:v1
    expect 0 waybill tags oci-archive:a.tar
    out_is v2
    gives oci-archive:a.tar:v2
    expect 4 waybill delete --yes oci-archive:a.tar:v1
    expect 4 waybill delete --yes oci-archive:none.tar:v1
    absent none.tar
    tidy .
}

@test "compressed: read, and written where the name says so" {
    guest hello
    waybill push -q hello.wasm oci-archive:a.tar:v1 >/dev/null
    gzip -k a.tar
    gives oci-archive:a.tar.gz:v1
    expect 0 waybill push -q hello.wasm oci-archive:a.tar.gz:v2
    gzip -t a.tar.gz
    gives oci-archive:a.tar.gz:v2
    expect 0 waybill tags oci-archive:a.tar.gz
    out_is $'v1\nv2'
    if command -v zstd >/dev/null; then
        zstd -q a.tar -o a.tar.zst
        gives oci-archive:a.tar.zst:v1
    fi
    expect 0 waybill push -q hello.wasm oci-archive:new.tgz:v1
    gzip -t new.tgz
}

@test "skopeo: both ways, the same digest" {
    command -v skopeo >/dev/null || skip "skopeo is not installed"
    guest hello
    waybill push -q hello.wasm oci-archive:a.tar:v1 >/dev/null
    skopeo copy -q oci-archive:a.tar:v1 oci:shelf:v1
    skopeo copy -q oci:shelf:v1 oci-archive:b.tar:v1
    same oci-archive:a.tar:v1 oci:shelf:v1
    same oci-archive:a.tar:v1 oci-archive:b.tar:v1
    gives oci-archive:b.tar:v1
    # It has folders as members, and is added to all the same.
    expect 0 waybill push -q hello.wasm oci-archive:b.tar:v2
    gives oci-archive:b.tar:v1
    skopeo copy -q oci-archive:b.tar:v2 oci:other:v2
    same oci:other:v2 oci-archive:a.tar:v1
}

@test "a name with its repository, as podman writes it, is found by the tag" {
    guest hello
    waybill push -q hello.wasm oci:shelf:v1 >/dev/null
    jq '.manifests[0].annotations["org.opencontainers.image.ref.name"] = "docker.io/me/hello:v1"' shelf/index.json >new
    cp new shelf/index.json
    mapfile -t members < <(layout_members shelf)
    mktar a.tar "${members[@]}"
    gives oci-archive:a.tar:v1
    gives oci-archive:a.tar
    gives oci:shelf:v1
    expect 4 waybill pull -o x oci-archive:a.tar:v2
}

# image: the layout `image` with one layer, a tar that holds hello.wasm.
image() {
    guest hello
    tar --owner=0 --group=0 --mtime=@0 -cf layer hello.wasm
    local layer config
    layer=$(digest_of layer)
    printf '{"created":"1970-01-01T00:00:00Z","architecture":"wasm","os":"wasip1","config":{"Entrypoint":["/hello.wasm"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"1970-01-01T00:00:00Z"}]}' "$layer" >config.json
    config=$(digest_of config.json)
    mkdir -p image/blobs/sha256
    cp layer "image/blobs/sha256/$layer"
    cp config.json "image/blobs/sha256/$config"
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%s}]}' \
        "$config" "$(size_of config.json)" "$layer" "$(size_of layer)" >manifest
    cp manifest "image/blobs/sha256/$(digest_of manifest)"
    printf '{"imageLayoutVersion":"1.0.0"}' >image/oci-layout
    printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"v1"}}]}' \
        "$(digest_of manifest)" "$(size_of manifest)" >image/index.json
}

# saved: a.tar as docker save of before 25 wrote it, with two names for the image.
saved() {
    image
    local config
    config=$(digest_of config.json)
    printf '[{"Config":"%s.json","RepoTags":["localhost:5000/me/hello:v1","hello:latest"],"Layers":["0a/layer.tar"]}]' "$config" >manifest.json
    echo 1.0 >VERSION
    mktar a.tar file:0a/VERSION=VERSION file:0a/layer.tar=layer "file:$config.json=config.json" \
        file:manifest.json=manifest.json 'text:repositories={}'
}

@test "docker save: its image, by its tags, and the same manifest each time" {
    saved
    expect 0 waybill tags oci-archive:a.tar
    out_is $'latest\nv1'
    expect 0 waybill inspect oci-archive:a.tar:v1
    out_has 'application/vnd.docker.distribution.manifest.v2+json'
    out_has "sha256:$(digest_of layer)"
    out_has "sha256:$(digest_of config.json)"
    local first=$output
    cp a.tar b.tar
    expect 0 waybill inspect oci-archive:a.tar:v1
    [ "$output" = "$first" ]
    same oci-archive:a.tar:latest oci-archive:b.tar
    gzip b.tar
    same oci-archive:a.tar:v1 oci-archive:b.tar.gz:v1
    expect 1 waybill push hello.wasm oci-archive:a.tar:v2
    err_is "waybill: push oci-archive:a.tar:v2: a.tar: docker's archives are read, not written"
    same oci-archive:a.tar:v1 oci-archive:b.tar.gz:v1
    tidy .
}

@test "docker save: the module of an image is pulled and run" {
    saved
    gives oci-archive:a.tar:v1
    gives oci-archive:a.tar
}

@test "docker save: what skopeo makes of an image" {
    command -v skopeo >/dev/null || skip "skopeo is not installed"
    image
    skopeo copy -q oci:image:v1 docker-archive:a.tar:me/hello:v1
    expect 0 waybill tags oci-archive:a.tar
    out_is v1
    gives oci-archive:a.tar:v1
}

@test "docker save of today: the layout in it is what counts, and it is not written" {
    image
    printf '[{"Config":"nowhere","RepoTags":["x:y"],"Layers":[]}]' >manifest.json
    mapfile -t members < <(layout_members image)
    mktar a.tar "${members[@]}" file:manifest.json=manifest.json
    expect 0 waybill tags oci-archive:a.tar
    out_is v1
    same oci-archive:a.tar:v1 oci:image:v1
    expect 1 waybill push hello.wasm oci-archive:a.tar:v2
    err_has "holds manifest.json, which is no part of an image layout"
}

@test "docker save, hostile: members that are missing, links, lists that are none" {
    saved
    config=$(digest_of config.json)
    mktar a.tar "file:$config.json=config.json" file:manifest.json=manifest.json
    refused 16 'the member 0a/layer.tar is missing'
    mktar a.tar "file:$config.json=config.json" symlink:0a/layer.tar=/etc/passwd file:manifest.json=manifest.json
    refused 16 'the member 0a/layer.tar is no regular file'
    mktar a.tar 'text:manifest.json=[{"Config":"../../etc/passwd"}]'
    refused 16 'the member ../../etc/passwd is missing'
    mktar a.tar 'text:manifest.json={}'
    refused 16 'manifest.json: not an array'
    mktar a.tar 'text:manifest.json=[]'
    refused 4 'which one?'
    mktar a.tar 'text:manifest.json=[{"Config":"c","Layers":["c","c"],"RepoTags":["a:\u001b[2J"]}]' text:c=x
    expect 0 waybill tags oci-archive:a.tar
    out_is ''
}

@test "other files: no tar, no layout, a folder, a FIFO, a name that is none" {
    guest hello
    cp hello.wasm a.tar
    refused 16 'a.tar: tar: '
    expect 16 waybill push hello.wasm oci-archive:a.tar:v1
    cmp hello.wasm a.tar
    : >a.tar
    expect 16 waybill pull -o x oci-archive:a.tar
    mktar a.tar text:thesis.tex=x
    refused 16 'no image layout'
    cp a.tar before
    expect 1 waybill push hello.wasm oci-archive:a.tar:v1
    err_has 'holds thesis.tex, which is no part of an image layout'
    cmp before a.tar
    rm a.tar
    mkdir a.tar
    refused 1 'not a regular file'
    expect 1 waybill push hello.wasm oci-archive:a.tar:v1
    rmdir a.tar
    mkfifo a.tar
    refused 1 'not a regular file'
    rm a.tar
    expect 4 waybill push hello.wasm oci-archive:no/such/a.tar:v1
    expect 2 waybill push hello.wasm oci-archive:dir/:v1
    mkdir dir
    expect 1 waybill push hello.wasm oci-archive:dir/:v1
    tidy .
}

@test "hostile members: links, devices, twice the same, out of the folder" {
    guest hello
    waybill push -q hello.wasm oci:shelf:v1 >/dev/null
    mapfile -t members < <(layout_members shelf)
    local kind
    for kind in symlink hardlink fifo device; do
        mktar a.tar "${members[0]}" "$kind:index.json=shelf/index.json" "${members[@]:2}"
        refused 16 'the member index.json is no regular file'
        mktar a.tar "$kind:oci-layout=/etc/passwd" "${members[@]:1}"
        refused 16 'the member oci-layout is no regular file'
    done
    mktar a.tar "${members[@]}" text:index.json=x
    refused 16 'it holds index.json twice'
    mktar a.tar "${members[@]}" text:../../escape=x
    refused 16 'a member is called ../../escape'
    mktar a.tar "${members[@]}" 'sparse:big=1099511627776' symlink:l=/etc fifo:f
    gives oci-archive:a.tar:v1
    cp a.tar before
    expect 1 waybill push hello.wasm oci-archive:a.tar:v2
    cmp a.tar before
}

@test "hostile sizes: bombs and 100,000 members" {
    guest hello
    waybill push -q hello.wasm oci:shelf:v1 >/dev/null
    mapfile -t members < <(layout_members shelf)
    mktar a.tar "${members[0]}" huge:index.json=1073741824 "${members[@]:2}"
    refused 16 'index.json has 1073741824 bytes'
    mktar a.tar huge:oci-layout=1073741824 "${members[@]:1}"
    refused 16 'oci-layout has 1073741824 bytes'
    mktar a.tar "${members[0]}" sparse:index.json=1099511627776 "${members[@]:2}"
    refused 16 'the member index.json is no regular file'
    mktar a.tar pax:1073741824 "${members[@]}"
    refused 16 'tar: '
    mktar a.tar huge:big=1073741824 "${members[@]}"
    gzip -1 a.tar && mv a.tar.gz a.tar
    refused 16 'times its size'
    mktar a.tar "${members[@]}" many:100000
    gives oci-archive:a.tar:v1
    mktar a.tar many:500001
    refused 16 'more than 500000 members'
}

@test "cut off at every block: an error or the right bytes" {
    guest hello
    waybill push -q hello.wasm oci-archive:whole.tar:v1 >/dev/null
    local at status
    for ((at = 0; at < $(size_of whole.tar); at += 512)); do
        head -c "$at" whole.tar >a.tar
        status=0
        "$WAYBILL" pull -q -o out.wasm oci-archive:a.tar >/dev/null 2>err || status=$?
        case $status in
        0) cmp hello.wasm out.wasm && rm out.wasm ;;
        4 | 16 | 17) absent out.wasm ;;
        *) fail "cut at $at: $status" "$(cat err)" ;;
        esac
    done
    tidy "$HOME" .
}

@test "one bit flipped: an error or the right bytes" {
    guest hello
    waybill push -q hello.wasm oci-archive:whole.tar:v1 >/dev/null
    local at status
    for ((at = 3; at < $(size_of whole.tar); at += 61)); do
        cp whole.tar a.tar
        flip a.tar "$at"
        status=0
        "$WAYBILL" pull -q -o out.wasm oci-archive:a.tar:v1 >/dev/null 2>err || status=$?
        case $status in
        0) cmp hello.wasm out.wasm && rm out.wasm ;;
        1 | 4 | 16 | 17) absent out.wasm ;;
        *) fail "bit at $at: $status" "$(cat err)" ;;
        esac
    done
    tidy "$HOME" .
}

@test "a push that fails leaves the archive as it was, and no folder beside it" {
    guest hello
    waybill push -q hello.wasm oci-archive:a.tar:v1 >/dev/null
    cp a.tar before
    expect 17 waybill push hello.wasm "oci-archive:a.tar:v2@sha256:$(printf 0%.0s {1..64})"
    cmp a.tar before
    # a blob in it is damaged: nothing is added to it
    flip a.tar $(($(size_of a.tar) - 3000))
    cp a.tar before
    expect 17 waybill push hello.wasm oci-archive:a.tar:v2
    cmp a.tar before
    tidy .
}

@test "a writer that was killed leaves a folder that the next one removes" {
    guest hello
    big_guest big.wasm 60000000
    waybill push -q hello.wasm oci-archive:a.tar:v1 >/dev/null
    cp a.tar before
    local try
    for try in 1 2 3; do
        "$WAYBILL" push -q big.wasm oci-archive:a.tar:big >/dev/null 3>&- &
        sleep 0.0$((try * 3))
        kill -9 $! 2>/dev/null || true
        wait $! 2>/dev/null || true
    done
    waybill push -q hello.wasm oci-archive:a.tar:v2 >/dev/null
    gives oci-archive:a.tar:v1
    gives oci-archive:a.tar:v2
    tidy .
}

# staged: waits until a private folder is there.
staged() {
    local i
    for ((i = 0; i < 200; i++)); do
        [ -z "$(compgen -G './.waybill-*.tmp/blobs/sha256')" ] || return 0
        sleep 0.01
    done
    fail "no private folder was seen"
}

@test "a writer that is interrupted, ended or hung up on leaves nothing, and the archive as it was" {
    guest hello
    big_guest big.wasm 60000000
    waybill push -q big.wasm oci:shelf:1 >/dev/null
    waybill push -q hello.wasm oci-archive:a.tar:v1 >/dev/null
    cp a.tar before
    local number status
    for number in INT:130 TERM:143 HUP:129; do
        # a shell's background children ignore SIGINT, those of nohup SIGHUP
        python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$WAYBILL" copy -q oci:shelf:1 oci-archive:a.tar:big >/dev/null 3>&- &
        staged
        kill -s "${number%:*}" $!
        status=0
        wait $! || status=$?
        [ "$status" = "${number#*:}" ] || fail "${number%:*}: status $status"
        tidy .
        cmp a.tar before
    done
}

@test "six writers of one archive: all tags are there" {
    guest hello args
    local i pids=()
    for i in 1 2 3 4 5 6; do
        "$WAYBILL" push -q hello.wasm oci-archive:a.tar:"v$i" >/dev/null 3>&- &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    expect 0 waybill tags oci-archive:a.tar
    out_is $'v1\nv2\nv3\nv4\nv5\nv6'
    tidy .
}

@test "permissions of an archive stay, and names with colons, spaces and controls" {
    guest hello
    waybill push -q hello.wasm oci-archive:a.tar:v1 >/dev/null
    chmod 600 a.tar
    waybill push -q hello.wasm oci-archive:a.tar:v2 >/dev/null
    [ "$(stat -c %a a.tar)" = 600 ]
    mkdir 'a:b'
    expect 0 waybill push -q hello.wasm 'oci-archive:a:b/c d.tar:v1'
    gives 'oci-archive:a:b/c d.tar:v1'
    expect 4 waybill pull -o x $'oci-archive:\e[2J.tar'
    [[ $stderr != *$'\e'* ]]
    expect 2 waybill pull -o x oci-archive:
    expect 2 waybill pull -o x 'oci-archive:a.tar:bad tag'
}
