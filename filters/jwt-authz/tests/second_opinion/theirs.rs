//! The verdict of `jsonwebtoken`, called as its documentation advises for a key set.

use crate::issuer::{AUDIENCE, ISSUER, LEEWAY, SUBJECT};
use crate::keys;
use crate::verdict::Verdict;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use std::sync::LazyLock;

static KEYS: LazyLock<JwkSet> = LazyLock::new(|| serde_json::from_value(keys::public_set()).unwrap());

/// A refusal is the error's kind, or that no key fits.
pub(crate) fn verdict(token: &[u8]) -> Verdict {
    let header = decode_header(token).map_err(kind)?;
    let candidates: Vec<&Jwk> = match &header.kid {
        Some(id) => KEYS.find(id).into_iter().collect(),
        None => KEYS.keys.iter().collect(),
    };
    let validation = validation(header.alg);
    let mut refusal = "no key".to_owned();
    for key in candidates {
        match decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation) {
            Ok(_) => return Ok(()),
            // The key is of another type.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidKeyFormat) => {}
            Err(error) => refusal = kind(error),
        }
    }
    Err(refusal)
}

fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE, "other.example.com"]);
    validation.sub = Some(SUBJECT.to_owned());
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

/// The kind of an error, without what the kind carries.
fn kind(error: Error) -> String {
    let kind = format!("{:?}", error.kind());
    kind.split(['(', ' ']).next().unwrap_or_default().to_owned()
}
