;; SPDX-License-Identifier: Apache-2.0
;; Traps in the start function, before any export is called.
(module
  (memory (export "memory") 1)
  (func $init (drop (i32.load (i32.const 0x7fffffff))))
  (start $init)
  (func (export "_start")))
