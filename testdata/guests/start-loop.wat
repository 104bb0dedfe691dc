;; SPDX-License-Identifier: Apache-2.0
;; Never leaves the start function.
(module
  (memory (export "memory") 1)
  (func $init (loop $again (br $again)))
  (start $init)
  (func (export "_start")))
