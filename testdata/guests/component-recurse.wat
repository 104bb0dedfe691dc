;; SPDX-License-Identifier: Apache-2.0
;; A wasi:cli/command component that calls itself until the stack is used up.
(component
  (core module $main
    (func $again (param i32) (result i32)
      (i32.add (call $again (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
    (func (export "run") (result i32) (call $again (i32.const 0))))
  (core instance $main (instantiate $main))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $run-exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $run-exports)))
