# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Image layouts made by hand, in the form that other tools write.
# shellcheck disable=SC2154 # annotations is set by the test, when it wants some

# put FILE: into the layout; prints "digest size".
put() {
    local digest
    digest=$(sha256sum <"$1" | cut -d' ' -f1)
    cp "$1" "shelf/blobs/sha256/$digest"
    echo "sha256:$digest $(size_of "$1")"
}
descriptor() { # media type, file
    local digest size
    read -r digest size < <(put "$2")
    printf '{"mediaType":"%s","digest":"%s","size":%s}' "$1" "$digest" "$size"
}
# artifact CONFIG-TYPE CONFIG-TEXT LAYER-TYPE=FILE...: the layout shelf with that one manifest, as those tools write it;
# $annotations: of the manifest, as JSON.
artifact() {
    local config_type=$1 layers='' layer
    rm -rf shelf
    mkdir -p shelf/blobs/sha256
    printf '%s' "$2" >config
    shift 2
    for layer; do layers+=${layers:+,}$(descriptor "${layer%%=*}" "${layer#*=}"); done
    printf '{"schemaVersion":2,"config":%s,"layers":[%s]%s}' "$(descriptor "$config_type" config)" "$layers" \
        "${annotations:+,\"annotations\":$annotations}" >manifest
    printf '{"imageLayoutVersion":"1.0.0"}' >shelf/oci-layout
    printf '{"schemaVersion":2,"manifests":[%s]}' \
        "$(descriptor application/vnd.oci.image.manifest.v1+json manifest)" >shelf/index.json
}

# tarball FILE MEMBER...: a tar; a member is NAME=FILE, NAME/ (a folder), NAME->TARGET (a symbolic link), NAME=>TARGET (a
# hard link), NAME! (a device), NAME+SIZE (zeros, only the header is written).
tarball() {
    python3 -B - "$@" <<'END'
import sys, tarfile
with open(sys.argv[1], "wb") as raw:
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for text in sys.argv[2:]:
            info, data = tarfile.TarInfo(), None
            if "->" in text:
                info.name, info.linkname = text.split("->")
                info.type = tarfile.SYMTYPE
            elif "=>" in text:
                info.name, info.linkname = text.split("=>")
                info.type = tarfile.LNKTYPE
            elif "=" in text:
                info.name, path = text.split("=")
                with open(path, "rb") as file:
                    data = file.read()
                info.size = len(data)
            elif "+" in text:
                info.name, size = text.split("+")
                info.size = int(size)
                raw.write(info.tobuf(tarfile.GNU_FORMAT))
                raw.flush()
                sys.exit()
            elif text.endswith("!"):
                info.name, info.type = text[:-1], tarfile.CHRTYPE
            else:
                info.name, info.type = text.rstrip("/"), tarfile.DIRTYPE
            tar.addfile(info, __import__("io").BytesIO(data) if data is not None else None)
END
}
