;; SPDX-License-Identifier: Apache-2.0
;; A wasi:cli/command component that calls wasi:cli/exit with err, though it would return ok.
(component
  (import "wasi:cli/exit@0.2.0" (instance $exit
    (export "exit" (func (param "status" (result))))))
  (core func $exit (canon lower (func $exit "exit")))
  (core module $main
    (import "host" "exit" (func $exit (param i32)))
    (func (export "run") (result i32) (call $exit (i32.const 1)) (i32.const 0)))
  (core instance $main (instantiate $main (with "host" (instance (export "exit" (func $exit))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $run-exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $run-exports)))
