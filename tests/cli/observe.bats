#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What run tells of a guest beyond its output: figures, core dumps, profiles, lines of its source; and WAYBILL_LOG.
load lib

teardown() { [ -z "${REGISTRY:-}" ] || stop_registry; }

core() { python3 -B "$root/tests/cli/coredump.py" "$@"; }

# Two pages, of which it writes here and there, a global, and a trap three calls deep.
wreck() {
    cat >wreck.wat <<'END'
(module $wreck
  (memory (export "memory") 2 40)
  (global $hidden (mut i32) (i32.const 7))
  (global (export "count") (mut i32) (i32.const -5))
  (global (export "big") i64 (i64.const 9000000000))
  (global (export "ratio") f64 (f64.const 1))
  (data (i32.const 70000) "here it lies")
  (func $inner unreachable)
  (func $middle i32.const 70005 i32.const 73 i32.store8 nop call $inner)
  (func (export "_start") call $middle))
END
}

@test "--stats: a table on standard error when the guest has ended" {
    guest hello exit
    expect 0 waybill run --stats hello.wasm
    out_is 'hello from the guest'
    [ "$(sed 's/  .*//' <<<"$stderr" | tr '\n' ,)" = 'resolve,fetch,verify,load,instantiate,run,peak memory,fetched,' ]
    err_has ' ms  compiled'
    expect 0 waybill run --stats hello.wasm
    err_has ' ms  from the cache'
    expect 7 waybill run --stats exit.wasm 7
    err_has 'peak memory'
    expect 0 waybill run hello.wasm
    err_is ''
}

@test "--stats --json: the same with a schema; results stay on standard output" {
    guest hello trap
    expect 0 waybill run --stats --json hello.wasm
    jq -e '.schema == "waybill.run.stats/1" and (.ns | keys) ==
        ["fetch", "instantiate", "load", "resolve", "run", "verify"] and .ns.load > 0 and .ns.run > 0 and
        .ns.verify > 0 and .from_cache == false and .peak_memory > 1000000 and .fetched == 0 and .fuel == null' \
        <<<"$stderr"
    expect 0 waybill run --stats --json hello.wasm
    jq -e '.from_cache' <<<"$stderr"
    expect 0 waybill run --stats --json --fuel 100000000 hello.wasm
    jq -e '.fuel > 100 and .fuel < 100000000' <<<"$stderr"
    expect 0 waybill run --stats --fuel 100000000 hello.wasm
    err_has 'fuel  '
    echo '(module (func (export "two") (result i32) i32.const 2))' >two.wat
    expect 0 waybill run --stats --json --invoke two two.wat
    jq -e '.results == [2]' <<<"$output"
    jq -e '.ns.run > 0' <<<"$stderr"
    expect 134 waybill run --stats trap.wasm
    err_has 'the guest trapped'
    err_has 'instantiate'
    expect 125 waybill run --json hello.wasm
    err_has '--json needs --explain, --invoke or --stats'
}

@test "--stats: what came over the network counts, what was there does not" {
    command -v docker-registry >/dev/null || skip "docker-registry is not installed"
    guest hello
    REGISTRY=
    start_registry
    local ref=$REGISTRY/stats/hello:1.0
    waybill push -q hello.wasm "$ref"
    export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/fresh
    expect 0 waybill run --stats --json --allow-unsigned "$ref"
    jq -e ".fetched > $(size_of hello.wasm) and .ns.resolve > 0 and .ns.fetch > 0" < <(sed -n '/^{/,$p' <<<"$stderr")
    expect 0 waybill run --stats --json --allow-unsigned "$ref"
    jq -e ".fetched < $(size_of hello.wasm)" < <(sed -n '/^{/,$p' <<<"$stderr")
}

@test "--coredump: a trap leaves the calls, the memory and the globals" {
    wreck
    expect 134 waybill run --coredump core wreck.wat
    err_has 'waybill: core dump: core'
    [ "$(stat -c %a core)" = 600 ]
    core core 70000 12 >facts
    jq -e '.core == "wreck.wat" and .coremodules == ["wreck"] and
        .coreinstances == [{"module": 0, "memories": [0], "globals": []}]' facts
    jq -e '.corestack[0] == "main" and [.corestack[1][] | [.instance, .func]] == [[0, 0], [0, 1], [0, 2]]' facts
    jq -e '.memories == [{"pages": 2, "max": 40}] and .bytes == "here It lies" and
        .data == 1' facts
    jq -e '.globals == [[127, -5], [126, 9000000000], [124, "000000000000f03f"]] and
        .name["6"] == {"0": "memory"} and .name["7"] == {"0": "count", "1": "big", "2": "ratio"}' facts
    # Nobody but the guest has that memory: what is zero is left out.
    [ "$(size_of core)" -lt 8000 ]
}

@test "--coredump is the file's second name, and is what -D says" {
    wreck
    for option in '-D coredump=core' '--diagnose coredump=core' '-Dcoredump=core'; do
        rm -f core
        # shellcheck disable=SC2086 # two words
        expect 134 waybill run $option wreck.wat
        core core >/dev/null
    done
    for value in coredump= core coredump; do
        expect 125 waybill run -D $value wreck.wat
        err_has "'$value' is not coredump=FILE"
    done
    expect 125 waybill run --coredump a -D coredump=b wreck.wat
    absent a b
}

@test "--coredump: no file without a trap, none in part, an old one is replaced" {
    guest exit loop hello import-unknown
    wreck
    for want in 0 3; do expect $want waybill run --coredump core exit.wasm $want; done
    expect 124 waybill run --coredump core --timeout 100ms loop.wasm
    expect 126 waybill run --coredump core import-unknown.wasm
    absent core
    [ -z "$(ls -A | grep -v '\.wa[st]m*$')" ] || fail "left behind: $(ls -A)"
    echo old >core
    expect 0 waybill run --coredump core hello.wasm
    [ "$(cat core)" = old ]
    expect 134 waybill run --coredump core wreck.wat
    core core >/dev/null
    expect 125 waybill run --coredump nowhere/core hello.wasm
    err_has nowhere
    out_is ''
    mkdir folder
    expect 125 waybill run --coredump folder hello.wasm
    err_has 'not a regular file'
    expect 125 waybill run --coredump /dev/full hello.wasm
    err_has 'not a regular file'
}

@test "--coredump: a file that cannot be made at the end is a warning; the status is the trap's" {
    cat >wait.wat <<'END'
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\06\00\00\00\00\00\00\00\00\00\00\00ready\n")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    unreachable))
END
    mkdir gone
    local line status=0
    coproc run { "$WAYBILL" run --coredump gone/core wait.wat 2>err; }
    # shellcheck disable=SC2154 # coproc sets it
    read -r line <&"${run[0]}"
    [ "$line" = ready ]
    rmdir gone
    # shellcheck disable=SC2154
    local pid=$run_PID
    echo >&"${run[1]}"
    wait "$pid" || status=$?
    [ "$status" -eq 134 ]
    grep -q 'there is no core dump' err || fail "$(cat err)"
    ! grep -q 'core dump: ' <(grep -v warning err) || fail "$(cat err)"
}

@test "--coredump: an instance that is not complete, components, and with each sandbox" {
    guest start-trap component-trap
    expect 134 waybill run --coredump core start-trap.wasm
    core core >facts
    jq -e '(.corestack[1] | length) > 0 and .memories == null' facts
    expect 134 waybill run --coredump core component-trap.wasm
    core core >facts
    jq -e '.core == "component-trap.wasm" and (.corestack[1] | length) > 0 and
        (.coremodules | length) == (.coreinstances | length)' facts
    wreck
    for mode in off auto; do
        rm -f core
        expect 134 waybill run --sandbox $mode --coredump core wreck.wat
        core core 70000 4 >facts
        jq -e '.bytes == "here"' facts
    done
}

@test "--coredump: memory that wasm-tools and the engine take for a module's" {
    wreck
    waybill run --coredump core.wasm wreck.wat || true
    expect 126 waybill run core.wasm
    err_has 'exports no _start'
    command -v wasm-tools >/dev/null || skip "wasm-tools is not installed; the engine takes it"
    expect 0 wasm-tools validate core.wasm
}

@test "--profile guest: where the time goes, for Firefox's profiler" {
    guest loop
    expect 124 waybill run --timeout 500ms --profile guest,p.json,1ms loop.wasm
    err_has 'waybill: profile: p.json'
    jq -e '.meta.product == "loop.wasm" and .meta.interval == 1 and (.threads[0].samples.length > 10)' p.json
    [ "$(stat -c %a p.json)" = 600 ]
    guest exit
    expect 4 waybill run --profile guest exit.wasm 4
    jq -e '.meta.interval == 10' waybill-guest-profile.json
    expect 4 waybill run --profile guest,,2ms exit.wasm 4
    jq -e '.meta.interval == 2' waybill-guest-profile.json
    wreck
    expect 134 waybill run --coredump core --profile guest,q.json wreck.wat
    core core >/dev/null
    jq -e .meta q.json >/dev/null
}

@test "--profile guest: components are refused, and so is nonsense" {
    guest component-ok hello
    expect 125 waybill run --profile guest,p.json component-ok.wasm
    err_has 'no components'
    absent p.json
    for value in '' perf guests guest,p.json,soon guest,p.json,0ms perfmap,x; do
        expect 125 waybill run --profile "$value" hello.wasm
        err_has '--profile'
        out_is ''
    done
    expect 125 waybill run --profile guest,nowhere/p.json hello.wasm
    err_has nowhere
}

@test "--profile perfmap: the names of functions, from compiled and from kept code" {
    guest hello
    for _ in 1 2; do
        "$WAYBILL" run --profile perfmap hello.wasm >out &
        local map=/tmp/perf-$!.map
        wait $!
        [ "$(cat out)" = 'hello from the guest' ]
        grep -Eq '^0x[0-9a-f]+ [0-9a-f]+ .*_start' "$map" || fail "$(cat "$map")"
        [ "$(stat -c %a "$map")" = 600 ]
        rm "$map"
    done
    # It is the same code with it and without.
    expect 0 waybill run --stats hello.wasm
    err_has 'from the cache'
}

@test "--source-lines: files and lines in the call stack" {
    clang --target=wasm32-wasi -x c - -o probe.wasm <<<'int main(void) { return 0; }' 2>/dev/null ||
        skip "clang or wasi-libc is not installed"
    printf '#include <stdlib.h>\nstatic void lost(void)\n{\n    abort();\n}\nint main(void)\n{\n    lost();\n}\n' >lost.c
    clang --target=wasm32-wasi -g -O0 -o lost.wasm lost.c
    for _ in 1 2; do
        expect 134 waybill run --source-lines lost.wasm
        err_has 'lost.c:4:'
        err_has 'lost.c:8:'
        expect 134 waybill run lost.wasm
        err_has lost
        [[ $stderr != *lost.c:* ]] || fail "$stderr"
    done
    # The engine's own variable says nothing.
    WASMTIME_BACKTRACE_DETAILS=1 expect 134 waybill run lost.wasm
    [[ $stderr != *lost.c:* ]] || fail "$stderr"
    WASMTIME_BACKTRACE_DETAILS=1 expect 134 waybill run --stats lost.wasm
    err_has 'from the cache'
    [[ $stderr != *'not used'* ]] || fail "$stderr"
}

@test "WAYBILL_LOG is what --verbose and --debug say, for all commands" {
    guest hello files
    # A line of each level: a warning, and what --verbose and --debug add.
    variable() { waybill run --env NOT_THERE hello.wasm; }
    expect 0 variable
    err_is ''
    WAYBILL_LOG=info expect 0 variable
    err_has NOT_THERE
    WAYBILL_LOG=debug expect 0 variable
    err_has NOT_THERE
    WAYBILL_LOG='' expect 0 variable
    err_is ''
    WAYBILL_LOG=warn expect 0 variable
    err_is ''
    mkdir data
    expect 1 waybill run --dir data files.wasm write data/x tea
    err_has 'waybill: warning: denied'
    WAYBILL_LOG=error expect 1 waybill run --dir data files.wasm write data/x tea
    [[ $stderr != *'warning'* ]] || fail "$stderr"
    # Options count more.
    WAYBILL_LOG=error expect 0 waybill run --verbose --env NOT_THERE hello.wasm
    err_has NOT_THERE
    WAYBILL_LOG=loud expect 125 waybill run hello.wasm
    err_has "WAYBILL_LOG: 'loud' is none of error, warn, info and debug"
    WAYBILL_LOG=loud expect 2 waybill version
}
