#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load lib

env_lines() { grep '^env' <<<"$output"; }

@test "--env NAME takes that one variable from here, and none where it is not set" {
    guest args
    HERE='from here' OTHER=1 expect 0 waybill run --env HERE args.wasm
    [ "$(env_lines)" = 'env: HERE=from here' ]
    expect 0 waybill run --env NOWHERE args.wasm
    out_is 'arg 0: args.wasm'
    err_is ''
    expect 0 waybill run --verbose --env NOWHERE=1 --env NOWHERE args.wasm
    out_is 'arg 0: args.wasm'
    err_has '--env NOWHERE: there is no such variable here'
}

@test "--env-file: what it sets, and what comes after it" {
    guest args
    printf '# names\n\nA=1\nB=x y "z" \nC=\n' >one
    printf 'A=2\nD=4\n' >two
    expect 0 waybill run --env-file one args.wasm
    [ "$(env_lines)" = $'env: A=1\nenv: B=x y "z" \nenv: C=' ]
    expect 0 waybill run --env D=5 --env-file one --env-file two args.wasm
    [ "$(env_lines)" = $'env: B=x y "z" \nenv: C=\nenv: A=2\nenv: D=5' ]
}

@test "--env-file: what is wrong is named with its line, and no value is shown" {
    guest args
    printf 'A=1\nthe secret\n' >bad
    expect 125 waybill run --env-file bad args.wasm
    err_is 'waybill: run args.wasm: --env-file: bad: line 2: not NAME=VALUE'
    printf 'A=1\r\n' >crlf
    expect 125 waybill run --env-file crlf args.wasm
    err_has 'line 1: a control character'
    expect 125 waybill run --env-file nowhere args.wasm
    err_has '--env-file: nowhere: No such file'
    expect 125 waybill run --env-file . args.wasm
    head -c 1048577 /dev/zero | tr '\0' '#' >huge
    expect 125 waybill run --env-file huge args.wasm
    expect 125 waybill run --env-file /dev/zero args.wasm
}

@test "--stdin, --stdout, --stderr: files in place of the streams" {
    guest cat stdio
    printf 'a\nb' >in
    expect 0 waybill run --stdin in --stdout out cat.wasm
    out_is ''
    cmp in out
    expect 0 waybill run --stdout out --stderr err stdio.wasm
    out_is '' && err_is ''
    [ "$(cat out)" = $'to stdout\nthe end' ] && [ "$(cat err)" = 'to stderr' ]
    expect 0 waybill run --stdout /dev/null stdio.wasm
    out_is '' && err_is 'to stderr'
    expect 0 waybill run --stdin /dev/null cat.wasm <in
    out_is ''
    expect 0 sh -c 'printf piped | "$WAYBILL" run --stdout out cat.wasm'
    [ "$(cat out)" = piped ]
}

@test "much output goes to a file as it is" {
    guest cat
    head -c 3000000 /dev/urandom >data
    expect 0 waybill run --stdin data --stdout copy cat.wasm
    cmp data copy
}

@test "--stdout: new with the umask's rights, an old one's are kept; what is longer is cut" {
    guest hello
    (umask 027 && waybill run --stdout new hello.wasm)
    [ "$(stat -c %a new)" = 640 ]
    head -c 1000 /dev/zero >old
    chmod 600 old
    expect 0 waybill run --stdout old hello.wasm
    [ "$(cat old)" = 'hello from the guest' ]
    [ "$(stat -c %a old)" = 600 ]
}

@test "--stdout is made and emptied only when the module is verified, compiled and all else is ready" {
    signed_guests
    guest import-unknown
    echo old >out
    expect 126 waybill run --key bob.pub --stdout out signed.wasm
    expect 126 waybill run --stdout out import-unknown.wasm
    expect 125 waybill run --stdout out --dir nowhere hello.wasm
    expect 125 waybill run --stdout out --stdin nowhere hello.wasm
    expect 125 waybill run --stdout out --stderr . hello.wasm
    [ "$(cat out)" = old ]
    expect 126 waybill run --key bob.pub --stdout new signed.wasm
    absent new
    expect 0 waybill run --key alice.pub --stdout out signed.wasm
    [ "$(cat out)" = 'hello from the guest' ]
}

@test "one file for two streams, or the module for an output, is refused" {
    guest cat stdio
    echo data >in
    ln in same
    ln -s in link
    for twice in 'in same' 'in link' 'in in'; do
        # shellcheck disable=SC2086
        set -- $twice
        expect 125 waybill run --stdin "$1" --stdout "$2" cat.wasm
        err_has "$2: one file is to be two streams of the guest's"
    done
    expect 125 waybill run --stdout out --stderr out stdio.wasm
    [ "$(cat in)" = data ]
    ln -s stdio.wasm module
    cp stdio.wasm before
    expect 125 waybill run --stdout module stdio.wasm
    err_has '--stdout module: this is the module'
    expect 125 waybill run --stderr ./stdio.wasm module
    cmp before stdio.wasm
    expect 0 waybill run --stdout /dev/null --stderr /dev/null stdio.wasm
}

@test "a stream that cannot be had: 125, and a full one is the guest's trouble" {
    guest hello stdio
    expect 125 waybill run --stdin nowhere hello.wasm
    err_is 'waybill: run hello.wasm: nowhere: No such file or directory'
    expect 125 waybill run --stdout . hello.wasm
    expect 125 waybill run --stdout no/such/folder hello.wasm
    run -0 waybill run --stdout out hello.wasm
    [ ! -e /dev/full ] || { run waybill run --stdout /dev/full hello.wasm && [ "$status" -lt 128 ]; }
}

@test "folders that show the kernel: refused, unless --insecure-proc says so" {
    guest hello files
    for dir in /proc /proc/self / /proc/self/task/..; do
        expect 125 waybill run --dir "$dir::/x" hello.wasm
        err_has "folder $dir: it shows the kernel and all processes (/proc"
        expect 0 waybill run --insecure-proc --dir "$dir::/x" hello.wasm
    done
    expect 0 waybill run --insecure-proc --dir /proc::/x files.wasm read /x/version
    expect 0 waybill run --dir /usr::/x files.wasm list /x
    err_is ''
}

@test "one folder with two rights is said; folders in one another keep their own" {
    guest files
    mkdir -p data/sub
    expect 0 waybill run --dir data::/a --dir data::/b:rw files.wasm list /a
    err_has 'warning: folder data is granted twice'
    expect 0 waybill run --dir data::/a --dir data/sub::/b:rw files.wasm write /b/x y
    err_is ''
    expect 1 waybill run --dir data::/a --dir data/sub::/b:rw files.wasm write /a/sub/x z
    [ "$(cat data/sub/x)" = y ]
}

@test "a folder is the one that was there at the start" {
    guest files
    mkdir old new
    echo old >old/name
    echo new >new/name
    ln -s old link
    expect 0 waybill run --dir link::/x files.wasm read /x/name
    out_is old
}

@test "each file that a module is denied is a line in the log; one that is not there is none" {
    guest files
    mkdir data
    echo tea >data/list
    ln -s ../secret data/link
    echo secret >secret
    expect 1 waybill run --dir data::/srv files.wasm write /srv/list x
    err_has 'waybill: warning: denied capability=wasi:filesystem use=path_open what=list error='
    expect 1 waybill run --dir data::/srv files.wasm mkdir '/srv/a "b"'
    err_has 'use=path_create_directory what="a \"b\"" error=perm'
    expect 1 waybill run --dir data::/srv files.wasm unlink /srv/list
    err_has 'use=path_unlink_file what=list error=perm'
    expect 1 waybill run --dir data::/srv:rw files.wasm read /srv/link
    err_has 'use=path_open what=link error='
    expect 1 waybill run --dir data::/srv files.wasm write $'/srv/\e[31m' x
    [[ $stderr != *$'\e'* ]]
    expect 0 waybill run --dir data::/srv files.wasm read /srv/list
    err_is ''
    expect 1 waybill run --dir data::/srv files.wasm read /srv/nothing
    [[ $stderr != *denied* ]]
    for op in 'read /srv/list' 'list /srv' 'write /srv/new x' 'mkdir /srv/dir' 'rename /srv/new /srv/moved' \
        'link /srv/moved /srv/hard' 'symlink moved /srv/soft' 'unlink /srv/soft'; do
        # shellcheck disable=SC2086
        expect 0 waybill run --dir data::/srv:rw files.wasm $op
        [[ $stderr != *denied* ]]
    done
}
