;; SPDX-License-Identifier: Apache-2.0
;; Has many memories of 1 MiB each: together they are more than each is.
(module
  (memory (export "memory") 16 16)
  (memory 16 16) (memory 16 16) (memory 16 16) (memory 16 16) (memory 16 16) (memory 16 16) (memory 16 16)
  (memory 16 16) (memory 16 16) (memory 16 16) (memory 16 16) (memory 16 16) (memory 16 16) (memory 16 16)
  (func (export "_start")))
