#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Both sides of each limit of run: what is just enough, and what is not.
load lib

bomb() { python3 "$root/tests/cli/bomb.py" "$@"; }

@test "time: 124; it runs for functions at the start, and in host calls" {
    guest loop start-loop component-loop sleep hello
    for name in loop start-loop component-loop sleep; do
        expect 124 timeout 20 "$WAYBILL" run --timeout 200ms $name.wasm
        err_is "waybill: run $name.wasm: out of time (timeout 200ms)"
    done
    expect 0 waybill run --timeout 1h hello.wasm
}

@test "processor time: 124; a guest asleep uses none" {
    guest loop start-loop component-loop sleep
    for name in loop start-loop component-loop; do
        expect 124 timeout 60 "$WAYBILL" run --cpu-time 200ms $name.wasm
        err_is "waybill: run $name.wasm: out of processor time (cpu-time 200ms)"
    done
    expect 0 waybill run --cpu-time 900ms sleep.wasm 1
}

@test "of two limits of time the first one counts" {
    guest loop sleep
    expect 124 timeout 60 "$WAYBILL" run --cpu-time 100ms --timeout 1h loop.wasm
    err_has 'out of processor time'
    expect 124 timeout 60 "$WAYBILL" run --cpu-time 1h --timeout 100ms sleep.wasm
    err_has 'out of time'
}

@test "fuel: 134, and always at the same place" {
    guest count component-loop start-loop
    expect 0 waybill run --fuel 100000 count.wasm
    expect 134 waybill run --fuel 1000 count.wasm
    err_has 'waybill: run count.wasm: out of fuel (fuel 1000)'
    for name in component-loop start-loop; do
        expect 134 waybill run --fuel 5000 $name.wasm
        err_has 'out of fuel (fuel 5000)'
    done
    local low=1 high=100000 middle
    while [ $((high - low)) -gt 1 ]; do
        middle=$(((low + high) / 2))
        if waybill run --fuel $middle count.wasm 2>/dev/null; then high=$middle; else low=$middle; fi
    done
    expect 134 waybill run --fuel $low count.wasm
    expect 0 waybill run --fuel $high count.wasm
}

@test "code that counts fuel is kept apart from code that does not" {
    guest loop count
    expect 0 waybill run count.wasm
    expect 134 waybill run --fuel 10 count.wasm
    expect 0 waybill run count.wasm
    expect 0 waybill run --timeout 1h count.wasm
    expect 134 waybill run --fuel 10 --timeout 1h count.wasm
}

@test "memory: growth stops at the limit, also at the start; a trap for want of it says so" {
    guest memgrow start-grow hungry
    for name in memgrow start-grow; do
        expect 8 waybill run --max-memory 8MiB $name.wasm
        expect 3 waybill run --max-memory 3MiB $name.wasm
    done
    expect 0 waybill run --max-memory 2MiB hungry.wasm
    expect 134 waybill run --max-memory 2031616 hungry.wasm
    err_has 'waybill: run hungry.wasm: out of memory (max-memory 1984KiB)'
    err_has unreachable
    expect 134 waybill run --max-memory 1MiB hungry.wasm
    err_has 'out of memory (max-memory 1MiB)'
}

@test "a memory that is over the limit from the start: 126" {
    guest component-memory memgrow
    expect 0 waybill run --max-memory 16MiB component-memory.wasm
    expect 126 waybill run --max-memory 15MiB component-memory.wasm
    err_has 'waybill: run component-memory.wasm: out of memory (max-memory 15MiB)'
    expect 126 waybill run --max-memory 65535 memgrow.wasm
    err_has 'out of memory (max-memory 65535)'
}

@test "stack: 134, for modules and components" {
    guest deep recurse component-recurse
    expect 0 waybill run deep.wasm
    expect 134 waybill run --max-stack 64KiB deep.wasm
    err_has 'waybill: run deep.wasm: out of stack (max-stack 64KiB)'
    for name in recurse component-recurse; do
        expect 134 waybill run $name.wasm
        err_has 'out of stack (max-stack 512KiB)'
        expect 134 waybill run --max-stack 3MiB $name.wasm
        err_has 'out of stack (max-stack 3MiB)'
    done
}

@test "stack: no more than half of what the process has" {
    guest recurse hello
    with_stack() { (ulimit -s "$1" && shift && waybill run "$@"); }
    expect 0 with_stack 8192 --max-stack 4MiB hello.wasm
    expect 125 with_stack 8192 --max-stack 4097KiB hello.wasm
    err_has 'max-stack'
    err_has 'ulimit -s'
    expect 134 with_stack 1024 recurse.wasm
    err_has 'out of stack (max-stack 512KiB)'
    expect 134 with_stack 256 recurse.wasm
    err_has 'out of stack (max-stack 128KiB)'
}

@test "tables: their number and their size" {
    guest tables tablegrow
    expect 0 waybill run --max-tables 3 tables.wasm
    expect 126 waybill run --max-tables 2 tables.wasm
    err_has 'waybill: run tables.wasm: too many tables (max-tables 2)'
    expect 0 waybill run --max-table-elements 1000 tables.wasm
    expect 126 waybill run --max-table-elements 999 tables.wasm
    err_has 'a table is too large (max-table-elements 999)'
    expect 16 waybill run tablegrow.wasm
    expect 2 waybill run --max-table-elements 131072 tablegrow.wasm
    expect 1 waybill run --max-table-elements 131071 tablegrow.wasm
}

@test "output: what fits is written, then the guest is ended" {
    guest flood hello
    waybill run --max-output 8KiB flood.wasm 2 >out
    [ "$(size_of out)" -eq 8192 ]
    for count in 3 -1; do
        expect 134 sh -c 'timeout 60 "$WAYBILL" run --max-output 8KiB flood.wasm "$0" >out' $count
        err_is 'waybill: run flood.wasm: too much output (max-output 8KiB)'
        [ "$(size_of out)" -eq 8192 ]
    done
    expect 134 waybill run --max-output 5 hello.wasm
    out_is hello
}

@test "output: both streams count, in their order" {
    guest flood stdio
    expect 0 sh -c '"$WAYBILL" run --max-output 16KiB flood.wasm 4 both >out 2>err'
    [ "$(size_of out)" -eq 8192 ]
    [ "$(size_of err)" -eq 8192 ]
    expect 134 sh -c '"$WAYBILL" run --max-output 12KiB flood.wasm 4 both >out 2>err'
    grep '^waybill: ' err >message
    [ $(($(size_of out) + $(size_of err) - $(size_of message))) -eq 12288 ]
    expect 0 sh -c '"$WAYBILL" run --max-output 1KiB stdio.wasm 2>&1'
    [ "$output" = "$("$WAYBILL" run stdio.wasm 2>&1)" ]
}

@test "output: all of it arrives, whatever takes it" {
    guest flood component-ok
    for options in '' '--max-output 1GiB' '--timeout 1h'; do
        # shellcheck disable=SC2086 # several options
        [ "$(waybill run $options flood.wasm 2000 | wc -c)" -eq $((2000 * 4096)) ]
        # shellcheck disable=SC2086
        [ "$(waybill run $options component-ok.wasm)" = $'hello from the component\nunfinished' ]
        # shellcheck disable=SC2086
        waybill run $options --stdout file component-ok.wasm
        [ "$(cat file)" = $'hello from the component\nunfinished' ]
    done
}

@test "output: into files that the options name" {
    guest flood
    expect 134 waybill run --max-output 8KiB --stdout out --stderr err flood.wasm 4 both
    err_is 'waybill: run flood.wasm: too much output (max-output 8KiB)'
    [ $(($(size_of out) + $(size_of err))) -eq 8192 ]
    expect 0 waybill run --max-output 16KiB --stdout out flood.wasm 4
    [ "$(size_of out)" -eq 16384 ]
    expect 0 waybill run --stdout out flood.wasm 1
    [ "$(size_of out)" -eq 4096 ]
}

@test "output that cannot be written is no success" {
    guest hello
    closed() { waybill run "$@" >&-; }
    expect 1 closed hello.wasm
    err_is "waybill: run hello.wasm: the guest's output could not be written: Bad file descriptor"
    full() { waybill run "$@" >/dev/full; }
    expect 1 full --max-output 1KiB hello.wasm
    err_has 'No space left on device'
}

@test "a reader that goes away ends no waybill by a signal" {
    guest flood
    piped() { waybill run "$@" | head -c 10 >/dev/null; return "${PIPESTATUS[0]}"; }
    run piped flood.wasm 100
    [ "$status" -lt 128 ] || fail "status $status"
    run piped --max-output 1MiB flood.wasm 100
    [ "$status" -lt 128 ] || fail "status $status"
}

@test "open files: the guest is told, and may go on" {
    guest openmany hello
    mkdir d && echo x >d/f
    expect 0 waybill run --max-open-files 10 --dir d::/d openmany.wasm /d/f 10
    out_is '10: enough'
    expect 1 waybill run --max-open-files 10 --dir d::/d openmany.wasm /d/f 11
    out_has '10: '
    expect 1 waybill run --max-open-files 1 --dir d::/d openmany.wasm /d/f
    out_has '1: '
    few() { (ulimit -n 64 && waybill run "$@"); }
    expect 1 few --dir d::/d openmany.wasm /d/f
    expect 0 waybill run --max-open-files 1 hello.wasm
}

@test "the size of the module: 126" {
    guest hello
    local size
    size=$(size_of hello.wasm)
    expect 0 waybill run --max-module-size "$size" hello.wasm
    expect 126 waybill run --max-module-size $((size - 1)) hello.wasm
    err_is "waybill: run hello.wasm: the module is too large (max-module-size $((size - 1)))"
    waybill push -q hello.wasm oci:shelf:1
    expect 126 waybill run --allow-unsigned --max-module-size 10 oci:shelf:1
    err_has 'the module is too large (max-module-size 10)'
}

@test "compiling: too long, too much memory: 126" {
    guest hello
    bomb many.wasm 60000 3
    bomb long.wasm 1 1000000
    for name in many long; do
        expect 126 waybill run --compile-timeout 100ms $name.wasm
        err_is "waybill: run $name.wasm: compiling takes too long (compile-timeout 100ms)"
        expect 126 waybill run --compile-memory 32MiB $name.wasm
        err_is "waybill: run $name.wasm: compiling takes too much memory (compile-memory 32MiB)"
    done
    expect 0 waybill run --compile-timeout 20s --compile-memory 256MiB hello.wasm
    # What was compiled once needs no compiling.
    expect 0 waybill run --compile-timeout 1ms --compile-memory 1 hello.wasm
}

@test "compiling: nothing of it stays behind when waybill is killed" {
    bomb many.wasm 200000 3
    "$WAYBILL" run many.wasm >/dev/null 2>&1 3>&- &
    local parent=$! child='' i
    for i in {1..200}; do
        child=$(pgrep -P $parent) && break
        sleep 0.05
    done
    [ -n "$child" ] || fail 'no process that compiles'
    kill -9 $parent
    for i in {1..200}; do
        [ -e "/proc/$child" ] || return 0
        sleep 0.05
    done
    fail 'the compiler goes on'
}

@test "every way to end a guest leaves waybill its own status" {
    guest exit start-trap trap component-trap memories
    expect 0 waybill run exit.wasm 256
    expect 1 waybill run exit.wasm 257
    for name in start-trap trap component-trap; do
        expect 134 waybill run $name.wasm
        err_has 'the guest trapped'
    done
    expect 126 waybill run memories.wasm
    err_has 'memory count too high'
}

@test "limits that are none: 125" {
    guest hello
    for option in timeout=0s cpu-time=5 fuel=0 max-memory=lots max-stack=x max-tables=-1 max-table-elements=1.5 \
        max-output=0 max-open-files=few max-module-size=-1 compile-timeout=1 compile-memory=0; do
        expect 125 waybill run "--$option" hello.wasm
    done
}
