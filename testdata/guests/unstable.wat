;; SPDX-License-Identifier: Apache-2.0
;; A command on wasi_unstable, what preview 1 was before, that reads the file "list" of its first folder, of which the
;; first six bytes are to be "abcdef". Its status says at which step an answer was wrong; 0: none.
(module
  (import "wasi_unstable" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_filestat_get" (func $fd_filestat_get (param i32 i32) (result i32)))
  (import "wasi_unstable" "path_filestat_get" (func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_unstable" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_unstable" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_unstable" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_unstable" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "list")
  (data (i32.const 16) "hello from the past\n")
  (func $check (param $step i32) (param $right i32)
    (if (i32.eqz (local.get $right)) (then (call $proc_exit (local.get $step)))))
  (func $clean (param $at i32) ;; what must stay as it is behind a filestat of 56 bytes
    (memory.fill (local.get $at) (i32.const 0xaa) (i32.const 64)))
  (func $check_stat (param $step i32) (param $at i32)
    (call $check (local.get $step) (i32.eq (i32.load8_u offset=16 (local.get $at)) (i32.const 4))) ;; a regular file
    (call $check (local.get $step) (i32.eq (i32.load offset=20 (local.get $at)) (i32.const 1)))    ;; with one link
    (call $check (local.get $step) (i64.eq (i64.load offset=24 (local.get $at)) (i64.const 7)))    ;; of 7 bytes
    (call $check (local.get $step) (i64.gt_u (i64.load offset=40 (local.get $at)) (i64.const 1000000000000000000)))
    (call $check (local.get $step) (i64.eq (i64.load offset=56 (local.get $at)) (i64.const 0xaaaaaaaaaaaaaaaa))))
  (func (export "_start")
    (local $fd i32)
    ;; 1: text on standard output
    (i32.store (i32.const 64) (i32.const 16))
    (i32.store (i32.const 68) (i32.const 20))
    (call $check (i32.const 1)
      (i32.eqz (call $fd_write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 72))))
    (call $check (i32.const 1) (i32.eq (i32.load (i32.const 72)) (i32.const 20)))
    ;; 2: the file, for reading and seeking
    (call $check (i32.const 2) (i32.eqz (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4)
      (i32.const 0) (i64.const 0x200026) (i64.const 0) (i32.const 0) (i32.const 80))))
    (local.set $fd (i32.load (i32.const 80)))
    ;; 3: to offset 2 (2: from the start), 4: one on (0: from here), 5: what is read there
    (call $check (i32.const 3)
      (i32.eqz (call $fd_seek (local.get $fd) (i64.const 2) (i32.const 2) (i32.const 88))))
    (call $check (i32.const 3) (i64.eq (i64.load (i32.const 88)) (i64.const 2)))
    (call $check (i32.const 4)
      (i32.eqz (call $fd_seek (local.get $fd) (i64.const 1) (i32.const 0) (i32.const 88))))
    (call $check (i32.const 4) (i64.eq (i64.load (i32.const 88)) (i64.const 3)))
    (i32.store (i32.const 64) (i32.const 96))
    (i32.store (i32.const 68) (i32.const 2))
    (call $check (i32.const 5)
      (i32.eqz (call $fd_read (local.get $fd) (i32.const 64) (i32.const 1) (i32.const 72))))
    (call $check (i32.const 5) (i32.eq (i32.load16_u (i32.const 96)) (i32.const 0x6564))) ;; "de"
    ;; 6: to the end (1), 7: no such whence
    (call $check (i32.const 6)
      (i32.eqz (call $fd_seek (local.get $fd) (i64.const 0) (i32.const 1) (i32.const 88))))
    (call $check (i32.const 6) (i64.eq (i64.load (i32.const 88)) (i64.const 7)))
    (call $check (i32.const 7)
      (i32.ne (i32.const 0) (call $fd_seek (local.get $fd) (i64.const 0) (i32.const 3) (i32.const 88))))
    ;; 8, 9: what there is to know of it, by descriptor and by name
    (call $clean (i32.const 128))
    (call $check (i32.const 8) (i32.eqz (call $fd_filestat_get (local.get $fd) (i32.const 128))))
    (call $check_stat (i32.const 8) (i32.const 128))
    (call $clean (i32.const 128))
    (call $check (i32.const 9) (i32.eqz (call $path_filestat_get
      (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 128))))
    (call $check_stat (i32.const 9) (i32.const 128))
    ;; 10: a wait of a millisecond, and for standard output
    (i64.store (i32.const 256) (i64.const 42))
    (i32.store8 (i32.const 264) (i32.const 0))
    (i64.store (i32.const 272) (i64.const 7))
    (i32.store (i32.const 280) (i32.const 1))
    (i64.store (i32.const 288) (i64.const 1000000))
    (call $check (i32.const 10)
      (i32.eqz (call $poll_oneoff (i32.const 256) (i32.const 512) (i32.const 1) (i32.const 72))))
    (call $check (i32.const 10) (i32.eq (i32.load (i32.const 72)) (i32.const 1)))
    (call $check (i32.const 10) (i64.eq (i64.load (i32.const 512)) (i64.const 42)))
    (i64.store (i32.const 312) (i64.const 43))
    (i32.store8 (i32.const 320) (i32.const 2))
    (i32.store (i32.const 328) (i32.const 1))
    (i64.store (i32.const 288) (i64.const 60000000000))
    (call $check (i32.const 11)
      (i32.eqz (call $poll_oneoff (i32.const 256) (i32.const 512) (i32.const 2) (i32.const 72))))
    (call $check (i32.const 11) (i64.eq (i64.load (i32.const 512)) (i64.const 43)))
    ;; 12: a path and a number of subscriptions that are too much
    (call $check (i32.const 12) (i32.eq (i32.const 37) (call $path_filestat_get
      (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 65536) (i32.const 128))))
    (call $check (i32.const 12) (i32.eq (i32.const 28)
      (call $poll_oneoff (i32.const 256) (i32.const 512) (i32.const 100000) (i32.const 72))))
    (call $check (i32.const 13)
      (i32.eqz (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 88))))
    (call $proc_exit (i32.const 0))))
