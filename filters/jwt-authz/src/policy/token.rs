//! The shape of a token and its header: JWS compact serialization (RFC 7515, section 7.1).

use super::reason::{Fault, Reason};
use crate::crypto::Algorithm;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

/// A token, taken apart. Nothing of it is verified.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    /// What is signed: the first two parts and the dot between them.
    pub message: &'a [u8],
    /// The second part, in base64url.
    pub payload: &'a [u8],
    /// The signature.
    pub signature: Vec<u8>,
    /// What the header says.
    pub header: Header,
}

/// What a token's header says of how to verify it. `jku`, `jwk`, `x5u` and `x5c` say where the sender
/// would like us to find a key, and are not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `alg`; `None` for one that we do not know, `none` among them.
    pub algorithm: Option<Algorithm>,
    /// `kid`
    pub key_id: Option<String>,
}

/// A longer `kid` is no name but a weight.
const MAX_KEY_ID_BYTES: usize = 256;

impl<'a> Token<'a> {
    /// Takes a token apart and reads its header.
    ///
    /// # Errors
    /// [`Reason::Malformed`].
    pub fn read(token: &'a [u8]) -> Result<Self, Fault> {
        let malformed = |what| Fault::new(Reason::Malformed, what);
        let mut parts = token.split(|byte| *byte == b'.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed("the token does not have three parts"));
        };
        let message = token.get(..header.len() + 1 + payload.len()).unwrap_or_default();
        let header = decode(header).ok_or_else(|| malformed("the token's header is not base64url"))?;
        let signature =
            decode(signature).ok_or_else(|| malformed("the token's signature is not base64url"))?;
        Ok(Self { message, payload, signature, header: Header::read(&header)? })
    }

    /// The payload's bytes.
    pub(crate) fn payload_bytes(&self) -> Option<Vec<u8>> {
        decode(self.payload)
    }
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let malformed = |what| Fault::new(Reason::Malformed, what);
        let Ok(Json::Object(header)) = mesh_config::json::parse(bytes) else {
            return Err(malformed("the token's header is not a JSON object with each name once"));
        };
        // RFC 7515, section 4.1.11: what is critical must be understood, and we understand no extension.
        if header.contains_key("crit") {
            return Err(malformed("the token's header demands an extension"));
        }
        let Some(Json::String(algorithm)) = header.get("alg") else {
            return Err(malformed("the token's header names no algorithm"));
        };
        let key_id = match header.get("kid") {
            None => None,
            Some(Json::String(id)) if id.len() <= MAX_KEY_ID_BYTES => Some(id.clone()),
            Some(_) => return Err(malformed("the token's `kid` is not a short text")),
        };
        Ok(Self { algorithm: Algorithm::find(algorithm), key_id })
    }
}

/// Base64url without padding (RFC 7515, section 2). Bits behind the last byte must be zero: otherwise a
/// token could be changed and still be the same.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Reads `iss` of a payload that is **not verified**: only to pick the provider that is to verify it.
pub(crate) fn unverified_issuer(token: &Token<'_>) -> Result<Option<String>, Fault> {
    let malformed =
        Fault::new(Reason::Malformed, "the token's payload is not a JSON object with each name once");
    let payload = token.payload_bytes().ok_or(malformed)?;
    match mesh_config::json::parse(&payload) {
        Ok(Json::Object(mut claims)) => Ok(match claims.remove("iss") {
            Some(Json::String(issuer)) => Some(issuer),
            _ => None,
        }),
        _ => Err(malformed),
    }
}
