#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The examples of the manual pages and of README.md: every line that starts with "$ " is run, in the order of the page, and
# must end well; the lines behind it, where there are some, are its output, "..." standing for anything. The folder holds
# some guests, and localhost:5000 is a registry.
load lib

setup_file() {
    command -v docker-registry >/dev/null || skip "docker-registry is not installed"
    start_registry
}
teardown_file() { stop_registry; }

# The literal blocks of a manual page or the console blocks of a Markdown file.
examples_of() {
    case $1 in
    *.md) awk '/^```console/ { on = 1; next } /^```/ { on = 0 } on' "$1" ;;
    *) awk '/^\.Bd -literal/ { on = 1; next } /^\.Ed/ { on = 0 } on' "$1" | sed 's/\\e/\\/g; s/\\&//g' ;;
    esac | sed "s/localhost:5000/$REGISTRY/g"
}

check_example() { # command, expected output
    local got status=0
    got=$(bash -o pipefail -c "$1" 2>stderr) || status=$?
    [ "$status" -eq 0 ] || fail "status $status: $1" "$got" "$(cat stderr)"
    [ -n "$2" ] || return 0
    local pattern
    pattern=$(sed 's/[][*?\\]/\\&/g; s/\.\.\./*/g' <<<"$2")
    # shellcheck disable=SC2053 # a pattern is wanted
    [[ $got == $pattern ]] || fail "command: $1" "expected: $2" "got: $got"
}

check_page() {
    guest hello args files loop reactor component-identity
    export PATH=${WAYBILL%/*}:$PATH
    local line command='' expected='' n=0
    while IFS= read -r line; do
        if [[ $line == '$ '* ]]; then
            [ -z "$command" ] || check_example "$command" "$expected"
            command=${line#'$ '} expected='' n=$((n + 1))
        else
            expected+=${expected:+$'\n'}$line
        fi
    done < <(examples_of "$root/$1")
    [ "$n" -gt 0 ] || fail "$1 has no example"
    check_example "$command" "$expected"
}

@test "README.md" { check_page README.md; }
@test "waybill(1)" { check_page man/waybill.1; }
@test "waybill-push(1)" { check_page man/waybill-push.1; }
@test "waybill-pull(1)" { check_page man/waybill-pull.1; }
@test "waybill-inspect(1)" { check_page man/waybill-inspect.1; }
@test "waybill-keygen(1)" { check_page man/waybill-keygen.1; }
@test "waybill-key(1)" { check_page man/waybill-key.1; }
@test "waybill-sign(1)" { check_page man/waybill-sign.1; }
@test "waybill-verify(1)" { check_page man/waybill-verify.1; }
@test "waybill-detach(1)" { check_page man/waybill-detach.1; }
@test "waybill-run(1)" { check_page man/waybill-run.1; }
@test "waybill-compile(1)" { check_page man/waybill-compile.1; }
@test "waybill-tags(1)" { check_page man/waybill-tags.1; }
@test "waybill-copy(1)" { check_page man/waybill-copy.1; }
@test "waybill-tree(1)" { check_page man/waybill-tree.1; }
@test "waybill-attach(1)" { check_page man/waybill-attach.1; }
@test "waybill-attest(1)" { check_page man/waybill-attest.1; }
@test "waybill-provenance(1)" { check_page man/waybill-provenance.1; }
@test "waybill-delete(1)" { check_page man/waybill-delete.1; }
@test "waybill-login(1)" { check_page man/waybill-login.1; }
@test "waybill-logout(1)" { check_page man/waybill-logout.1; }
@test "waybill-policy(1)" { check_page man/waybill-policy.1; }
@test "waybill-cache(1)" { check_page man/waybill-cache.1; }
@test "waybill-completion(1)" { check_page man/waybill-completion.1; }
@test "waybill-version(1)" { check_page man/waybill-version.1; }
@test "waybill-help(1)" { check_page man/waybill-help.1; }

@test "no page is left out here" {
    local page
    for page in "$root"/man/*.1; do
        grep -q "check_page man/${page##*/};" "$BATS_TEST_FILENAME" || fail "${page##*/}"
    done
}

@test "examples/publish.sh and examples/run-checked.sh" {
    guest hello
    export PATH=${WAYBILL%/*}:$PATH
    waybill keygen -o release
    expect 0 "$root/examples/publish.sh" release.key hello.wasm "$REGISTRY/acme/published:1.0"
    [[ $output =~ ^$REGISTRY/acme/published@sha256:[0-9a-f]{64}$ ]]
    local pinned=$output
    expect 0 "$root/examples/run-checked.sh" release.pub "$pinned"
    out_is 'hello from the guest'
    waybill keygen -o other
    expect 126 "$root/examples/run-checked.sh" other.pub "$pinned"
    expect 126 "$root/examples/run-checked.sh" release.pub "$REGISTRY/acme/published:1.0"
    err_has 'has no digest'
}
