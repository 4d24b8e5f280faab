//! The registered claims of a verified token (RFC 7519, section 4.1).

use super::reason::{Fault, Reason};
use crate::config::Provider;
use serde_json::{Map, Value as Json};
use std::time::Duration;

/// Checks what the provider and the standard want of the claims.
///
/// `now`: since 1970. Answers until when the token is good, in seconds since 1970, leeway included;
/// `None` if it has no end.
pub(super) fn check(
    claims: &Map<String, Json>,
    provider: &Provider,
    now: Duration,
) -> Result<Option<f64>, Fault> {
    if let Some(issuer) = &provider.issuer
        && claims.get("iss").and_then(Json::as_str) != Some(issuer)
    {
        return Err(Fault::new(Reason::WrongIssuer, "the token is of another issuer"));
    }
    if !provider.audiences.is_empty() && !is_for(claims.get("aud"), &provider.audiences)? {
        return Err(Fault::new(Reason::WrongAudience, "the token is for another audience"));
    }
    let subject = claims.get("sub").and_then(Json::as_str);
    let is_subject = provider.subjects.is_empty()
        || provider.subjects.iter().any(|test| test.is_match_any(subject.iter()));
    if !is_subject {
        return Err(Fault::new(Reason::WrongSubject, "the token is of another subject"));
    }
    check_times(claims, provider, now)
}

fn check_times(claims: &Map<String, Json>, provider: &Provider, now: Duration) -> Result<Option<f64>, Fault> {
    let (now, leeway) = (now.as_secs_f64(), provider.leeway.as_secs_f64());
    let expires = date(claims, "exp", "the token's `exp` is not a number")?;
    if let Some(expires) = expires {
        // On or after that instant it must not be accepted.
        if now >= expires + leeway {
            return Err(Fault::new(Reason::Expired, "the token has expired"));
        }
        if provider.max_lifetime.is_some_and(|most| expires > now + most.as_secs_f64() + leeway) {
            return Err(Fault::new(Reason::BadClaims, "the token's `exp` is too far away"));
        }
    } else if provider.require_expiration || provider.max_lifetime.is_some() {
        return Err(Fault::new(Reason::BadClaims, "the token has no `exp`"));
    }
    let begins = date(claims, "nbf", "the token's `nbf` is not a number")?;
    let issued = date(claims, "iat", "the token's `iat` is not a number")?;
    for begin in [begins, issued].into_iter().flatten() {
        if now + leeway < begin {
            return Err(Fault::new(Reason::NotYetValid, "the token is not valid yet"));
        }
    }
    Ok(expires.map(|expires| expires + leeway))
}

/// A NumericDate: seconds since 1970, with a fraction or without.
fn date(claims: &Map<String, Json>, name: &str, what: &'static str) -> Result<Option<f64>, Fault> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::Number(number)) => Ok(number.as_f64()),
        Some(_) => Err(Fault::new(Reason::BadClaims, what)),
    }
}

/// Whether `aud`, a text or a list of texts, has one of these.
fn is_for(audience: Option<&Json>, audiences: &[String]) -> Result<bool, Fault> {
    let known = |text: &String| audiences.contains(text);
    match audience {
        None => Ok(false),
        Some(Json::String(text)) => Ok(known(text)),
        Some(Json::Array(items)) if items.iter().all(Json::is_string) => {
            Ok(items.iter().filter_map(Json::as_str).any(|text| audiences.iter().any(|own| own == text)))
        }
        Some(_) => Err(Fault::new(Reason::BadClaims, "the token's `aud` is not a text or a list of texts")),
    }
}
