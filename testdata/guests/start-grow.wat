;; SPDX-License-Identifier: Apache-2.0
;; Grows its memory in the start function until that is refused; _start exits with how many MiB it has (at most 255).
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func $init
    (loop $again
      (br_if $again
        (i32.and (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (i32.lt_u (memory.size) (i32.const 4080))))))
  (start $init)
  (func (export "_start") (call $exit (i32.shr_u (memory.size) (i32.const 4)))))
