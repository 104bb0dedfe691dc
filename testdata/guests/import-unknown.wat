;; SPDX-License-Identifier: Apache-2.0
;; Wants a host function that nobody offers.
(module
  (import "env" "launch_missiles" (func (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")))
