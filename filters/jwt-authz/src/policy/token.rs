//! Parses a token's structure and header: JWS compact serialization (RFC 7515, section 7.1).

use super::denial::Denial;
use super::reason;
use crate::crypto::Algorithm;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

/// The parts of a token, none of them verified.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    /// The signing input: the first two parts and the dot between them.
    pub message: &'a [u8],
    /// The second part, in base64url.
    pub payload: &'a [u8],
    /// The decoded signature.
    pub signature: Vec<u8>,
    /// The decoded header.
    pub header: Header,
}

/// The parts of a token's header that verification uses. `jku`, `jwk`, `x5u` and `x5c`, with which the sender could
/// supply a key, are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `alg`; `None` for `none` and for an unknown algorithm.
    pub algorithm: Option<Algorithm>,
    /// `kid`, at most 256 bytes.
    pub key_id: Option<String>,
}

/// Longest accepted `kid`; a longer one is refused.
const MAX_KEY_ID_BYTES: usize = 256;

impl<'a> Token<'a> {
    /// Splits a token and reads its header.
    ///
    /// # Errors
    /// A denial with the label `malformed`.
    pub fn read(token: &'a [u8]) -> Result<Self, Denial> {
        let mut parts = token.split(|byte| *byte == b'.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Denial::new(reason::PARTS));
        };
        let message = token.get(..header.len() + 1 + payload.len()).unwrap_or_default();
        let header = decode(header).ok_or(Denial::new(reason::HEADER_ENCODING))?;
        let signature = decode(signature).ok_or(Denial::new(reason::SIGNATURE_ENCODING))?;
        Ok(Self { message, payload, signature, header: Header::read(&header)? })
    }

    /// The decoded payload; `None` if it is not base64url.
    pub(crate) fn payload_bytes(&self) -> Option<Vec<u8>> {
        decode(self.payload)
    }
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, Denial> {
        let Ok(Json::Object(header)) = mesh_config::json::parse(bytes) else {
            return Err(Denial::new(reason::HEADER_JSON));
        };
        // RFC 7515, section 4.1.11: critical extensions must be understood; none is supported.
        if header.contains_key("crit") {
            return Err(Denial::new(reason::CRITICAL));
        }
        let Some(Json::String(algorithm)) = header.get("alg") else {
            return Err(Denial::new(reason::NO_ALGORITHM));
        };
        let key_id = match header.get("kid") {
            None => None,
            Some(Json::String(id)) if id.len() <= MAX_KEY_ID_BYTES => Some(id.clone()),
            Some(_) => return Err(Denial::new(reason::KEY_ID)),
        };
        Ok(Self { algorithm: Algorithm::find(algorithm), key_id })
    }
}

/// Decodes base64url without padding (RFC 7515, section 2). Trailing bits must be zero; otherwise one token would
/// have several spellings.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Reads `iss` from a payload that is **not verified**, only to choose the provider that verifies it.
pub(crate) fn unverified_issuer(token: &Token<'_>) -> Result<Option<String>, Denial> {
    let malformed = Denial::new(reason::ISSUER_UNREADABLE);
    let payload = token.payload_bytes().ok_or(malformed)?;
    match mesh_config::json::parse(&payload) {
        Ok(Json::Object(mut claims)) => Ok(match claims.remove("iss") {
            Some(Json::String(issuer)) => Some(issuer),
            _ => None,
        }),
        _ => Err(malformed),
    }
}
