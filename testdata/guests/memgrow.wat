;; SPDX-License-Identifier: Apache-2.0
;; Grows its memory page by page until that is refused; exits with how many MiB it then has (at most 255).
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (block $refused
      (loop $again
        (br_if $refused (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
        (br_if $refused (i32.ge_u (memory.size) (i32.const 4080)))
        (br $again)))
    (call $exit (i32.shr_u (memory.size) (i32.const 4)))))
