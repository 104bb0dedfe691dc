;; SPDX-License-Identifier: Apache-2.0
;; Nothing to run: plain imports and exports of several kinds, for inspection.
(component
  (import "log" (func $log (param "message" string)))
  (import "example:store/kv@0.1.0" (instance $kv
    (export "get" (func (param "key" string) (result (option string))))))
  (core module $m
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  (core instance $i (instantiate $m))
  (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (export "add" (func $add))
  (instance $math (export "add" (func $add)))
  (export "example:math/arithmetic@0.1.0" (instance $math)))
