//! The table of all differences between the filter and `jsonwebtoken`, with the reason for each.

use crate::edit::{Edit, Value};
use crate::issuer::LEEWAY;
use crate::token::{Json, Part, Token};
use crate::verdict::Verdict;
use jsonwebtoken::Algorithm::{self, EdDSA, HS256};
use mesh_config::json::InvalidJson;

/// A known difference.
pub(crate) struct Difference {
    pub(crate) name: &'static str,
    /// Why the filter does as it does.
    pub(crate) because: &'static str,
    /// The filter's reason for its refusal; `None`: it accepts.
    ours: Option<&'static str>,
    /// The error kind of `jsonwebtoken`; `None`: it accepts.
    theirs: Option<&'static str>,
    /// Whether a token has the property in question.
    applies: fn(&Token) -> bool,
    /// A token that shows it: of this algorithm, with these changes.
    pub(crate) algorithm: Algorithm,
    pub(crate) example: &'static [Edit],
}

impl Difference {
    /// Whether the two verdicts are those of this difference, and the token has what it is about.
    pub(crate) fn explains(&self, token: &Token, ours: &Verdict, theirs: &Verdict) -> bool {
        ours.as_ref().err().map(String::as_str) == self.ours
            && theirs.as_ref().err().map(String::as_str) == self.theirs
            && (self.applies)(token)
    }
}

const LEEWAY_BACK: i64 = -(LEEWAY as i64);
const LEEWAY_AHEAD: i64 = LEEWAY as i64;

pub(crate) const DIFFERENCES: [Difference; 18] = [
    // `jsonwebtoken` accepts, the filter refuses.
    Difference {
        name: "a name is repeated in the header",
        because: "whoever reads the other value sees another header (RFC 7515, section 4)",
        ours: Some("malformed"),
        theirs: None,
        applies: |token| repeats_a_name(&token.header),
        algorithm: HS256,
        example: &[
            Edit::Add(Part::Header, "x", Value::Text(b"1")),
            Edit::Add(Part::Header, "x", Value::Text(b"2")),
        ],
    },
    Difference {
        name: "a name is repeated in the payload",
        because: "the upstream may read the other value (RFC 7519, section 4)",
        ours: Some("bad_claims"),
        theirs: None,
        applies: |token| repeats_a_name(&token.payload),
        algorithm: HS256,
        example: &[
            Edit::Add(Part::Payload, "role", Value::Text(b"\"user\"")),
            Edit::Add(Part::Payload, "role", Value::Text(b"\"admin\"")),
        ],
    },
    Difference {
        name: "`crit`",
        because: "a critical extension must be understood (RFC 7515, section 4.1.11), and the filter has none",
        ours: Some("malformed"),
        theirs: None,
        applies: |token| token.header.get("crit").is_some(),
        algorithm: HS256,
        example: &[Edit::Set(Part::Header, "crit", Value::Text(b"[\"b64\"]"))],
    },
    Difference {
        name: "`kid` is null",
        because: "`kid` must be a string (RFC 7515, section 4.1.4)",
        ours: Some("malformed"),
        theirs: None,
        applies: |token| token.header.get("kid").is_some_and(|id| id.is_null()),
        algorithm: HS256,
        example: &[Edit::Set(Part::Header, "kid", Value::Text(b"null"))],
    },
    Difference {
        name: "`alg` is an object",
        because: "`alg` must be a string (RFC 7515, section 4.1.1); serde also reads an enum from an object",
        ours: Some("malformed"),
        theirs: None,
        applies: |token| token.header.get("alg").is_some_and(|algorithm| algorithm.is_object()),
        algorithm: HS256,
        example: &[Edit::Set(Part::Header, "alg", Value::Text(b"{\"HS256\": null}"))],
    },
    Difference {
        name: "the payload is an array",
        because: "claims are an object (RFC 7519, section 3); serde also reads a struct from an array of its fields",
        ours: Some("bad_claims"),
        theirs: None,
        applies: |token| token.payload.value().is_some_and(|payload| payload.is_array()),
        algorithm: HS256,
        example: &[Edit::Instead(Part::Payload, Value::ClaimsInArray)],
    },
    Difference {
        name: "`iat` is not a number",
        because: "`iat` must be a number (RFC 7519, section 4.1.6); `jsonwebtoken` does not check it",
        ours: Some("bad_claims"),
        theirs: None,
        applies: |token| token.payload.get("iat").is_some_and(|issued| !issued.is_number()),
        algorithm: HS256,
        example: &[Edit::Set(Part::Payload, "iat", Value::Text(b"\"1\""))],
    },
    Difference {
        name: "`iat` is in the future",
        because: "the issuer's clock is wrong by more than `leeway`, so its `exp` is wrong as well",
        ours: Some("not_yet_valid"),
        theirs: None,
        applies: |token| time(token, "iat").is_some_and(|issued| issued > token.now as f64 + LEEWAY as f64),
        algorithm: HS256,
        example: &[Edit::Set(Part::Payload, "iat", Value::Time(LEEWAY_AHEAD + 1, ""))],
    },
    Difference {
        name: "`exp` is this very second",
        because: "a token must not be accepted on or after `exp` (RFC 7519, section 4.1.4)",
        ours: Some("expired"),
        theirs: None,
        applies: |token| time(token, "exp") == Some(token.now as f64 - LEEWAY as f64),
        algorithm: HS256,
        example: &[Edit::Set(Part::Payload, "exp", Value::Time(LEEWAY_BACK, ""))],
    },
    Difference {
        name: "a fraction in `exp`",
        because: "times may have fractions (RFC 7519, section 2); `jsonwebtoken` rounds them",
        ours: Some("expired"),
        theirs: None,
        applies: |token| time(token, "exp").is_some_and(|expires| expires.fract() != 0.0),
        algorithm: HS256,
        example: &[Edit::Set(Part::Payload, "exp", Value::Time(LEEWAY_BACK - 1, ".5"))],
    },
    Difference {
        name: "a fraction in `nbf`",
        because: "times may have fractions (RFC 7519, section 2); `jsonwebtoken` rounds them",
        ours: Some("not_yet_valid"),
        theirs: None,
        applies: |token| time(token, "nbf").is_some_and(|begins| begins.fract() != 0.0),
        algorithm: HS256,
        example: &[Edit::Set(Part::Payload, "nbf", Value::Time(LEEWAY_AHEAD, ".4"))],
    },
    Difference {
        name: "several issuers",
        because: "`iss` is one string (RFC 7519, section 4.1.1)",
        ours: Some("wrong_issuer"),
        theirs: None,
        applies: |token| token.payload.get("iss").is_some_and(|issuer| issuer.is_array()),
        algorithm: HS256,
        example: &[Edit::Set(Part::Payload, "iss", Value::Text(b"[\"https://auth.example.com\"]"))],
    },
    Difference {
        name: "a long token",
        because: "`max_token_bytes` bounds the work of a check",
        ours: Some("too_large"),
        theirs: None,
        applies: |token| token.bytes().len() > 8192,
        algorithm: HS256,
        example: &[Edit::Set(Part::Payload, "x", Value::Long(9000))],
    },
    // The filter accepts, `jsonwebtoken` refuses.
    Difference {
        name: "an unused header field has the wrong type",
        because: "the filter does not use the sender's `jwk`, `jku` and the like, so their type does not matter",
        ours: None,
        theirs: Some("Json"),
        applies: |token| {
            UNUSED.iter().any(|name| token.header.get(name).is_some_and(|value| !is_expected(name, &value)))
        },
        algorithm: HS256,
        example: &[Edit::Set(Part::Header, "typ", Value::Text(b"1"))],
    },
    Difference {
        name: "`Ed25519`",
        because: "RFC 9864 has replaced `EdDSA` by it; the signature is the same",
        ours: None,
        theirs: Some("Json"),
        applies: |token| token.header.get("alg").is_some_and(|algorithm| algorithm == "Ed25519"),
        algorithm: EdDSA,
        example: &[Edit::Set(Part::Header, "alg", Value::Text(b"\"Ed25519\""))],
    },
    Difference {
        name: "`nbf` before 1970",
        because: "a negative number is a time that has passed",
        ours: None,
        theirs: Some("InvalidClaimFormat"),
        applies: |token| time(token, "nbf").is_some_and(|begins| begins < 0.0),
        algorithm: HS256,
        example: &[Edit::Set(Part::Payload, "nbf", Value::Text(b"-1"))],
    },
    Difference {
        name: "`exp` beyond 64 bits",
        because: "it is in the future; `max_lifetime` sets a bound",
        ours: None,
        theirs: Some("MissingRequiredClaim"),
        applies: |token| time(token, "exp").is_some_and(|expires| expires >= u64::MAX as f64),
        algorithm: HS256,
        example: &[Edit::Set(Part::Payload, "exp", Value::Text(b"1e300"))],
    },
    Difference {
        name: "spaces around the token",
        because: "spaces around a header's value are not part of it (RFC 9110, section 5.5)",
        ours: None,
        theirs: Some("Base64"),
        applies: |token| token.bytes().trim_ascii() != token.bytes(),
        algorithm: HS256,
        example: &[Edit::Around(|token| token.push(b' '))],
    },
];

fn time(token: &Token, name: &str) -> Option<f64> {
    token.payload.get(name)?.as_f64()
}

/// Whether JSON repeats a name, at whatever depth.
fn repeats_a_name(json: &Json) -> bool {
    json.value().is_some() && mesh_config::json::parse(&json.text()) == Err(InvalidJson::NameTwice)
}

/// The members of a header that `jsonwebtoken` reads, and the filter does not.
const UNUSED: [&str; 12] =
    ["typ", "cty", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "enc", "zip", "url", "nonce"];

/// Whether a member has the type that `jsonwebtoken` wants.
fn is_expected(name: &str, value: &serde_json::Value) -> bool {
    let is_text = serde_json::Value::is_string;
    value.is_null()
        || match name {
            "jwk" => false,
            "x5c" => value.as_array().is_some_and(|chain| chain.iter().all(is_text)),
            _ => is_text(value),
        }
}
