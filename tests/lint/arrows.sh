#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rooms and their arrows: which folder may include which, and where a library's header may be seen. Nothing else may.
# Usage: arrows.sh [ROOT]
set -u
cd "${1:-.}" || exit 2

# room: the rooms it may include from. cli → flow → {oci, sign, runner} → base; oci and runner/providers may use net.
declare -A rooms=(
    [base]="base"
    [net]="net base"
    [oci]="oci net base"
    [sign]="sign base"
    [runner]="runner base"
    [runner/abi]="runner runner/abi base"
    [runner/providers]="runner runner/providers net base"
    [flow]="flow oci sign runner base"
    [cli]="cli flow oci sign runner base"
)

# header (a regular expression): the files (a regular expression) that may see it.
libraries=(
    '^curl/|^net/http_curl files: ^net/http_'
    '^libssh/ files: ^net/ssh_|^sign/'
    '^jansson\.h files: ^base/'
    '^gcrypt\.h files: ^base/hash|^sign/'
    '^(wasmtime|wasm|wasi)(/|\.h) files: ^runner/'
    '^waybill_toml\.h files: ^base/toml\.c$'
    '^waybill_stdio\.h files: ^runner/'
    '^seccomp\.h files: ^runner/sandbox_seccomp'
    '^waybill_wasi\.h files: ^runner/'
    '^archive(_entry)?\.h files: ^oci/archive_'
    '^gnutls/ files: ^sign/cert_'
)

# Headers of the C library and of Linux.
system='^(assert|ctype|dirent|dlfcn|errno|fcntl|fnmatch|glob|inttypes|limits|link|locale|malloc|math|poll|pthread|pwd|regex|sched|setjmp|signal|spawn|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|termios|time|unistd|linux/[a-z_0-9]+|sys/[a-z_0-9]+|net/if|netinet/in|arpa/inet|netdb|cpuid)\.h$'

bad=0
refuse() {
    echo "not ok - arrows: $1"
    bad=1
}

room_of() {
    case $1 in
    runner/abi/* | runner/providers/*) dirname "$1" ;;
    *) echo "${1%%/*}" ;;
    esac
}

check_own() { # file header
    local from to
    from=$(room_of "$1")
    to=$(room_of "$2")
    [ -f "$2" ] || refuse "$1 includes \"$2\", which is not there (write it from the root)"
    case " ${rooms[$from]} " in
    *" $to "*) ;;
    *) refuse "$1 includes \"$2\": design has no arrow $from → $to" ;;
    esac
}

check_foreign() { # file header
    local rule
    [[ $2 =~ $system ]] && return
    for rule in "${libraries[@]}"; do
        if [[ $2 =~ ${rule%% files: *} ]]; then
            [[ $1 =~ ${rule##* files: } ]] || refuse "$1 includes <$2>, which belongs to another room"
            return
        fi
    done
    refuse "$1 includes <$2>, which no room may"
}

while IFS= read -r file; do
    while read -r header; do
        case $header in
        \"*) check_own "$file" "$(echo "$header" | tr -d '"')" ;;
        \<*) check_foreign "$file" "$(echo "$header" | tr -d '<>')" ;;
        esac
    done < <(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*\(["<][^">]*[">]\).*/\1/p' "$file")
done < <(find "${!rooms[@]}" -name '*.[ch]' 2>/dev/null | sort -u)

# The environment belongs to cli; what is printed and how the process ends, too.
while IFS= read -r hit; do
    refuse "a library may not do this: $hit"
done < <(grep -nE '(^|[^>._a-z0-9])(getenv|secure_getenv|setenv|putenv|exit|_exit|abort|printf|puts|putchar|perror)[[:space:]]*\(' \
    base/*.c net/*.c oci/*.c sign/*.c runner/*.c flow/*.c 2>/dev/null | grep -vE '^[^:]*:[0-9]*:[[:space:]]*(/?\*|//)')

[ $bad -eq 0 ] && echo "ok - arrows: every include is one that the design has"
exit $bad
