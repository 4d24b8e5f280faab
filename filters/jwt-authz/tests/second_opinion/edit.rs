//! Changes to a token, and which of them are tried.

use crate::issuer::{AUDIENCE, ISSUER, LEEWAY, SUBJECT};
use crate::keys;
use crate::token::{Change, Part, Token};
use jsonwebtoken::Algorithm;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A change to a token.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    /// The member has another value, or is new.
    Set(Part, &'static str, Value),
    /// One more member, behind those that are there.
    Add(Part, &'static str, Value),
    Remove(Part, &'static str),
    /// Something else than the object.
    Instead(Part, Value),
    /// Text behind the JSON.
    Rest(Part, &'static str),
    SignWith(Algorithm),
    /// A change to the bytes of the signature.
    Signature(Change),
    /// One byte of the signature is another.
    Flip(Index, u8),
    /// A change to the base64url text of a part.
    Encoding(Part, Change),
    /// A change to the token as a whole.
    Around(Change),
}

/// A value in JSON.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(&'static [u8]),
    /// The present time and so many seconds, and what follows in the text, for example `.5`.
    Time(i64, &'static str),
    /// `exp`, `nbf`, `sub`, `iss`, `aud` in an array.
    ClaimsInArray,
    /// An array in an array, so many levels deep.
    Nested(usize),
    /// A string of so many bytes.
    Long(usize),
}

impl Value {
    fn text(&self, now: u64) -> Vec<u8> {
        match self {
            Self::Text(text) => text.to_vec(),
            Self::Time(seconds, rest) => {
                format!("{}{rest}", now.saturating_add_signed(*seconds)).into_bytes()
            }
            Self::ClaimsInArray => {
                format!("[{}, 0, \"{SUBJECT}\", \"{ISSUER}\", \"{AUDIENCE}\"]", now + 60).into_bytes()
            }
            Self::Nested(depth) => [b"[".repeat(*depth), b"]".repeat(*depth)].concat(),
            Self::Long(bytes) => [b"\"", b"x".repeat(*bytes).as_slice(), b"\""].concat(),
        }
    }
}

impl Edit {
    pub(crate) fn apply(&self, token: &mut Token) {
        let now = token.now;
        match self {
            Self::Set(part, name, value) => {
                let members = &mut token.json(*part).members;
                let value = value.text(now);
                match members.iter_mut().find(|(other, _)| other == name) {
                    Some((_, old)) => *old = value,
                    None => members.push(((*name).to_owned(), value)),
                }
            }
            Self::Add(part, name, value) => {
                token.json(*part).members.push(((*name).to_owned(), value.text(now)))
            }
            Self::Remove(part, name) => token.json(*part).members.retain(|(other, _)| other != name),
            Self::Instead(part, value) => token.json(*part).instead = Some(value.text(now)),
            Self::Rest(part, rest) => token.json(*part).rest.extend(rest.bytes()),
            Self::SignWith(algorithm) => token.algorithm = *algorithm,
            Self::Signature(change) => token.signature.push(*change),
            Self::Flip(place, change) => token.flips.push((place.index(1 << 16), *change)),
            Self::Encoding(part, change) => token.encoding.push((*part, *change)),
            Self::Around(change) => token.around.push(*change),
        }
    }
}

const HEADER_NAMES: [&str; 20] = [
    "alg",
    "kid",
    "crit",
    "typ",
    "cty",
    "jku",
    "jwk",
    "x5u",
    "x5c",
    "x5t",
    "x5t#S256",
    "enc",
    "zip",
    "url",
    "nonce",
    "b64",
    "ALG",
    "\\u0061lg",
    "",
    "x",
];

const CLAIM_NAMES: [&str; 11] =
    ["exp", "nbf", "iat", "iss", "aud", "sub", "jti", "EXP", "\\u0065xp", "", "x"];

/// Values of all types, those that mean something in a token among them.
const TEXTS: [&[u8]; 62] = [
    b"null",
    b"true",
    b"false",
    b"0",
    b"-0",
    b"-0.0",
    b"-1",
    b"-1.5",
    b"1",
    b"0.5",
    b"1e3",
    b"1e18",
    b"1e300",
    b"1e400",
    b"-1e400",
    b"9223372036854775807",
    b"9223372036854775808",
    b"18446744073709551615",
    b"18446744073709551616",
    b"01",
    b"NaN",
    b"\"\"",
    b"\"x\"",
    b"\"1\"",
    b"\"JWT\"",
    b"\"none\"",
    b"\"HS256\"",
    b"\"hs256\"",
    b"\"HS512\"",
    b"\"RS256\"",
    b"\"PS256\"",
    b"\"ES256\"",
    b"\"EdDSA\"",
    b"\"Ed25519\"",
    b"\"ES512\"",
    b"\"\\u0048S256\"",
    b"\"rsa-a\"",
    b"\"p256-a\"",
    b"\"hmac-a\"",
    b"\"ed25519-a\"",
    b"\"https://auth.example.com\"",
    b"\"https://auth.example.com/\"",
    b"\"api.example.com\"",
    b"\"alice\"",
    b"\"Alice\"",
    b"\"\\ud800\"",
    b"\"\xff\"",
    b"\"\0\"",
    b"[]",
    b"[null]",
    b"[\"x\"]",
    b"[\"exp\"]",
    b"[\"b64\"]",
    b"[\"https://auth.example.com\"]",
    b"[\"x\", \"api.example.com\"]",
    b"[\"api.example.com\", 1]",
    b"[\"alice\"]",
    b"{}",
    b"{\"HS256\": null}",
    b"{\"x\": 1, \"x\": 2}",
    b"{\"keys\": [{\"x\": 1, \"x\": 1}]}",
    b"[1, 2",
];

/// Seconds around which a verdict changes.
fn time() -> impl Strategy<Value = Value> {
    let leeway = LEEWAY as i64;
    let seconds = select(vec![0, 1, -1, leeway, -leeway, 3600, -3600]);
    let fractions = select(vec!["", ".0", ".4", ".5", ".999999999999", "e0", "0", "000000000000"]);
    (seconds, -2..=2i64, fractions)
        .prop_map(|(seconds, around, fraction)| Value::Time(seconds + around, fraction))
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        12 => select(TEXTS.to_vec()).prop_map(Value::Text),
        4 => time(),
        1 => (120..132usize).prop_map(Value::Nested),
        1 => select(vec![256, 257, 5500, 9000]).prop_map(Value::Long),
    ]
}

/// A member of the header or the payload.
fn member() -> impl Strategy<Value = (Part, &'static str)> {
    prop_oneof![
        select(HEADER_NAMES.to_vec()).prop_map(|name| (Part::Header, name)),
        select(CLAIM_NAMES.to_vec()).prop_map(|name| (Part::Payload, name)),
    ]
}

fn json_part() -> impl Strategy<Value = Part> {
    select(vec![Part::Header, Part::Payload])
}

fn part() -> impl Strategy<Value = Part> {
    select(vec![Part::Header, Part::Payload, Part::Signature])
}

/// What decoders of base64 differ in.
fn encoding() -> impl Strategy<Value = Change> {
    let changes: [Change; 10] = [
        |text| text.push(b'='),
        |text| text.extend(b"=="),
        |text| text.push(b'A'),
        |text| text.push(b' '),
        |text| text.insert(text.len() / 2, b'\n'),
        |text| text.insert(text.len() / 2, b'%'),
        |text| text.truncate(text.len().saturating_sub(1)),
        |text| text.clear(),
        // The standard alphabet.
        |text| {
            text.iter_mut().for_each(|byte| match byte {
                b'-' => *byte = b'+',
                b'_' => *byte = b'/',
                _ => {}
            });
        },
        // The next letter: the last of its six bits may be in no byte.
        |text| {
            if let Some(last) = text.last_mut() {
                *last = match *last {
                    b'Z' => b'a',
                    b'z' => b'0',
                    b'9' => b'-',
                    b'-' => b'_',
                    b'_' => b'A',
                    other => other + 1,
                };
            }
        },
    ];
    select(changes.to_vec())
}

fn signature() -> impl Strategy<Value = Change> {
    let changes: [Change; 7] = [
        |bytes| bytes.truncate(bytes.len().saturating_sub(1)),
        |bytes| bytes.push(0),
        |bytes| bytes.insert(0, 0),
        |bytes| drop(bytes.drain(..bytes.len().min(1))),
        Vec::clear,
        |bytes| bytes.fill(0),
        |bytes| bytes.reverse(),
    ];
    select(changes.to_vec())
}

fn around() -> impl Strategy<Value = Change> {
    let changes: [Change; 7] = [
        |token| token.push(b'.'),
        |token| token.insert(0, b'.'),
        |token| token.extend(b".e30"),
        |token| token.retain(|byte| *byte != b'.'),
        |token| token.push(b' '),
        |token| token.insert(0, b'\t'),
        |token| token.resize(9000, b'A'),
    ];
    select(changes.to_vec())
}

/// A change to a token.
pub(crate) fn edit() -> impl Strategy<Value = Edit> {
    let rest = select(vec![" ", "\n", "x", "{}", "\0", ","]);
    prop_oneof![
        12 => (member(), value()).prop_map(|((part, name), value)| Edit::Set(part, name, value)),
        4 => (select(vec!["exp", "nbf", "iat"]), time()).prop_map(|(name, time)| Edit::Set(Part::Payload, name, time)),
        4 => (member(), value()).prop_map(|((part, name), value)| Edit::Add(part, name, value)),
        2 => member().prop_map(|(part, name)| Edit::Remove(part, name)),
        1 => (json_part(), value()).prop_map(|(part, value)| Edit::Instead(part, value)),
        1 => Just(Edit::Instead(Part::Payload, Value::ClaimsInArray)),
        1 => (json_part(), rest).prop_map(|(part, rest)| Edit::Rest(part, rest)),
        1 => select(keys::ALGORITHMS.to_vec()).prop_map(Edit::SignWith),
        1 => signature().prop_map(Edit::Signature),
        1 => (any::<Index>(), 1u8..).prop_map(|(place, change)| Edit::Flip(place, change)),
        2 => (part(), encoding()).prop_map(|(part, change)| Edit::Encoding(part, change)),
        1 => around().prop_map(Edit::Around),
    ]
}
