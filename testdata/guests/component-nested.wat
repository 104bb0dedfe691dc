;; SPDX-License-Identifier: Apache-2.0
;; Functions in instances, some of one name; and functions that cannot be called from a command line.
(component
  (core module $m
    (func (export "one") (result i32) (i32.const 1))
    (func (export "two") (result i32) (i32.const 2))
    (func (export "three") (result i32) (i32.const 3))
    (func (export "take") (param i32)))
  (core instance $i (instantiate $m))
  (func $one (result u32) (canon lift (core func $i "one")))
  (func $two (result u32) (canon lift (core func $i "two")))
  (func $three (result u32) (canon lift (core func $i "three")))
  (instance $counting (export "count" (func $two)) (export "only" (func $three)))
  (instance $other (export "count" (func $three)))
  (export "count" (func $one))
  (export "test:nested/counting@1.0.0" (instance $counting))
  (export "test:nested/other@1.0.0" (instance $other))
  (type $handle' (resource (rep i32)))
  (export $handle "handle" (type $handle'))
  (core func $make (canon resource.new $handle'))
  (func (export "own") (param "rep" u32) (result (own $handle)) (canon lift (core func $make)))
  (func (export "borrow") (param "h" (borrow $handle)) (canon lift (core func $i "take"))))
