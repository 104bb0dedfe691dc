;; SPDX-License-Identifier: Apache-2.0
;; A wasi:cli/command component that fails when it is refused a memory of 16 MiB.
(component
  (core module $main
    (memory 1)
    (func (export "run") (result i32) (i32.eq (memory.grow (i32.const 255)) (i32.const -1))))
  (core instance $main (instantiate $main))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $run-exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $run-exports)))
