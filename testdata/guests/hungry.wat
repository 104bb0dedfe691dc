;; SPDX-License-Identifier: Apache-2.0
;; Wants 2 MiB page by page, and traps when it does not get them.
(module
  (memory (export "memory") 1)
  (func $more (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable)))
  (func (export "_start") (loop $again (call $more) (br_if $again (i32.lt_u (memory.size) (i32.const 32))))))
