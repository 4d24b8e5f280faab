//! Valid keys, and the reasons for skipping others.

use super::super::tests::vectors::set_of;
use super::{Origin, read};
use crate::crypto::{Algorithm, Key, SkipReason};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

fn foreign(name: &str) -> Value {
    let file: Value = serde_json::from_str(include_str!("../tests/vectors/foreign.json")).unwrap();
    file["keys"][name].clone()
}

/// The named key with these members replaced; `null` removes a member.
fn with(name: &str, members: &Value) -> Value {
    let mut jwk = foreign(name);
    for (member, value) in members.as_object().unwrap() {
        match value {
            Value::Null => drop(jwk.as_object_mut().unwrap().remove(member)),
            value => jwk[member] = value.clone(),
        }
    }
    jwk
}

fn encoded(bytes: &[u8]) -> Value {
    URL_SAFE_NO_PAD.encode(bytes).into()
}

fn decoded(jwk: &Value, member: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jwk[member].as_str().unwrap()).unwrap()
}

#[track_caller]
fn good(jwk: &Value) -> Key {
    read(jwk, Origin::Inline).unwrap_or_else(|reason| panic!("{jwk}: {reason}"))
}

/// Expects the same reason for both origins.
#[track_caller]
fn check(jwk: &Value, expected: &str) {
    for origin in [Origin::Inline, Origin::Remote] {
        check_from(origin, jwk, expected);
    }
}

#[track_caller]
fn check_from(origin: Origin, jwk: &Value, expected: &str) {
    match read(jwk, origin) {
        Ok(key) => panic!("{key:?}"),
        Err(reason) => assert_eq!(reason.to_string(), expected, "{origin:?} {jwk}"),
    }
}

#[track_caller]
fn check_algorithms(key: &Key, expected: &[&str]) {
    let names: Vec<&str> =
        Algorithm::ALL.into_iter().filter(|algorithm| key.fits(*algorithm)).map(Algorithm::name).collect();
    assert_eq!(names, expected);
}

#[test]
fn a_key_without_alg_fits_all_of_its_type() {
    check_algorithms(&good(&foreign("rsa")), &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]);
    check_algorithms(&good(&foreign("p256")), &["ES256"]);
    check_algorithms(&good(&foreign("p384")), &["ES384"]);
    check_algorithms(&good(&foreign("ed25519")), &["EdDSA"]);
    check_algorithms(&good(&foreign("secret")), &["HS256", "HS384", "HS512"]);
}

#[test]
fn alg_restricts_a_key() {
    check_algorithms(&good(&with("rsa", &json!({"alg": "PS384"}))), &["PS384"]);
    check_algorithms(&good(&with("ed25519", &json!({"alg": "Ed25519"}))), &["EdDSA"]);
    check_algorithms(&good(&with("secret", &json!({"alg": "HS256"}))), &["HS256"]);
}

/// Required by RFC 7518 section 3.2.
#[test]
fn a_secret_is_as_long_as_the_hash() {
    let secret =
        |bytes: usize, alg: Value| with("secret", &json!({"k": encoded(&vec![7; bytes]), "alg": alg}));
    check_algorithms(&good(&secret(32, Value::Null)), &["HS256"]);
    check_algorithms(&good(&secret(47, Value::Null)), &["HS256"]);
    check_algorithms(&good(&secret(48, Value::Null)), &["HS256", "HS384"]);
    check_algorithms(&good(&secret(64, "HS512".into())), &["HS512"]);
    let check = |jwk, expected| check_from(Origin::Inline, &jwk, expected);
    check(secret(0, Value::Null), "`k` has 0 bytes, expected at least 32");
    check(secret(31, Value::Null), "`k` has 31 bytes, expected at least 32");
    check(secret(47, "HS384".into()), "`k` has 47 bytes, expected at least 48");
    check(secret(63, "HS512".into()), "`k` has 63 bytes, expected at least 64");
}

#[test]
fn a_name_and_a_use() {
    assert_eq!(good(&foreign("rsa")).id(), None);
    assert_eq!(good(&with("rsa", &json!({"kid": "a", "use": "sig"}))).id(), Some("a"));
    assert_eq!(good(&with("rsa", &json!({"kid": "", "key_ops": ["sign", "verify"]}))).id(), Some(""));
    let longest = "é".repeat(128);
    assert_eq!(good(&with("rsa", &json!({"kid": longest}))).id(), Some(longest.as_str()));
}

/// Unknown members are ignored (RFC 7517 section 4).
#[test]
fn other_members_are_ignored() {
    good(&with("rsa", &json!({"x5c": ["AAAA"], "x5t": 7, "ext": true, "nbf": null})));
}

#[test]
fn what_is_wrong_with_any_key() {
    check(&json!("a key"), "expected an object");
    check(&json!([]), "expected an object");
    check(&json!({}), "`kty` is missing");
    check(&json!({"kty": 7}), "`kty` is not text");
    check(&json!({"kty": "rsa"}), "`kty` is `rsa`, expected one of `RSA`, `EC`, `OKP`, `oct`");
    check(&with("rsa", &json!({"use": "enc"})), "`use` is `enc`, expected `sig` or `jwt-svid`");
    check(&with("rsa", &json!({"use": ["sig"]})), "`use` is not text");
    check(&with("rsa", &json!({"key_ops": ["sign"]})), "`key_ops` is not a list with `verify`");
    check(&with("rsa", &json!({"key_ops": []})), "`key_ops` is not a list with `verify`");
    check(&with("rsa", &json!({"key_ops": "verify"})), "`key_ops` is not a list with `verify`");
    check(&with("rsa", &json!({"kid": 7})), "`kid` is not text");
    check(&with("rsa", &json!({"kid": "k".repeat(257)})), "`kid` has 257 bytes, expected at most 256");
    check(&with("rsa", &json!({"alg": 256})), "`alg` is not text");
    check(
        &with("rsa", &json!({"alg": "RSA-OAEP"})),
        "`alg` is `RSA-OAEP`, expected one of `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, \
         `ES256`, `ES384`, `EdDSA`, `HS256`, `HS384`, `HS512`",
    );
}

#[test]
fn an_algorithm_of_another_type() {
    let expected = |alg: &str| format!("`alg` is `{alg}`, which is not for this type of key");
    for (name, alg) in [
        ("rsa", "ES256"),
        ("rsa", "HS256"),
        ("p256", "ES384"),
        ("p384", "ES256"),
        ("p256", "RS256"),
        ("ed25519", "ES256"),
    ] {
        check(&with(name, &json!({"alg": alg})), &expected(alg));
    }
    check_from(Origin::Inline, &with("secret", &json!({"alg": "RS256"})), &expected("RS256"));
}

/// The reasons are logged, and a fetched set may contain anything.
#[test]
fn what_is_shown_is_short_and_printable() {
    let kty = format!("a\n\u{1b}[31m{}", "ü".repeat(1000));
    check(
        &json!({"kty": kty}),
        &format!(
            "`kty` is `a\\n\\u{{1b}}[31m{}…`, expected one of `RSA`, `EC`, `OKP`, `oct`",
            "ü".repeat(33)
        ),
    );
}

#[test]
fn rsa_numbers() {
    for (member, wrong, expected) in [
        ("n", Value::Null, "`n` is missing"),
        ("e", Value::Null, "`e` is missing"),
        ("n", json!(7), "`n` is not text"),
        ("e", json!(65537), "`e` is not text"),
        ("e", json!("AQAB="), "`e` is not base64url"),
        ("e", json!("AQA+"), "`e` is not base64url"),
        ("e", json!("AQAB=="), "`e` is not base64url"),
        ("e", json!("AQAB===="), "`e` is not base64url"),
        ("e", json!("="), "`e` is not base64url"),
        ("e", json!("AQ=AB"), "`e` is not base64url"),
        ("e", json!("AQ==AB"), "`e` is not base64url"),
        ("e", json!("AQ="), "`e` is not base64url"),
        ("e", json!("Aw="), "`e` is not base64url"),
        ("e", json!("Aw==="), "`e` is not base64url"),
        ("e", json!("Ax=="), "`e` is not base64url"),
        ("e", json!("AQ\nAB"), "`e` is not base64url"),
        // `Aw` is 3; `Ax` has nonzero trailing bits.
        ("e", json!("Ax"), "`e` is not base64url"),
        ("e", json!(""), "`e` is not an odd number from 3 to 2^33"),
        ("e", encoded(&[1]), "`e` is not an odd number from 3 to 2^33"),
        ("e", encoded(&[2]), "`e` is not an odd number from 3 to 2^33"),
        ("e", encoded(&[1, 0, 0]), "`e` is not an odd number from 3 to 2^33"),
        ("e", encoded(&[2, 0, 0, 0, 1]), "`e` is not an odd number from 3 to 2^33"),
        ("e", encoded(&[1; 9]), "`e` is not an odd number from 3 to 2^33"),
        ("n", json!(""), "`n` has 0 bits, expected 2048 to 4096"),
        ("n", encoded(&[0xff; 128]), "`n` has 1024 bits, expected 2048 to 4096"),
        (
            "n",
            encoded(&[&[0x7f], [0xff; 255].as_slice()].concat()),
            "`n` has 2047 bits, expected 2048 to 4096",
        ),
        ("n", encoded(&[&[1], [0xff; 512].as_slice()].concat()), "`n` has 4097 bits, expected 2048 to 4096"),
        ("n", encoded(&[0xfe; 256]), "`n` is even, expected an odd number"),
    ] {
        check(&with("rsa", &json!({ member: wrong })), expected);
    }
    for exponent in [encoded(&[3]), encoded(&[1, 255, 255, 255, 255])] {
        good(&with("rsa", &json!({"e": exponent})));
    }
}

/// They are not allowed, but some issuers add them (RFC 7518 section 6.3.1.1).
#[test]
fn leading_zeros_of_rsa_numbers_do_not_count() {
    let jwk = foreign("rsa");
    let padded = |member| encoded(&[&[0], decoded(&jwk, member).as_slice()].concat());
    assert_eq!(good(&with("rsa", &json!({"n": padded("n"), "e": padded("e")}))), good(&jwk));
}

/// The named key with these members set to `null`.
fn with_null(name: &str, members: &[&str]) -> Value {
    let mut jwk = foreign(name);
    members.iter().for_each(|member| jwk[*member] = Value::Null);
    jwk
}

/// Some serializers write unset members as `null`; .NET's does so for every member of a key.
#[test]
fn null_is_absent_where_a_member_may_be() {
    for name in ["rsa", "p256", "p384", "ed25519"] {
        let optional =
            ["alg", "use", "kid", "key_ops", "x5c", "x5t", "k", "d", "p", "q", "dp", "dq", "qi", "oth"];
        let jwk = with_null(name, &optional);
        for origin in [Origin::Inline, Origin::Remote] {
            assert_eq!(read(&jwk, origin), Ok(good(&foreign(name))), "{name}");
        }
    }
    assert_eq!(good(&with_null("secret", &["alg", "use", "kid", "key_ops", "d"])), good(&foreign("secret")));
    for (name, member) in
        [("rsa", "kty"), ("rsa", "n"), ("rsa", "e"), ("p256", "crv"), ("p256", "y"), ("ed25519", "x")]
    {
        check(&with_null(name, &[member]), &format!("`{member}` is not text"));
    }
}

/// SPIFFE bundles use other values of `use`, as RFC 7517 section 4.2 allows.
#[test]
fn keys_of_spiffe() {
    assert_eq!(good(&with("p256", &json!({"use": "jwt-svid"}))), good(&foreign("p256")));
    let other = with("p256", &json!({"use": "x509-svid", "x5c": ["AAAA"]}));
    check(&other, "`use` is `x509-svid`, expected `sig` or `jwt-svid`");
    assert!(read(&other, Origin::Remote).unwrap_err().is_other_use());
    check(&with("p256", &json!({"use": "JWT-SVID"})), "`use` is `JWT-SVID`, expected `sig` or `jwt-svid`");
}

/// Correct padding is accepted.
#[test]
fn padding_of_base64url() {
    for name in ["rsa", "p256", "p384", "ed25519", "secret"] {
        let mut jwk = foreign(name);
        for member in ["n", "e", "x", "y", "k"] {
            if let Some(text) = jwk[member].as_str() {
                let padded = format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4));
                for wrong in
                    [format!("={text}"), format!("{text}="), format!("{text}=="), format!("{text}===")]
                {
                    if wrong != padded {
                        let mut jwk = jwk.clone();
                        jwk[member] = json!(wrong);
                        check_from(Origin::Inline, &jwk, &format!("`{member}` is not base64url"));
                    }
                }
                jwk[member] = json!(padded);
            }
        }
        assert_eq!(good(&jwk), good(&foreign(name)), "{name}");
    }
}

/// Points whose `x` begins with a zero byte: 379 times the base point of P-256, and 197 times that of P-384.
const SHORT_POINTS: [(&str, &str, &str); 2] = [
    ("P-256", "AFVDiUrz0A7X10Cr29dclrBod7eH219w7qeLkKjXwAo", "u0yFo9jqKe-q-iRAaRLdhNWxTcMr9lbvbGvVil2UP5I"),
    (
        "P-384",
        "AE0QSybuVnH3LBDJhoQdPmXSheJRYWG3uqNBsSYxueMrbw1YlthDHFHV2To3y8kO",
        "8RoeP4t7kFOO5CzADuk0puLuJVQWB9j7ZceosR4viGhTiG7vOGXskzIAufJVmfKf",
    ),
];

/// Libraries that encode big integers omit leading zeros, or add one if the first bit is set.
#[test]
fn leading_zeros_of_coordinates_do_not_count() {
    for (name, size) in [("p256", 32), ("p384", 48)] {
        let jwk = foreign(name);
        for member in ["x", "y"] {
            let full = decoded(&jwk, member);
            assert_eq!(full.len(), size);
            let one = encoded(&[&[0], full.as_slice()].concat());
            assert_eq!(good(&with(name, &json!({ member: one }))), good(&jwk), "{name} {member}");
            for front in [&[0, 0][..], &[1], &[0, 1]] {
                let more = encoded(&[front, full.as_slice()].concat());
                let expected = format!("`{member}` has {} bytes, expected {size}", size + front.len());
                check(&with(name, &json!({ member: more })), &expected);
            }
            check(&with(name, &json!({ member: encoded(&full[1..]) })), &{
                let curve = if name == "p256" { "P-256" } else { "P-384" };
                format!("not a usable point of `{curve}`")
            });
        }
    }
    let short = |curve: &str, x: &Value, y: &Value| json!({"kty": "EC", "crv": curve, "x": x, "y": y});
    for (curve, x, y) in SHORT_POINTS {
        let (x, y) = (json!(x), json!(y));
        let full = short(curve, &x, &y);
        let bytes = decoded(&full, "x");
        assert_eq!(bytes[0], 0);
        assert_eq!(good(&short(curve, &encoded(&bytes[1..]), &y)), good(&full));
        assert_eq!(good(&short(curve, &encoded(&[&[0], bytes.as_slice()].concat()), &y)), good(&full));
    }
}

/// It is a little-endian octet string, which has no leading zeros.
#[test]
fn a_key_of_ed25519_is_no_number() {
    let full = decoded(&foreign("ed25519"), "x");
    for wrong in
        [&[&[0], full.as_slice()].concat(), &full[1..], &full[..31], &[full.as_slice(), &[0]].concat()]
    {
        let expected = format!("`x` has {} bytes, expected 32", wrong.len());
        check(&with("ed25519", &json!({"x": encoded(wrong)})), &expected);
    }
}

#[test]
fn points() {
    let mut off = decoded(&foreign("p256"), "y");
    off[31] ^= 1;
    let zeros = |bytes: usize| encoded(&vec![0; bytes]);
    for (name, members, expected) in [
        ("p256", json!({"crv": null}), "`crv` is missing"),
        ("p256", json!({"crv": "P-521"}), "`crv` is `P-521`, expected `P-256` or `P-384`"),
        ("p256", json!({"crv": "secp256k1"}), "`crv` is `secp256k1`, expected `P-256` or `P-384`"),
        ("p256", json!({"crv": "P-384"}), "not a usable point of `P-384`"),
        ("p384", json!({"crv": "P-256"}), "`x` has 48 bytes, expected 32"),
        ("p256", json!({"x": null}), "`x` is missing"),
        ("p256", json!({"y": null}), "`y` is missing"),
        ("p256", json!({"x": zeros(34)}), "`x` has 34 bytes, expected 32"),
        ("p256", json!({"x": encoded(&[1; 33])}), "`x` has 33 bytes, expected 32"),
        ("p256", json!({"y": zeros(31)}), "not a usable point of `P-256`"),
        ("p256", json!({"y": ""}), "`y` has 0 bytes, expected 32"),
        ("p256", json!({"y": encoded(&off)}), "not a usable point of `P-256`"),
        ("p256", json!({"x": zeros(32), "y": zeros(32)}), "not a usable point of `P-256`"),
        ("p256", json!({"x": encoded(&[0xff; 32])}), "not a usable point of `P-256`"),
        ("p384", json!({"y": zeros(48)}), "not a usable point of `P-384`"),
        ("ed25519", json!({"crv": "Ed448"}), "`crv` is `Ed448`, expected `Ed25519`"),
        ("ed25519", json!({"crv": "X25519"}), "`crv` is `X25519`, expected `Ed25519`"),
        ("ed25519", json!({"x": null}), "`x` is missing"),
        ("ed25519", json!({"x": zeros(31)}), "`x` has 31 bytes, expected 32"),
        // A point of order 4 is on the curve, but anyone can create signatures for it.
        ("ed25519", json!({"x": zeros(32)}), "not a usable point of `Ed25519`"),
        // No point on the curve has this y.
        (
            "ed25519",
            json!({"x": encoded(&[&[2], [0; 31].as_slice()].concat())}),
            "not a usable point of `Ed25519`",
        ),
    ] {
        check(&with(name, &members), expected);
    }
}

#[test]
fn a_secret_that_is_fetched() {
    check_from(Origin::Remote, &foreign("secret"), "`kty` is `oct`, but a set that is fetched is no secret");
    for (members, expected) in
        [(json!({"k": null}), "`k` is missing"), (json!({"k": "not base64"}), "`k` is not base64url")]
    {
        check_from(Origin::Inline, &with("secret", &members), expected);
    }
}

#[test]
fn a_private_key_does_not_belong_into_a_config() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        let jwk = with("rsa", &json!({ member: "AQAB" }));
        let expected = format!("found a private key (`{member}`), expected its public part only");
        check_from(Origin::Inline, &jwk, &expected);
        assert_eq!(read(&jwk, Origin::Remote), Ok(good(&foreign("rsa"))));
    }
    assert_eq!(read(&with("p256", &json!({"d": 7})), Origin::Inline), Err(SkipReason::Private("d")));
}

#[test]
fn secrets_are_not_shown() {
    let jwk = with("secret", &json!({"k": encoded(b"correct horse battery staple, and so on")}));
    let shown = format!("{:?}", set_of(&jwk));
    assert!(shown.contains("Secret(..)"), "{shown}");
    assert!(!shown.contains("99") && !shown.contains("correct"), "{shown}");
}
