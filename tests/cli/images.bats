#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Modules in container images and in Spin applications: found where a container would find them, and nothing unpacked.
load lib
load shelf

setup_file() { start_registry; }
teardown_file() { stop_registry; }

config=application/vnd.oci.image.config.v1+json
tar=application/vnd.oci.image.layer.v1.tar
docker_config=application/vnd.docker.container.image.v1+json
docker_tar=application/vnd.docker.image.rootfs.diff.tar.gzip
wasi='"architecture":"wasm","os":"wasi"'

# image PROCESS LAYER...: the layout shelf with an image of plain tar layers.
image() {
    local process=$1 layers=() layer
    shift
    for layer; do layers+=("$tar=$layer"); done
    artifact $config "{$wasi,\"config\":$process,\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}" "${layers[@]}"
}

# gives FILE: what is pulled from the shelf is that.
gives() {
    rm -f out.wasm
    expect 0 waybill pull -o out.wasm oci:shelf
    cmp "$1" out.wasm
}
# refuses STATUS WORDS: nothing is written.
refuses() {
    rm -f out.wasm
    expect "$1" waybill pull -o out.wasm oci:shelf
    err_has "$2"
    absent out.wasm
    tidy . "$TMPDIR"
}

@test "the program that an image starts, out of a plain, a gzip and a zstd layer" {
    guest hello args
    tarball layer app/ app/hello.wasm=hello.wasm args.wasm=args.wasm
    gzip -kn layer && zstd -q layer
    for form in "$tar=layer" "$tar+gzip=layer.gz" "$tar+zstd=layer.zst"; do
        for process in '{"Cmd":["/app/hello.wasm","x"]}' '{"Entrypoint":["/app/hello.wasm"],"Cmd":["/args.wasm"]}' \
            '{"Entrypoint":["hello.wasm"],"WorkingDir":"/app"}' '{"Entrypoint":null,"Cmd":["./app//hello.wasm"]}'; do
            artifact $config "{$wasi,\"config\":$process}" "$form"
            gives hello.wasm
        done
        expect 0 waybill run --allow-unsigned oci:shelf
        out_is "hello from the guest"
        [ "$(find "$HOME/.cache/waybill/modules" -type f -size +4k | wc -l)" -eq 1 ] # compiled once, by its own digest
        expect 0 waybill inspect oci:shelf
        out_has "Kind:      wasm-image"
        out_has "app/hello.wasm in layer sha256:$(sha256sum <"${form#*=}" | cut -d' ' -f1)"
        expect 0 waybill inspect --json oci:shelf
        [ "$(jq -r .module.member <<<"$output")" = app/hello.wasm ]
        [ "$(jq -r .module.digest <<<"$output")" = "sha256:$(sha256sum <hello.wasm | cut -d' ' -f1)" ]
    done
}

@test "docker's media types; a media type that is wrong about the compression" {
    guest hello
    tarball layer hello.wasm=hello.wasm
    gzip -kn layer && zstd -q layer
    for file in layer layer.gz layer.zst; do
        artifact $docker_config "{$wasi,\"config\":{\"Cmd\":[\"/hello.wasm\"]}}" $docker_tar=$file
        gives hello.wasm
        artifact $config "{$wasi}" $tar=$file
        gives hello.wasm
    done
}

@test "the variant compat: plugin.wasm, with and without the annotation" {
    guest hello args
    tarball layer runtime-config.json=hello.wasm plugin.wasm=hello.wasm
    gzip -n layer
    artifact $config '{}' $docker_tar=layer.gz
    gives hello.wasm
    annotations='{"module.wasm.image/variant":"compat"}'
    artifact $config '{"architecture":"amd64","os":"linux","config":{"Entrypoint":["/plugin.wasm"]}}' $tar+gzip=layer.gz
    gives hello.wasm
    expect 0 waybill inspect oci:shelf
    out_has "wasm-image-compat"
}

@test "without a program the only wasm file; of two none, and both are listed" {
    guest hello args
    tarball one etc/ etc/conf=hello.wasm lib/some.wasm=hello.wasm link.wasm-\>lib/some.wasm
    image '{}' one
    gives hello.wasm
    image '{"Cmd":["/not/there"]}' one
    gives hello.wasm
    tarball two a.wasm=args.wasm
    image '{}' one two
    refuses 16 "a.wasm, lib/some.wasm"
    expect 0 waybill pull --layer 1 -o out.wasm oci:shelf
    cmp hello.wasm out.wasm
    tarball none etc/conf=hello.wasm
    image '{}' none
    refuses 1 "without a wasm file"
    expect 0 waybill inspect oci:shelf
    out_has "no known wasm artifact"
    image '{"Cmd":["/x.wasm"]}' none
    refuses 1 "without x.wasm"
}

@test "upper layers hide what is in lower ones: files, whiteouts, opaque folders, files in the place of folders" {
    guest hello args
    : >nothing
    tarball low m.wasm=args.wasm d/x.wasm=args.wasm
    tarball same m.wasm=hello.wasm
    image '{"Cmd":["/m.wasm"]}' low same
    gives hello.wasm
    tarball gone .wh.m.wasm=nothing
    image '{}' low gone
    gives args.wasm # d/x.wasm is left
    tarball opaque d/.wh..wh..opq=nothing d/y.wasm=hello.wasm .wh.m.wasm=nothing
    image '{}' low opaque
    gives hello.wasm
    tarball folder .wh.d=nothing .wh.m.wasm=nothing n.wasm=hello.wasm
    image '{}' low folder
    gives hello.wasm
    tarball file d=nothing .wh.m.wasm=nothing n.wasm=hello.wasm
    image '{}' low file
    gives hello.wasm
    tarball all .wh..wh..opq=nothing
    image '{}' low all
    refuses 1 "without a wasm file"
    tarball nameless .wh.=nothing "./->x" d/.wh.=nothing
    image '{"Cmd":["/m.wasm"]}' low nameless
    gives args.wasm
    image '{"Cmd":["/m.wasm"]}' gone low # a whiteout does nothing to what lies above it
    gives args.wasm
}

@test "links and devices are never followed" {
    guest hello
    echo secret >outside
    tarball link hello.wasm=hello.wasm "m.wasm->$PWD/outside"
    image '{"Cmd":["/m.wasm"]}' link
    refuses 16 "is a link"
    tarball hard hello.wasm=hello.wasm "m.wasm=>hello.wasm"
    image '{"Cmd":["/m.wasm"]}' hard
    refuses 16 "is a link"
    tarball special 'm.wasm!' hello.wasm=hello.wasm
    image '{"Cmd":["/m.wasm"]}' special
    refuses 16 "special file"
    tarball through 'app->/' m.wasm=hello.wasm
    image '{"Cmd":["/app/other.wasm"]}' through # a name behind a link is no name
    gives hello.wasm
    image '{}' special
    gives hello.wasm
}

@test "odd names: absolute, with dots, upwards, twice, long, not ASCII" {
    guest hello args
    for name in /m.wasm ./m.wasm .//m.wasm ././/m.wasm; do
        tarball layer "$name=hello.wasm" other.wasm=args.wasm
        image '{"Cmd":["/m.wasm"]}' layer
        gives hello.wasm
    done
    tarball up ../../m.wasm=hello.wasm
    image '{"Cmd":["/m.wasm"]}' up
    gives hello.wasm # as the only one; into no folder
    absent ../m.wasm ../../m.wasm m.wasm
    tarball twice m.wasm=hello.wasm m.wasm=args.wasm
    image '{"Cmd":["/m.wasm"]}' twice
    refuses 16 "twice in one layer"
    image '{}' twice
    refuses 16 "twice in one layer"
    long=$(printf 'n%.0s' {1..200})/$(printf 'n%.0s' {1..200}).wasm
    tarball long "$long=hello.wasm" x.wasm=args.wasm
    image "{\"Cmd\":[\"/$long\"]}" long
    gives hello.wasm
    tarball name "grüße.wasm=hello.wasm" x.wasm=args.wasm
    image '{"Cmd":["/grüße.wasm"]}' name
    gives hello.wasm
}

@test "a layer that is not what its digest says: 17; one that is damaged: 16" {
    guest hello
    tarball layer m.wasm=hello.wasm
    image '{"Cmd":["/m.wasm"]}' layer
    blob=shelf/blobs/sha256/$(sha256sum <layer | cut -d' ' -f1)
    flip "$blob" 700
    refuses 17 "digest"
    truncate -s 1000 "$blob"
    refuses 17 ""
    gzip -n layer
    for size in 0 5 20 1000; do
        head -c $size layer.gz >cut
        artifact $config "{$wasi}" "$tar+gzip=cut"
        refuses 16 ""
    done
    for at in 0 3 30 700 1500; do
        cp layer.gz bad
        flip bad $at
        artifact $config "{$wasi}" "$tar+gzip=bad"
        run waybill pull -o out.wasm oci:shelf
        [ "$status" -eq 0 ] || [ "$status" -eq 16 ] || [ "$status" -eq 1 ] || fail "$at: $status $output"
    done
    gzip -knc layer.gz >two
    artifact $config "{$wasi}" "$tar+gzip=two"
    refuses 16 "more than once"
}

@test "10 GB of zeros in a layer of 10 MB end early, wanted or not" {
    guest hello
    head -c $((64 << 20)) /dev/zero | gzip -1n >zeros
    for name in big.wasm big.txt; do
        tarball head "$name+$((10 << 30))"
        gzip -nc head >bomb
        for ((i = 0; i < 160; i++)); do cat zeros; done >>bomb
        artifact $config "{$wasi}" "$tar+gzip=bomb"
        start=$SECONDS
        refuses 16 "times its size"
        [ $((SECONDS - start)) -lt 30 ]
    done
}

@test "an image of another machine's programs is not looked into" {
    guest hello
    tarball layer bin/sh=hello.wasm x.wasm=hello.wasm
    artifact $config '{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/sh"]}}' "$tar=layer"
    rm "shelf/blobs/sha256/$(sha256sum <layer | cut -d' ' -f1)"
    refuses 1 "an image for linux/amd64"
    artifact $config '{"architecture":"amd64","os":"linux","config":{"Cmd":["/x.wasm"]}}' "$tar=layer"
    gives hello.wasm
    annotations='{"run.oci.handler":"wasm"}'
    artifact $config '{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/sh"]}}' "$tar=layer"
    gives hello.wasm
}

@test "an index of images: the one for wasi, in the words of docker, of runwasi and of older tools" {
    guest hello args
    tarball layer m.wasm=hello.wasm
    tarball other bin/sh=args.wasm
    for platform in wasi/wasm wasi/wasm32 wasip1/wasm wasip2/wasm; do
        artifact $config '{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/sh"]}}' "$tar=other"
        cp manifest linux
        mkdir kept && cp shelf/blobs/sha256/* kept
        if [ "${platform%/*}" = wasi ]; then
            image '{"Cmd":["/m.wasm"]}' layer
        else
            artifact $config "{\"architecture\":\"wasm\",\"os\":\"${platform%/*}\"}" \
                application/vnd.bytecodealliance.wasm.component.layer.v0+wasm=hello.wasm
        fi
        cp kept/* shelf/blobs/sha256 && rm -r kept
        printf '{"schemaVersion":2,"manifests":[%s,%s]}' \
            "$(descriptor application/vnd.oci.image.manifest.v1+json linux | jq -c '.platform={os:"linux",architecture:"amd64"}')" \
            "$(descriptor application/vnd.oci.image.manifest.v1+json manifest | jq -c ".platform={os:\"${platform%/*}\",architecture:\"${platform#*/}\"}")" >list
        printf '{"schemaVersion":2,"manifests":[%s]}' \
            "$(descriptor application/vnd.oci.image.index.v1+json list)" >shelf/index.json
        gives hello.wasm
        expect 0 waybill pull --platform "$platform" -o out.wasm oci:shelf
        expect 1 waybill pull --platform linux/amd64 -o none.wasm oci:shelf
        err_has "an image for linux/amd64"
        expect 0 waybill run --allow-unsigned oci:shelf
        out_is "hello from the guest"
    done
}

@test "a signature in the module counts, in an image too" {
    signed_guests
    tarball layer m.wasm=signed.wasm
    image '{"Cmd":["/m.wasm"]}' layer
    expect 0 waybill verify --key alice.pub oci:shelf
    expect 0 waybill run --key alice.pub oci:shelf
    out_is "hello from the guest"
    expect 12 waybill pull --key bob.pub -o none.wasm oci:shelf
    tarball layer m.wasm=changed.wasm
    image '{"Cmd":["/m.wasm"]}' layer
    expect 17 waybill pull --key alice.pub -o none.wasm oci:shelf
    absent none.wasm
}

# spin CONFIG-TYPE: an application of two components on the shelf, in the form of Spin's releases.
spin_app='{"spin_lock_version":1,"triggers":[],"components":[
  {"id":"web","source":{"content_type":"application/wasm","digest":"sha256:%s"},"files":[{"path":"x","content":{"digest":"sha256:0"}}]},
  {"id":"job","source":{"content_type":"application/wasm","digest":"sha256:%s"}}]}'
spin_layer=application/vnd.wasm.content.layer.v1+wasm
spin_type=application/vnd.fermyon.spin.application.v1+config

digest_of() { sha256sum <"$1" | cut -d' ' -f1; }

@test "Spin: a component by its id; without one the ids are listed" {
    guest hello args
    # shellcheck disable=SC2059
    printf "$spin_app" "$(digest_of hello.wasm)" "$(digest_of args.wasm)" >app
    for form in label layer old; do
        case $form in
        label) artifact $config "{\"architecture\":\"wasm\",\"os\":\"Wasip1\",\"config\":{\"Labels\":{\"com.fermyon.spin.lockedAppDigest\":\"sha256:$(digest_of app)\"}}}" \
            $spin_layer=hello.wasm $spin_layer=args.wasm application/vnd.wasm.content.layer.v1+data=app $spin_type=app ;;
        layer) artifact $config '{}' application/wasm=hello.wasm $spin_layer=args.wasm $spin_type=app ;;
        old) artifact $spin_type "$(cat app)" $spin_layer=hello.wasm $spin_layer=args.wasm ;;
        esac
        refuses 2 "web, job"
        expect 125 waybill run --allow-unsigned oci:shelf
        expect 2 waybill pull --component cron -o none.wasm oci:shelf
        err_has "there are: web, job"
        expect 2 waybill pull --component web --layer 1 -o none.wasm oci:shelf
        absent none.wasm
        expect 0 waybill pull --component job -o out.wasm oci:shelf
        cmp args.wasm out.wasm
        expect 0 waybill run --allow-unsigned --component web oci:shelf
        out_is "hello from the guest"
        expect 0 waybill inspect --component web oci:shelf
        out_has "Kind:      spin-app"
        expect 10 waybill verify --key "$(waybill keygen -o "k$form" >/dev/null && echo "k$form.pub")" --component web oci:shelf
    done
}

@test "Spin: one component needs no name; one that is not there is an error" {
    guest hello
    printf '{"components":[{"id":"only","source":{"digest":"sha256:%s"}}]}' "$(digest_of hello.wasm)" >app
    artifact $config '{}' $spin_layer=hello.wasm $spin_type=app
    gives hello.wasm
    artifact $config "{\"config\":{\"Labels\":{\"com.fermyon.spin.lockedAppDigest\":\"sha256:$(digest_of hello.wasm)\"}}}" \
        $spin_layer=hello.wasm $spin_type=app
    refuses 16 "Spin application" # the label names what is no application
    artifact $config "{\"config\":{\"Labels\":{\"com.fermyon.spin.lockedAppDigest\":\"sha256:$(digest_of config)\"}}}" \
        $spin_layer=hello.wasm $spin_type=app
    refuses 16 "is not there"
    for text in '{}' '[]' '{"components":[]}' '{"components":[1]}' '{"components":[{"id":"a","source":{"digest":"x"}}]}' \
        "{\"components\":[{\"id\":\"a\",\"source\":{\"digest\":\"sha256:$(digest_of config)\"}}]}"; do
        echo "$text" >app
        artifact $config '{}' $spin_layer=hello.wasm $spin_type=app
        refuses 16 ""
    done
    echo '{"components":[{"id":"a","source":{"inline":"AGFzbQ=="}}]}' >app
    artifact $config '{}' $spin_layer=hello.wasm $spin_type=app
    refuses 1 "not given by a digest"
}

@test "push --format: what is made is read again, by skopeo too, and is the same on any day" {
    guest hello
    for format in cncf wasm-to-oci compat image; do
        for ref in "oci:made:$format" "$REGISTRY/made/$format:1"; do
            expect 0 waybill push -q --format $format hello.wasm "$ref"
            first=${output##*@}
            sleep 0.1
            expect 0 waybill push -q --format $format hello.wasm "$ref"
            [ "${output##*@}" = "$first" ]
            rm -f out.wasm
            expect 0 waybill pull -o out.wasm "$ref"
            cmp hello.wasm out.wasm
            expect 0 waybill run --allow-unsigned "$ref"
            out_is "hello from the guest"
        done
        expect 0 waybill inspect --json "oci:made:$format"
        case $format in
        cncf) [ "$(jq -r .kind <<<"$output")" = cncf-wasm-v0 ] ;;
        wasm-to-oci) [ "$(jq -r .kind <<<"$output")" = wasm-to-oci ] ;;
        compat) [ "$(jq -r .kind,.module.member <<<"$output")" = $'wasm-image-compat\nplugin.wasm' ] ;;
        image) [ "$(jq -r .kind,.module.member <<<"$output")" = $'wasm-image\nhello.wasm' ] ;;
        esac
    done
    expect 2 waybill push --format tar hello.wasm oci:made:x
}

@test "push --format compat and image are images: config, diff_ids, and a docker archive of them" {
    guest hello
    for format in compat image; do
        waybill push -q --format $format hello.wasm "oci:made:$format"
        expect 0 skopeo inspect --config "oci:made:$format"
        [ "$(jq -r .architecture,.os <<<"$output")" = $'wasm\nwasi' ]
        expect 0 skopeo copy --insecure-policy "oci:made:$format" "docker-archive:$format.tar:made:$format"
        mkdir $format && tar -xf $format.tar -C $format
        layer=$format/$(jq -r '.[0].Layers[0]' $format/manifest.json)
        [ "sha256:$(digest_of "$layer")" = "$(jq -r '.rootfs.diff_ids[0]' "$format/$(jq -r '.[0].Config' $format/manifest.json)")" ]
        tar -xf "$layer" -C $format
    done
    cmp hello.wasm compat/plugin.wasm
    cmp hello.wasm image/hello.wasm
    expect 0 skopeo copy --insecure-policy --dest-tls-verify=false oci:made:image "docker://$REGISTRY/copied:1" --format v2s2
    expect 0 waybill pull -o out.wasm "$REGISTRY/copied:1"
    cmp hello.wasm out.wasm
}

@test "images in archives: ours, and what docker save writes" {
    guest hello
    for format in compat image; do
        rm -f made.tar
        expect 0 waybill push -q --format $format hello.wasm oci-archive:made.tar:1
        expect 0 waybill run --allow-unsigned oci-archive:made.tar:1
        out_is "hello from the guest"
        waybill push -q --format $format hello.wasm "oci:made:$format"
        expect 0 skopeo copy --insecure-policy "oci:made:$format" "docker-archive:$format.tar:made:$format"
        expect 0 waybill pull -o out.wasm "oci-archive:$format.tar"
        cmp hello.wasm out.wasm
    done
}

@test "push --format wasm-to-oci is that tool's manifest to the byte" {
    guest hello
    mkdir -p some/where && mv hello.wasm some/where
    expect 0 waybill push -q --format wasm-to-oci ./some/where/hello.wasm oci:made:1
    printf '{"schemaVersion":2,"config":{"mediaType":"application/vnd.wasm.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"application/vnd.wasm.content.layer.v1+wasm","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.title":"./some/where/hello.wasm"}}]}' \
        "$(digest_of some/where/hello.wasm)" "$(size_of some/where/hello.wasm)" >want
    [ "${output##*@sha256:}" = "$(digest_of want)" ]
}

@test "push: annotations of images can be replaced; a name without .wasm gets it" {
    guest hello
    mv hello.wasm hello
    expect 0 waybill push -q --format image -a run.oci.handler=crun -a x=y hello oci:made:1
    expect 0 waybill inspect --json oci:made:1
    [ "$(jq -c .manifest.annotations <<<"$output")" = '{"module.wasm.image/variant":"compat-smart","run.oci.handler":"crun","x":"y"}' ]
    [ "$(jq -r .module.member <<<"$output")" = hello.wasm ]
}

@test "SOURCE_DATE_EPOCH is the time of creation; a bad one: 2" {
    guest hello
    for format in cncf compat image; do
        expect 0 env SOURCE_DATE_EPOCH=1700000000 "$WAYBILL" push -q --format $format hello.wasm oci:made:1
        expect 0 waybill inspect --json oci:made:1
        [ "$(jq -r .config.created <<<"$output")" = 2023-11-14T22:13:20Z ]
        expect 0 env SOURCE_DATE_EPOCH= "$WAYBILL" push -q --format $format hello.wasm oci:made:1
        expect 0 waybill inspect --json oci:made:1
        [ "$(jq -r .config.created <<<"$output")" = 1970-01-01T00:00:00Z ]
    done
    for bad in x -1 1e9 253402300800 99999999999999 '1 2'; do
        expect 2 env SOURCE_DATE_EPOCH="$bad" "$WAYBILL" push hello.wasm oci:bad:1
        err_has SOURCE_DATE_EPOCH
    done
    absent bad
}

@test "what is not an image does not load the library of archives; without it images are an error" {
    guest hello
    bin=$(dirname "$WAYBILL")
    mkdir -p copy/bin copy/lib/waybill
    cp "$WAYBILL" copy/bin/ && cp "$bin"/../lib/waybill/http.so copy/lib/waybill/
    expect 0 copy/bin/waybill push -q hello.wasm oci:made:1
    expect 0 copy/bin/waybill run --allow-unsigned oci:made:1
    expect 2 copy/bin/waybill push -q --format image hello.wasm oci:none:2
    err_has archive.so
    absent none
}

@test "a layer of the store that is damaged is fetched again; by digest the store answers alone" {
    guest hello
    expect 0 waybill push -q --format compat hello.wasm "$REGISTRY/damaged:1"
    ref=$output
    expect 0 waybill pull -q -o out.wasm "$ref"
    before=$(requests)
    expect 0 waybill pull -q -o out.wasm "$ref"
    [ "$(requests)" -eq "$before" ]
    layer=$(waybill inspect --json "$ref" | jq -r '.module.layer')
    flip "$HOME/.cache/waybill/store/blobs/sha256/${layer#sha256:}" 100
    expect 0 waybill run --allow-unsigned "$ref"
    out_is "hello from the guest"
    err_has "damaged"
    expect 0 waybill run --allow-unsigned "$ref"
    [[ $stderr != *damaged* ]]
}
