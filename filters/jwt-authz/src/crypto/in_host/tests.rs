//! Arguments and results of the foreign function.

use super::{argument, read_answer};
use crate::crypto::protobuf::{Value, fields};
use crate::crypto::tests::foreign;
use crate::crypto::tests::vectors::Vector;

fn signed_with(name: &str) -> Vector {
    foreign::right().into_iter().find(|vector| vector.algorithm.name() == name).unwrap()
}

fn ask(vector: &Vector) -> Option<Vec<u8>> {
    argument(vector.algorithm, &vector.key, &vector.message, &vector.signature)
}

#[track_caller]
fn check(name: &str, hash: &str, signature: impl Fn(&[u8]) -> Vec<u8>) {
    let vector = signed_with(name);
    let argument = ask(&vector).unwrap();
    let found: Option<Vec<(u64, Value<'_>)>> = fields(&argument).collect();
    let expected = [
        (1, Value::Bytes(hash.as_bytes())),
        (2, Value::Bytes(vector.key.spki())),
        (3, Value::Bytes(&signature(&vector.signature))),
        (4, Value::Bytes(&vector.message)),
    ];
    assert_eq!(found.unwrap(), expected);
}

#[test]
fn rsa_as_it_is() {
    check("RS256", "sha256", <[u8]>::to_vec);
    check("RS384", "sha384", <[u8]>::to_vec);
    check("RS512", "sha512", <[u8]>::to_vec);
}

/// A DER INTEGER: without leading zeros, except for one if the first bit is set.
fn integer(number: &[u8]) -> Vec<u8> {
    let mut content: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
    if content[0] >= 0x80 {
        content.insert(0, 0);
    }
    [&[2, content.len() as u8], content.as_slice()].concat()
}

fn in_der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let numbers = [integer(r), integer(s)].concat();
    [&[0x30, numbers.len() as u8], numbers.as_slice()].concat()
}

#[test]
fn ecdsa_in_der() {
    check("ES256", "sha256", in_der);
    check("ES384", "sha384", in_der);
}

/// Numbers with leading zeros, and with the first bit set.
#[test]
fn small_and_large_numbers_in_der() {
    let mut vector = signed_with("ES256");
    let mut check = |r: [u8; 32], s: [u8; 32]| {
        vector.signature = [r, s].concat();
        let argument = ask(&vector).unwrap();
        let (_, found) = fields(&argument).nth(2).unwrap().unwrap();
        assert_eq!(found, Value::Bytes(&in_der(&vector.signature)));
    };
    let one = {
        let mut one = [0; 32];
        one[31] = 1;
        one
    };
    check(one, one);
    check([0x7f; 32], one);
    check(one, [0x80; 32]);
    check([0xfe; 32], [0x01; 32]);
}

#[test]
fn what_cannot_be_right_is_not_asked_about() {
    let refused = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut vector = signed_with(name);
        change(&mut vector.signature);
        assert_eq!(ask(&vector), None, "{name}");
    };
    for name in ["RS256", "ES256", "ES384"] {
        refused(name, &Vec::clear);
        refused(name, &|signature| signature.push(0));
        refused(name, &|signature| signature.truncate(signature.len() - 1));
    }
    for name in ["ES256", "ES384"] {
        refused(name, &|signature| signature.fill(0));
        refused(name, &|signature| signature.fill(0xff));
        refused(name, &|signature| {
            let half = signature.len() / 2;
            signature[..half].fill(0)
        });
        refused(name, &|signature| {
            let half = signature.len() / 2;
            signature[half..].fill(0)
        });
    }
}

#[test]
fn another_key_is_not_asked_about() {
    let (rsa, ecdsa) = (signed_with("RS256"), signed_with("ES256"));
    assert_eq!(argument(rsa.algorithm, &ecdsa.key, &rsa.message, &rsa.signature), None);
    assert_eq!(argument(ecdsa.algorithm, &rsa.key, &ecdsa.message, &ecdsa.signature), None);
}

#[track_caller]
fn check_answer(answer: &[u8], expected: Option<bool>) {
    assert_eq!(read_answer(answer), expected, "{answer:02x?}");
}

#[test]
fn answers() {
    check_answer(&[], Some(false));
    check_answer(&[0x08, 0], Some(false));
    check_answer(&[0x08, 1], Some(true));
    // An error, even next to a positive result.
    check_answer(&[0x12, 3, b'b', b'a', b'd'], Some(false));
    check_answer(&[0x08, 1, 0x12, 3, b'b', b'a', b'd'], Some(false));
    check_answer(&[0x12, 3, b'b', b'a', b'd', 0x08, 1], Some(false));
    check_answer(&[0x08, 1, 0x12, 0], Some(true));
    // In protobuf the last occurrence of a field counts.
    check_answer(&[0x08, 1, 0x08, 0], Some(false));
    // Unknown fields, which later versions may add.
    check_answer(&[0x18, 5, 0x08, 1, 0x22, 1, 0], Some(true));
    check_answer(&[0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x1d, 1, 2, 3, 4, 0x08, 1], Some(true));
}

#[test]
fn what_is_no_answer() {
    check_answer(&[0x08], None);
    check_answer(&[0x08, 0x80], None);
    check_answer(&[0x08, 1, 0x12, 4, b'b', b'a', b'd'], None);
    // A result of type bytes, an error of type number.
    check_answer(&[0x0a, 1, 1], None);
    check_answer(&[0x08, 1, 0x10, 1], None);
    check_answer(b"false", None);
}
