;; SPDX-License-Identifier: Apache-2.0
;; Writes what wasi:clocks, wasi:random and wasi:sockets tell it, as numbers in little-endian: two readings of the monotonic
;; clock and its resolution (8 bytes each), two of the wall clock (seconds, nanoseconds, padding: 16 each), its resolution
;; (16), a random number (8), an insecure one (8), the seed (16), five random bytes and three insecure ones; then a byte for
;; each of TCP, UDP and the looking up of a name: 0 where that went well, else the code and 1.
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
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $se)))))))
  (alias export $streams "output-stream" (type $stream-t))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $stream-t (type $outer-stream))
    (export "output-stream" (type $out (eq $outer-stream)))
    (export "get-stdout" (func (result (own $out))))))

  (import "wasi:clocks/monotonic-clock@0.2.3" (instance $monotonic
    (export "now" (func (result u64)))
    (export "resolution" (func (result u64)))))
  (import "wasi:clocks/wall-clock@0.2.0" (instance $wall
    (type $datetime (record (field "seconds" u64) (field "nanoseconds" u32)))
    (export "datetime" (type $dt (eq $datetime)))
    (export "now" (func (result $dt)))
    (export "resolution" (func (result $dt)))))
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-random-u64" (func (result u64)))))
  (import "wasi:random/insecure@0.2.0" (instance $insecure
    (export "get-insecure-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-insecure-random-u64" (func (result u64)))))
  (import "wasi:random/insecure-seed@0.2.0" (instance $seed
    (export "insecure-seed" (func (result (tuple u64 u64))))))
  (import "wasi:sockets/network@0.2.0" (instance $network
    (export "network" (type (sub resource)))
    (type $code (enum "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout"
      "concurrency-conflict" "not-in-progress" "would-block" "invalid-state" "new-socket-limit"
      "address-not-bindable" "address-in-use" "remote-unreachable" "connection-refused" "connection-reset"
      "connection-aborted" "datagram-too-large" "name-unresolvable" "temporary-resolver-failure"
      "permanent-resolver-failure"))
    (export "error-code" (type (eq $code)))
    (type $family (enum "ipv4" "ipv6"))
    (export "ip-address-family" (type (eq $family)))))
  (alias export $network "network" (type $network-t))
  (alias export $network "error-code" (type $code-t))
  (alias export $network "ip-address-family" (type $family-t))
  (import "wasi:sockets/instance-network@0.2.0" (instance $instance-network
    (alias outer 1 $network-t (type $outer-network))
    (export "network" (type $n (eq $outer-network)))
    (export "instance-network" (func (result (own $n))))))
  (import "wasi:sockets/tcp@0.2.0" (instance $tcp
    (export "tcp-socket" (type (sub resource)))))
  (alias export $tcp "tcp-socket" (type $tcp-t))
  (import "wasi:sockets/tcp-create-socket@0.2.0" (instance $create-tcp
    (alias outer 1 $code-t (type $outer-code))
    (export "error-code" (type $c (eq $outer-code)))
    (alias outer 1 $family-t (type $outer-family))
    (export "ip-address-family" (type $f (eq $outer-family)))
    (alias outer 1 $tcp-t (type $outer-socket))
    (export "tcp-socket" (type $s (eq $outer-socket)))
    (export "create-tcp-socket" (func (param "address-family" $f) (result (result (own $s) (error $c)))))))
  (import "wasi:sockets/udp@0.2.0" (instance $udp
    (export "udp-socket" (type (sub resource)))))
  (alias export $udp "udp-socket" (type $udp-t))
  (import "wasi:sockets/udp-create-socket@0.2.0" (instance $create-udp
    (alias outer 1 $code-t (type $outer-code))
    (export "error-code" (type $c (eq $outer-code)))
    (alias outer 1 $family-t (type $outer-family))
    (export "ip-address-family" (type $f (eq $outer-family)))
    (alias outer 1 $udp-t (type $outer-socket))
    (export "udp-socket" (type $s (eq $outer-socket)))
    (export "create-udp-socket" (func (param "address-family" $f) (result (result (own $s) (error $c)))))))
  (import "wasi:sockets/ip-name-lookup@0.2.0" (instance $lookup
    (alias outer 1 $network-t (type $outer-network))
    (export "network" (type $n (eq $outer-network)))
    (alias outer 1 $code-t (type $outer-code))
    (export "error-code" (type $c (eq $outer-code)))
    (export "resolve-address-stream" (type $s (sub resource)))
    (export "resolve-addresses"
      (func (param "network" (borrow $n)) (param "name" string) (result (result (own $s) (error $c)))))))

  ;; Results begin at 1024; what the host puts into the memory by itself lies behind 8192.
  (core module $libc
    (memory (export "memory") 1)
    (data (i32.const 64) "example.com")
    (global $next (mut i32) (i32.const 8192))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3)))))
  (core instance $libc (instantiate $libc))

  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory (core memory $libc "memory"))))
  (core func $now (canon lower (func $monotonic "now")))
  (core func $resolution (canon lower (func $monotonic "resolution")))
  (core func $wall-now (canon lower (func $wall "now") (memory (core memory $libc "memory"))))
  (core func $wall-resolution (canon lower (func $wall "resolution") (memory (core memory $libc "memory"))))
  (core func $bytes (canon lower (func $random "get-random-bytes") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $u64 (canon lower (func $random "get-random-u64")))
  (core func $insecure-bytes (canon lower (func $insecure "get-insecure-random-bytes") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $insecure-u64 (canon lower (func $insecure "get-insecure-random-u64")))
  (core func $seed (canon lower (func $seed "insecure-seed") (memory (core memory $libc "memory"))))
  (core func $instance-network (canon lower (func $instance-network "instance-network")))
  (core func $tcp (canon lower (func $create-tcp "create-tcp-socket") (memory (core memory $libc "memory"))))
  (core func $udp (canon lower (func $create-udp "create-udp-socket") (memory (core memory $libc "memory"))))
  (core func $resolve (canon lower (func $lookup "resolve-addresses") (memory (core memory $libc "memory"))))

  (core module $main
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "now" (func $now (result i64)))
    (import "host" "resolution" (func $resolution (result i64)))
    (import "host" "wall-now" (func $wall-now (param i32)))
    (import "host" "wall-resolution" (func $wall-resolution (param i32)))
    (import "host" "bytes" (func $bytes (param i64 i32)))
    (import "host" "u64" (func $u64 (result i64)))
    (import "host" "insecure-bytes" (func $insecure-bytes (param i64 i32)))
    (import "host" "insecure-u64" (func $insecure-u64 (result i64)))
    (import "host" "seed" (func $seed (param i32)))
    (import "host" "instance-network" (func $instance-network (result i32)))
    (import "host" "tcp" (func $tcp (param i32 i32)))
    (import "host" "udp" (func $udp (param i32 i32)))
    (import "host" "resolve" (func $resolve (param i32 i32 i32 i32)))
    (import "libc" "memory" (memory 1))
    ;; The code of an error and 1, or 0.
    (func $code (param $at i32) (result i32)
      (i32.mul (i32.load8_u (local.get $at)) (i32.add (i32.load8_u offset=4 (local.get $at)) (i32.const 1))))
    (func (export "run") (result i32)
      (i64.store (i32.const 1024) (call $now))
      (i64.store (i32.const 1032) (call $now))
      (i64.store (i32.const 1040) (call $resolution))
      (call $wall-now (i32.const 1048))
      (call $wall-now (i32.const 1064))
      (call $wall-resolution (i32.const 1080))
      (i64.store (i32.const 1096) (call $u64))
      (i64.store (i32.const 1104) (call $insecure-u64))
      (call $seed (i32.const 1112))
      (call $bytes (i64.const 5) (i32.const 16))
      (memory.copy (i32.const 1128) (i32.load (i32.const 16)) (i32.const 5))
      (call $insecure-bytes (i64.const 3) (i32.const 16))
      (memory.copy (i32.const 1133) (i32.load (i32.const 16)) (i32.const 3))
      (call $tcp (i32.const 0) (i32.const 32))
      (i32.store8 (i32.const 1136) (call $code (i32.const 32)))
      (call $udp (i32.const 1) (i32.const 32))
      (i32.store8 (i32.const 1137) (call $code (i32.const 32)))
      (call $resolve (call $instance-network) (i32.const 64) (i32.const 11) (i32.const 32))
      (i32.store8 (i32.const 1138) (call $code (i32.const 32)))
      (call $write (call $get-stdout) (i32.const 1024) (i32.const 115) (i32.const 16))
      (i32.load8_u (i32.const 16))))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "get-stdout" (func $get-stdout))
      (export "write" (func $write))
      (export "now" (func $now))
      (export "resolution" (func $resolution))
      (export "wall-now" (func $wall-now))
      (export "wall-resolution" (func $wall-resolution))
      (export "bytes" (func $bytes))
      (export "u64" (func $u64))
      (export "insecure-bytes" (func $insecure-bytes))
      (export "insecure-u64" (func $insecure-u64))
      (export "seed" (func $seed))
      (export "instance-network" (func $instance-network))
      (export "tcp" (func $tcp))
      (export "udp" (func $udp))
      (export "resolve" (func $resolve))))))

  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $run-exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $run-exports)))
