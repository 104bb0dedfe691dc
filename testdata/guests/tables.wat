;; SPDX-License-Identifier: Apache-2.0
;; Has three tables, one of 1,000 elements.
(module
  (memory (export "memory") 1)
  (table 1 funcref)
  (table 1000 funcref)
  (table 1 externref)
  (func (export "_start")))
