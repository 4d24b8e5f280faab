//! Encoding and decoding.

use super::{Value, fields, push_bytes};

#[track_caller]
fn check_length(length: usize, header: &[u8]) {
    let content = vec![7; length];
    let mut message = Vec::new();
    push_bytes(&mut message, 4, &content);
    assert_eq!(message[..header.len()], *header);
    assert_eq!(fields(&message).collect::<Vec<_>>(), [Some((4, Value::Bytes(&content)))]);
}

#[test]
fn bytes_of_any_length() {
    check_length(0, &[0x22, 0]);
    check_length(1, &[0x22, 1]);
    check_length(127, &[0x22, 0x7f]);
    check_length(128, &[0x22, 0x80, 1]);
    check_length(300, &[0x22, 0xac, 2]);
    check_length(70_000, &[0x22, 0xf0, 0xa2, 4]);
}

#[track_caller]
fn check(message: &[u8], expected: &[Option<(u64, Value<'_>)>]) {
    assert_eq!(fields(message).collect::<Vec<_>>(), expected);
}

#[test]
fn fields_of_each_type() {
    check(&[], &[]);
    check(&[0x08, 0x96, 1], &[Some((1, Value::Number(150)))]);
    check(&[0x80, 1, 3], &[Some((16, Value::Number(3)))]);
    check(&[0x0d, 1, 2, 3, 4, 0x08, 1], &[Some((1, Value::Fixed)), Some((1, Value::Number(1)))]);
    check(&[0x09, 1, 2, 3, 4, 5, 6, 7, 8], &[Some((1, Value::Fixed))]);
    check(
        &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        &[Some((1, Value::Number(u64::MAX)))],
    );
}

#[test]
fn a_broken_message_ends() {
    check(&[0x08], &[None]);
    check(&[0x80], &[None]);
    check(&[0x00, 1], &[None]);
    check(&[0x0b], &[None]);
    check(&[0x0e], &[None]);
    check(&[0x0a, 2, 1], &[None]);
    check(&[0x0d, 1, 2, 3], &[None]);
    check(
        &[0x08, 1, 0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        &[Some((1, Value::Number(1))), None],
    );
    check(&[0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0], &[None]);
}
