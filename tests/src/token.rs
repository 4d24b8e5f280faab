//! Valid and invalid tokens.

use crate::keys::{Algorithm, Key};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Tokens signed with OpenSSL, by algorithm. Each has the `kid` `a` and the claims of [`Token::good`].
static SIGNED_BY_OPENSSL: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../keys/openssl.json")).unwrap());

/// A token signed with [`Key::RSA_1024`].
pub static OF_1024_BITS: LazyLock<String> = LazyLock::new(|| signed_by_openssl("RS256 of 1024 bits"));

/// A token signed with [`Key::P521`].
pub static ES512: LazyLock<String> = LazyLock::new(|| signed_by_openssl("ES512"));

fn signed_by_openssl(name: &str) -> String {
    SIGNED_BY_OPENSSL[name].as_str().unwrap().to_owned()
}

/// The issuer of valid tokens.
pub const ISSUER: &str = "https://auth.example.com";

/// The audience of valid tokens.
pub const AUDIENCE: &str = "api.example.com";

/// A token to be signed.
#[derive(Clone, Debug)]
pub struct Token {
    key: Key,
    algorithm: Algorithm,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    header_text: Option<String>,
    payload: Option<Vec<u8>>,
}

impl Token {
    /// A token without claims, whose header has only the algorithm.
    #[must_use]
    pub fn new(key: &Key, algorithm: Algorithm) -> Self {
        Self {
            key: key.clone(),
            algorithm,
            header: Map::from_iter([("alg".to_owned(), json!(algorithm.name()))]),
            claims: Map::new(),
            header_text: None,
            payload: None,
        }
    }

    /// A valid token: signed with the algorithm's key, with the `kid` `a` and the subject `user-1`, and valid for an hour.
    #[must_use]
    pub fn good(algorithm: Algorithm) -> Self {
        Self::new(&algorithm.key(), algorithm)
            .kid("a")
            .claim("iss", ISSUER)
            .claim("aud", AUDIENCE)
            .claim("sub", "user-1")
            .expires_in(3600)
    }

    /// Sets the signing key, without changing the header.
    #[must_use]
    pub fn key(mut self, key: &Key) -> Self {
        self.key = key.clone();
        self
    }

    /// Sets the signature algorithm, without changing the header.
    #[must_use]
    pub const fn signed_by(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Sets the `kid`.
    #[must_use]
    pub fn kid(self, kid: &str) -> Self {
        self.header("kid", kid)
    }

    /// Sets a field of the header; null removes it.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.header, name, value.into());
        self
    }

    /// Sets a claim; null removes it.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.claims, name, value.into());
        self
    }

    /// Sets `exp`, in seconds from now.
    #[must_use]
    pub fn expires_in(self, seconds: i64) -> Self {
        self.claim("exp", now() + seconds)
    }

    /// Sets `nbf`, in seconds from now.
    #[must_use]
    pub fn not_before(self, seconds: i64) -> Self {
        self.claim("nbf", now() + seconds)
    }

    /// Sets `iat`, in seconds from now.
    #[must_use]
    pub fn issued(self, seconds: i64) -> Self {
        self.claim("iat", now() + seconds)
    }

    /// Sets the entire header, which need not be JSON.
    #[must_use]
    pub fn header_text(mut self, text: &str) -> Self {
        self.header_text = Some(text.to_owned());
        self
    }

    /// Sets the entire payload, which need not be JSON.
    #[must_use]
    pub fn payload(mut self, payload: &[u8]) -> Self {
        self.payload = Some(payload.to_vec());
        self
    }

    /// Signs the token.
    #[must_use]
    pub fn sign(&self) -> String {
        sign_text(&self.key, self.algorithm, &self.unsigned())
    }

    /// The first two parts of the token, without a trailing dot.
    #[must_use]
    pub fn unsigned(&self) -> String {
        let header = self.header_text.clone().unwrap_or_else(|| json!(self.header).to_string());
        let payload = self.payload.clone().unwrap_or_else(|| json!(self.claims).to_string().into());
        format!("{}.{}", encode(header.as_bytes()), encode(&payload))
    }
}

fn set(entries: &mut Map<String, Value>, name: &str, value: Value) {
    if value.is_null() {
        entries.remove(name);
    } else {
        entries.insert(name.to_owned(), value);
    }
}

/// Appends a signature to any text.
#[must_use]
pub fn sign_text(key: &Key, algorithm: Algorithm, text: &str) -> String {
    format!("{text}.{}", encode(&key.sign(algorithm, text.as_bytes())))
}

/// Encodes base64url without padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The text with the unused bits of its last character set, which only lax decoders accept. `None` if there are none.
#[must_use]
pub fn non_canonical(text: &str) -> Option<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (last, rest) = text.as_bytes().split_last()?;
    let unused = match text.len() % 4 {
        2 => 0b1111,
        3 => 0b11,
        _ => return None,
    };
    let value = ALPHABET.iter().position(|character| character == last)?;
    let changed = ALPHABET[value | unused];
    (changed != *last).then(|| String::from_utf8([rest, &[changed]].concat()).unwrap())
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signatures of deterministic algorithms are identical.
    #[test]
    fn openssl_signs_the_same() {
        for name in ["RS256", "RS384", "RS512", "EdDSA", "HS256", "HS384", "HS512"] {
            let algorithm = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name).unwrap();
            let ours = Token::good(algorithm).claim("exp", 4_102_444_800_u64).sign();
            assert_eq!(ours, signed_by_openssl(name), "{name}");
        }
    }

    #[test]
    fn header_and_claims_are_as_set() {
        let token =
            Token::new(&Key::HMAC_A, Algorithm::Hs256).kid("k").claim("sub", "s").claim("sub", Value::Null);
        assert_eq!(
            token.unsigned(),
            format!("{}.{}", encode(br#"{"alg":"HS256","kid":"k"}"#), encode(b"{}"))
        );
        let raw = token.header_text("{").payload(b"\xff");
        assert_eq!(raw.unsigned(), format!("{}.{}", encode(b"{"), encode(b"\xff")));
        assert_eq!(raw.sign().matches('.').count(), 2);
    }

    #[test]
    fn non_canonical_base64_means_the_same_to_a_lax_decoder() {
        for (text, expected) in [("AA", Some("AP")), ("AAA", Some("AAD")), ("AAAA", None), ("AP", None)] {
            assert_eq!(non_canonical(text).as_deref(), expected, "{text}");
        }
    }
}
