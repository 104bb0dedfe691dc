;; SPDX-License-Identifier: Apache-2.0
;; Grows a table by 64 Ki elements at a time until that is refused; exits with how many times it was allowed (at
;; most 255).
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (table $t 0 funcref)
  (func (export "_start") (local $n i32)
    (block $refused
      (loop $again
        (br_if $refused (i32.eq (table.grow $t (ref.null func) (i32.const 65536)) (i32.const -1)))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $n) (i32.const 255)))))
    (call $exit (local.get $n))))
