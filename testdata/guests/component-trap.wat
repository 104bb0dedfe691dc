;; SPDX-License-Identifier: Apache-2.0
;; A wasi:cli/command component that traps two calls deep.
(component
  (core module $main
    (func $inner (result i32) unreachable)
    (func $run (export "run") (result i32) (call $inner)))
  (core instance $main (instantiate $main))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $run-exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $run-exports)))
