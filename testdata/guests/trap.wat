;; SPDX-License-Identifier: Apache-2.0
;; Reaches `unreachable` three calls deep, for the backtrace.
(module $trapper
  (memory (export "memory") 1)
  (func $inner unreachable)
  (func $middle call $inner)
  (func $outer call $middle)
  (func $start (export "_start") call $outer))
