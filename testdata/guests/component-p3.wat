;; SPDX-License-Identifier: Apache-2.0
;; Exports the run of WASI 0.3, which is not offered.
(component
  (core module $main (func (export "run") (result i32) (i32.const 0)))
  (core instance $main (instantiate $main))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $run-exports (export "run" (func $run)))
  (export "wasi:cli/run@0.3.0" (instance $run-exports)))
