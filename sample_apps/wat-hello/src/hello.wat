;; A guest without JavaScript: it asks Jira who it is, as the app, and returns the door's reply.
(module
  (import "firebrick" "requestJira" (func $request_jira (param i32 i32) (result i64)))
  (import "firebrick" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 4096))

  (data (i32.const 16) "{\"path\":\"/rest/api/3/myself\",\"provider\":\"app\"}")
  (data (i32.const 128) "hello from WebAssembly text")

  ;; A bump allocator is enough: a guest lives for one invocation.
  (func $alloc (export "alloc") (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $free))
    (global.set $free (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7)) (i32.const -8)))
    (block $enough
      (br_if $enough (i32.le_u (global.get $free) (i32.mul (memory.size) (i32.const 65536))))
      (br_if $enough (i32.ne (i32.const -1) (memory.grow
        (i32.add (i32.const 1) (i32.div_u (local.get $size) (i32.const 65536))))))
      (unreachable))
    (local.get $at))

  (func (export "invoke") (param $ptr i32) (param $len i32) (result i64)
    (call $log (i32.const 1) (i32.const 128) (i32.const 27))
    (call $request_jira (i32.const 16) (i32.const 46))))
