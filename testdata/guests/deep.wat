;; SPDX-License-Identifier: Apache-2.0
;; Calls itself 4,000 times.
(module
  (memory (export "memory") 1)
  (func $down (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (local.get 0)))
      (else (i32.const 0))))
  (func (export "_start") (drop (call $down (i32.const 4000)))))
