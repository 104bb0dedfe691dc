;; SPDX-License-Identifier: Apache-2.0
;; Calls itself until the stack is used up.
(module
  (memory (export "memory") 1)
  (func $again (param i32) (result i32)
    (i32.add (call $again (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
  (func (export "_start") (drop (call $again (i32.const 0)))))
