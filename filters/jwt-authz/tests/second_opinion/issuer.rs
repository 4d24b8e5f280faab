//! The issuer of the tokens.

pub(crate) const ISSUER: &str = "https://auth.example.com";
pub(crate) const AUDIENCE: &str = "api.example.com";
pub(crate) const SUBJECT: &str = "alice";
/// How far its clock may be off, in seconds.
pub(crate) const LEEWAY: u64 = 30;
