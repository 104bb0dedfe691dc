;; SPDX-License-Identifier: Apache-2.0
;; A wasi:cli/command component that wants an interface nobody offers.
(component
  (import "example:rockets/launcher@1.0.0" (instance $launcher
    (export "launch" (func (param "count" u32)))))
  (core func $launch (canon lower (func $launcher "launch")))
  (core module $main
    (import "host" "launch" (func $launch (param i32)))
    (func (export "run") (result i32) (call $launch (i32.const 1)) (i32.const 0)))
  (core instance $main (instantiate $main (with "host" (instance (export "launch" (func $launch))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $run-exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $run-exports)))
