//! What a claim tree takes is what the allocator is asked for.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use jwt_authz::policy::weight::{allocated, allocated_by};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts what this thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
}

fn count(layout: Layout, sign: isize) {
    // Not in a thread that ends.
    let _uncounted = HELD.try_with(|held| held.set(held.get() + sign * allocated(layout.size()) as isize));
}

#[allow(unsafe_code, reason = "an allocator is; it only counts and hands on")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout, 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout, -1);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Never less than it takes, and not much more. Read as the payload of a token is.
#[track_caller]
fn check(text: &str, most: f64) {
    let before = HELD.get();
    let value = mesh_config::json::parse(text.as_bytes()).unwrap();
    let held = usize::try_from(HELD.get() - before).unwrap();
    let weight = allocated_by(&value);
    assert!(weight >= held, "{held} bytes are held, {weight} counted: {text}");
    assert!(weight as f64 <= held as f64 * most + 1.0, "{held} bytes are held, {weight} counted: {text}");
}

#[test]
fn trees_of_each_kind() {
    for text in
        ["null", "{}", "[]", "7", r#""""#, r#""text""#, "[1, 2, 3]", r#"{"a": {"b": {}}}"#, "[[[[]]]]"]
    {
        check(text, 1.0);
    }
    // The least dense.
    check(&format!("{}{{}}{}", r#"{"":"#.repeat(100), "}".repeat(100)), 1.0);
    for entries in 0..300 {
        let sorted: serde_json::Map<_, _> =
            (0..entries).map(|key| (format!("{key:03}"), json!(key))).collect();
        check(&Value::Object(sorted).to_string(), 1.5);
        // Not in order, as a client likes.
        let scattered: Vec<_> = (0..entries).map(|key| format!("\"{}\": \"\"", key * 7919 % 301)).collect();
        check(&format!("{{{}}}", scattered.join(",")), 2.0);
    }
}

fn trees() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 200, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
            prop::collection::hash_map(".{0,12}", inner, 0..30)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_tree(tree in trees()) {
        check(&tree.to_string(), 2.0);
    }
}
