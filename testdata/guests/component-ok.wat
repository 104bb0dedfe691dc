;; SPDX-License-Identifier: Apache-2.0
;; A wasi:cli/command component in full: writes one line through wasi:cli/stdout, then an unfinished one without a
;; flush, and returns ok.
(component
  (import "wasi:io/error@0.2.0" (instance $error
    (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error-t))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $error-t (type $outer-error))
    (export "error" (type $e (eq $outer-error)))
    (export "output-stream" (type $out (sub resource)))
    (type $stream-error (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $se (eq $stream-error)))
    (export "[method]output-stream.check-write"
      (func (param "self" (borrow $out)) (result (result u64 (error $se)))))
    (export "[method]output-stream.write"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $se)))))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $se)))))))
  (alias export $streams "output-stream" (type $stream-t))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $stream-t (type $outer-stream))
    (export "output-stream" (type $out (eq $outer-stream)))
    (export "get-stdout" (func (result (own $out))))))

  (core module $libc
    (memory (export "memory") 1)
    (data (i32.const 64) "hello from the component\nunfinished"))
  (core instance $libc (instantiate $libc))

  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $check (canon lower (func $streams "[method]output-stream.check-write") (memory (core memory $libc "memory"))))
  (core func $write (canon lower (func $streams "[method]output-stream.write") (memory (core memory $libc "memory"))))
  (core func $write-flush
    (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory (core memory $libc "memory"))))
  (core func $drop (canon resource.drop $stream-t))

  (core module $main
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "check" (func $check (param i32 i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "write-flush" (func $write-flush (param i32 i32 i32 i32)))
    (import "host" "drop" (func $drop (param i32)))
    (import "libc" "memory" (memory 1))
    (func (export "run") (result i32) (local $out i32)
      (local.set $out (call $get-stdout))
      (call $write-flush (local.get $out) (i32.const 64) (i32.const 25) (i32.const 16))
      (call $check (local.get $out) (i32.const 32))
      (call $write (local.get $out) (i32.const 89) (i32.const 10) (i32.const 16))
      (call $drop (local.get $out))
      (i32.load8_u (i32.const 16))))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "get-stdout" (func $get-stdout))
      (export "check" (func $check))
      (export "write" (func $write))
      (export "write-flush" (func $write-flush))
      (export "drop" (func $drop))))))

  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $run-exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $run-exports)))
