#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load lib

# call WANT INVOCATION [ARGS...]: of $target; what it prints.
call() {
    local want=$1 func=$2
    shift 2
    expect 0 waybill run --invoke "$func" "$target" "$@"
    out_is "$want"
    err_is ''
}
# wrong INVOCATION MESSAGE [ARGS...]: a usage error that says so.
wrong() {
    local func=$1 message=$2
    shift 2
    expect 125 waybill run --invoke "$func" "$target" "$@"
    out_is ''
    err_has 'waybill: run'
    err_has "$message"
}
# json WANT INVOCATION [ARGS...]: the results, as compact JSON; numbers keep their digits.
json() {
    local want=$1 func=$2
    shift 2
    expect 0 waybill run --json --invoke "$func" "$target" "$@"
    [ "$(tr -d ' \n' <<<"$output")" = "{\"schema\":\"waybill.run/1\",\"results\":$want}" ] || fail "$output"
    python3 -c 'import json, sys; json.load(sys.stdin)' <<<"$output"
}

@test "a core module: numbers in, numbers out, each result a line" {
    guest reactor
    target=reactor.wasm
    call 4 add 2 2
    call 1 add -1 2
    call '' nothing
    call $'2.5\n1' swap 1 2.5
    call -2147483648 i32 -2147483648
    call -1 i32 4294967295
    call -1 i32 0xffffffff
    call 9223372036854775807 i64 9223372036854775807
    call -1 i64 18446744073709551615
    call 0.1 f32 0.1
    call 1e300 f64 1e300
    for v in nan inf -inf; do call $v f64 $v; done
    json '[2.5,1]' swap 1 2.5
    json '[]' nothing
    json '["nan"]' f64 nan
    json '[-9223372036854775808]' i64 -9223372036854775808
}

@test "a core module: arguments that do not fit are refused with 125" {
    guest reactor
    target=reactor.wasm
    wrong add 'it takes 2 arguments, 1 is given' 1
    wrong add 'it takes 2 arguments, 3 are given' 1 2 3
    wrong nothing 'it takes 0 arguments, 1 is given' ''
    wrong i32 'argument 1: 4294967296 is out of the range of i32' 4294967296
    wrong i32 'out of the range of i32' -2147483649
    wrong i32 "'0x1ffffffff' is no number" 0x1ffffffff
    wrong i64 'out of the range of i64' 18446744073709551616
    wrong f64 'out of the range of f64' 1e999
    for junk in '' x 1x ' 1' 1.5 0x +1 01 0xg 1e3; do wrong i32 "is no number (i32)" "$junk"; done
    for junk in '' x 1. .5 NaN infinity 0x1p3; do wrong f64 "is no number (f64)" "$junk"; done
    wrong nope "no function 'nope': it exports _initialize, ready, add,"
    wrong memory "no function 'memory'"
    wrong 'add(1,2)' 'its functions take their arguments behind TARGET'
    wrong '' 'the value is empty'
}

@test "a core module: types that cannot be written down are named, 126" {
    guest reactor
    for func in v128 give-v128; do
        expect 126 waybill run --invoke $func reactor.wasm
        err_has 'a v128, whose values cannot be written down'
    done
    for func in externref funcref; do
        expect 126 waybill run --invoke $func reactor.wasm
        err_has 'a reference, whose values cannot be written down'
    done
}

@test "a reactor: made ready before a call, and not run without one" {
    guest reactor hello no-start
    target=reactor.wasm
    call 1 ready
    call '' _initialize
    expect 126 waybill run reactor.wasm
    err_is 'waybill: run reactor.wasm: it is a reactor, whose functions are called with --invoke'
    expect 126 waybill run no-start.wasm
    err_has '--invoke'
    target=no-start.wasm
    call 5 add 2 3
    # a command is not started by a call
    expect 125 waybill run --invoke nope hello.wasm
    out_is ''
    expect 0 waybill run --invoke _start hello.wasm
    out_is 'hello from the guest'
}

@test "options stand before the target, all behind it is the call's" {
    guest reactor
    expect 126 waybill run reactor.wasm --invoke add 2 2
    expect 126 waybill run --timeout 5s reactor.wasm
    expect 125 waybill run --invoke add reactor.wasm 2 --json
    err_has "'--json' is no number"
    expect 125 waybill run --json reactor.wasm
    err_has '--json needs --explain, --invoke or --stats'
}

@test "an invoked function that traps, loops or exits" {
    guest reactor component-identity component-exit
    expect 134 waybill run --invoke trap reactor.wasm
    out_is ''
    err_has 'the guest trapped'
    expect 134 waybill run --json --invoke 'trap()' component-identity.wasm
    out_is ''
    expect 124 waybill run --timeout 150ms --invoke loop reactor.wasm
    err_has 'out of time'
    # what the engine finds wrong with a result is the guest's fault
    expect 134 waybill run --invoke 'bad-char()' component-identity.wasm
    expect 134 waybill run --invoke 'bad-string()' component-identity.wasm
    err_has 'utf-8'
    expect 1 waybill run --invoke 'run()' component-exit.wasm
    out_is ''
}

@test "a component: every type comes back as it was given" {
    guest component-identity
    target=component-identity.wasm
    call '()' 'nothing()'
    call '()' nothing
    for v in true false; do call $v "bool($v)"; done
    call 255 'u8(255)'
    call -128 's8(-128)'
    call 65535 'u16(65535)'
    call -32768 's16(-32768)'
    call 4294967295 'u32(4294967295)'
    call -2147483648 's32(-2147483648)'
    call 18446744073709551615 'u64(18446744073709551615)'
    call -9223372036854775808 's64(-9223372036854775808)'
    call 0.1 'f32(0.1)'
    for v in 0.1 1e300 5e-324 -0 nan inf -inf; do call $v "f64($v)"; done
    call "'é'" "char('é')"
    call "'\\u{0}'" "char('\\u{0}')"
    call '"héllo\n\u{1b}"' 'string("héllo\n\u{1b}")'
    call '""' 'string("")'
    call '"a\n b"' $'string("""\n  a\n   b\n  """)'
    call '[1, 2, 255]' 'bytes([1, 2, 255])'
    call '[]' 'bytes([])'
    call '[["a"], [], ["b", "c"]]' 'list([["a"],[],["b","c"]])'
    call '[("a", 1), ("b", 2)]' 'map([("a", 1), ("b", 2)])'
    call "(1, -2, 'x')" "tuple((1,-2,'x'))"
    call '{age: 36, name: "ada"}' 'record({name: "ada", age: 36})'
    call '{age: 36, name: "ada", score: some(5)}' 'record({name: "ada", score: 5, age: 36})'
    call '{:}' 'choices({:})'
    call empty 'variant(empty)'
    call 'circle(2.5)' 'variant(circle(2.5))'
    call 'text("hi")' 'variant(text("hi"))'
    call '%err(7)' 'variant(%err(7))'
    call green 'enum(green)'
    call %none 'enum(%none)'
    call '{read, run}' 'flags({run, read})'
    call '{}' 'flags({})'
    call 'some("x")' 'option("x")'
    call none 'option(none)'
    call 'some(none)' 'option-option(some(none))'
    call 'some(some(3))' 'option-option(some(3))'
    call 'ok(5)' 'result(5)'
    call 'err("no")' 'result(err("no"))'
    call ok 'result-bare(ok)'
    call err 'result-bare(err)'
    call '()' 'second(1)'
    call '()' 'second(1, 2, 3) // the third may be there'
}

@test "a component: results as JSON" {
    guest component-identity
    target=component-identity.wasm
    json '[]' 'nothing()'
    json '[true]' 'bool(true)'
    json '[18446744073709551615]' 'u64(18446744073709551615)'
    json '[-9223372036854775808]' 's64(-9223372036854775808)'
    json '["nan"]' 'f32(nan)'
    json '["-inf"]' 'f64(-inf)'
    json '[1e300]' 'f64(1e300)'
    json '["é"]' "char('é')"
    json '[[["a"],[]]]' 'list([["a"],[]])'
    json '[[["a",1]]]' 'map([("a",1)])'
    json '[{"age":36,"name":"ada","score":null}]' 'record({name:"ada",age:36})'
    json '[{"circle":2.5}]' 'variant(circle(2.5))'
    json '[{"empty":null}]' 'variant(empty)'
    json '["none"]' 'enum(%none)'
    json '[["read","run"]]' 'flags({run,read})'
    json '[null]' 'option-option(none)'
    json '[{"some":null}]' 'option-option(some(none))'
    json '[{"some":3}]' 'option-option(some(3))'
    json '[{"err":"no"}]' 'result(err("no"))'
}

@test "a component: values that do not fit are refused with 125 and the column" {
    guest component-identity
    target=component-identity.wasm
    wrong 'u8(256)' 'function u8: argument 1 (x): column 4: 256 is out of the range of u8'
    wrong 'u8()' 'column 4: too few arguments: the function takes 1, and x is missing'
    wrong 'u8' 'too few arguments'
    wrong 'u8(1, 2)' 'column 7: too many arguments: the function takes 1'
    wrong 'u8(1) 2' 'column 7: the end is expected, not 2'
    wrong 'u8(1' "',' or ')' is expected, not the end"
    wrong 'record({name: "ada"})' 'the record has no field age'
    wrong 'record({name: "ada", age: 1, age: 2})' 'the field age is there twice'
    wrong 'record({nom: "ada"})' 'no field nom: there are age, name, score'
    wrong 'variant(err(1))' 'written %err'
    wrong 'flags({read, read})' 'the flag read is there twice'
    wrong 'map([("a", 1), ("a", 2)])' 'the same key'
    wrong 'string("\u{d800}")' 'column 9'
    wrong "char('\\u{dfff}')" 'escape'
    wrong $'string("\xff")' 'column 9: this is not UTF-8'
    wrong $'string("\xed\xa0\x80")' 'this is not UTF-8'
    wrong $'\xff()' "no function '\\xff'"
    wrong $'list([\n["a"],\nb])' 'line 3, column 1: '
    wrong 'second(1, none, some(some(1)))' 'a number (u32) is expected'
    wrong 'nope()' "no function 'nope': it exports nothing, bool, u8,"
    wrong '()' "no function ''"
}

@test "a component: functions in instances, by as much of their name as it takes" {
    guest component-nested
    target=component-nested.wasm
    call 1 'count()'
    call 2 'test:nested/counting@1.0.0#count()'
    call 2 'test:nested/counting@1.0.0.count()'
    call 2 'test:nested/counting.count()'
    call 2 'test:nested/counting.count@1.0.0()'
    call 2 'counting.count()'
    call 3 'other#count()'
    call 3 'only()'
    wrong 'nested.count()' "no function 'nested.count': it exports count, test:nested/counting@1.0.0#count,"
    wrong 'counting@1.0.1.count()' 'no function'
}

@test "a component: a name that fits several functions is refused with those" {
    cat >two.wat <<'EOF'
(component
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (func $f (canon lift (core func $i "f")))
  (instance $a (export "f" (func $f)))
  (export "test:one/face@1.0.0" (instance $a))
  (export "test:two/face@1.0.0" (instance $a)))
EOF
    target=two.wat
    for name in f face.f face@1.0.0.f; do
        wrong "$name()" "several functions '$name': write more of one of test:one/face@1.0.0#f, test:two/face@1.0.0#f"
    done
    call '()' 'test:two/face.f()'
}

@test "a component: resources cannot be written down, 126" {
    guest component-nested
    expect 126 waybill run --invoke 'own(1)' component-nested.wasm
    err_has 'function own: its result: a resource (own), whose values cannot be written down'
    expect 126 waybill run --invoke 'borrow(1)' component-nested.wasm
    err_has 'function borrow: parameter h: a resource (borrow)'
}

@test "WASI 0.3 is refused by name, 126" {
    guest component-p3
    expect 126 waybill run component-p3.wasm
    err_has 'it is made for WASI 0.3'
}

@test "a long argument and a long result" {
    guest component-identity
    local list
    list=$(seq -s ', ' 1 20000 | sed 's/[0-9]\+/7/g')
    expect 0 waybill run --invoke "bytes([$list])" component-identity.wasm
    out_is "[$list]"
}

@test "a call has the grants of a run, and none other" {
    guest reactor files
    expect 125 waybill run --dir nowhere --invoke add reactor.wasm 1 2
    signed_guests
    expect 126 waybill run --key alice.pub --invoke add reactor.wasm 1 2
    out_is ''
}

@test "wasi_unstable: the functions of preview 1, with its own layouts and numbers" {
    guest unstable
    mkdir data && echo abcdef >data/list
    expect 0 waybill run --dir data unstable.wasm
    out_is 'hello from the past'
    expect 0 waybill run --deterministic --dir data unstable.wasm
    out_is 'hello from the past'
    # without the folder: as told, where the file is opened
    expect 2 waybill run unstable.wasm
}

@test "wasi_unstable: without a memory, with a function that there never was, twice" {
    cat >bare.wat <<'EOF'
(module
  (import "wasi_unstable" "sched_yield" (func $yield (result i32)))
  (func (export "_start") (drop (call $yield))))
EOF
    expect 134 waybill run bare.wat
    err_has 'it exports no memory, which wasi_unstable works on'
    cat >unknown.wat <<'EOF'
(module
  (import "wasi_unstable" "sock_accept" (func (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")))
EOF
    expect 126 waybill run unknown.wat
    err_has sock_accept
    cat >exit.wat <<'EOF'
(module
  (import "wasi_unstable" "proc_exit" (func $exit (param i32)))
  (func (export "_start") (call $exit (i32.const 200))))
EOF
    expect 200 waybill run exit.wat
    # a wrong address is the guest's own fault
    cat >wild.wat <<'EOF'
(module
  (import "wasi_unstable" "fd_filestat_get" (func $stat (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (drop (call $stat (i32.const 0) (i32.const 65500)))))
EOF
    expect 134 waybill run wild.wat
    err_has 'out of bounds'
}
