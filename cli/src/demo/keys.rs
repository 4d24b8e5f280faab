//! The key pair of the demo's issuer of tokens, `dist/keys/`.
//!
//! It is created once and kept: the key server of docker compose serves the public half, and a check of
//! that gateway signs tokens with the private one.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

use crate::module::appear;
use crate::workspace;

/// The `kid` of the key in the key set and in tokens.
pub const KEY_ID: &str = "demo";

/// The private key as a JWK, readable by its owner only.
const PRIVATE: &str = "private.json";

/// The key set, in a folder of its own, which is all that the key server can read.
const KEY_SET: &str = "public/jwks.json";

/// A key pair for ES256.
#[derive(Debug)]
pub struct KeyPair(SigningKey);

/// The folder that the key server serves from.
#[must_use]
pub fn served() -> PathBuf {
    let key_set = folder().join(KEY_SET);
    key_set.parent().map_or_else(folder, Path::to_owned)
}

/// Creates the demo's key pair if there is none. Processes that do so at the same time get the same pair.
///
/// # Errors
///
/// Random numbers are not available, or the folder cannot be read or written.
pub fn prepare() -> anyhow::Result<()> {
    prepare_in(&folder())
}

fn folder() -> PathBuf {
    workspace::dist().join("keys")
}

fn prepare_in(folder: &Path) -> anyhow::Result<()> {
    let path = folder.join(PRIVATE);
    if !path.exists() {
        KeyPair::random()?.keep(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let set = json!({"keys": [KeyPair::load_from(folder)?.public_key()]});
    appear::write(&folder.join(KEY_SET), set.to_string().as_bytes())
}

impl KeyPair {
    /// A random pair.
    ///
    /// # Errors
    ///
    /// Random numbers are not available.
    pub fn random() -> anyhow::Result<Self> {
        loop {
            let mut scalar = [0; 32];
            getrandom::fill(&mut scalar).context("no random numbers for a key")?;
            // One scalar of 2^32 is no key, since it exceeds the order of the curve.
            if let Ok(key) = SigningKey::from_slice(&scalar) {
                return Ok(Self(key));
            }
        }
    }

    /// Reads the demo's pair, which [`prepare`] has created.
    ///
    /// # Errors
    ///
    /// It does not exist, or it cannot be read.
    pub fn load() -> anyhow::Result<Self> {
        Self::load_from(&folder())
    }

    fn load_from(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(PRIVATE);
        let text = std::fs::read(&path)
            .with_context(|| format!("cannot read `{}`, which `cargo run -- build` makes", path.display()))?;
        Self::parse(&text).with_context(|| {
            format!("`{}` is no private key; remove it, and `cargo run -- build` makes one", path.display())
        })
    }

    fn parse(text: &[u8]) -> anyhow::Result<Self> {
        let key: Value = serde_json::from_slice(text)?;
        let scalar = key.get("d").and_then(Value::as_str).context("it has no `d`")?;
        Ok(Self(SigningKey::from_slice(&URL_SAFE_NO_PAD.decode(scalar)?)?))
    }

    /// Writes the private key unless there is one, also if another process has just written it.
    fn keep(&self, path: &Path) -> anyhow::Result<()> {
        let folder = path.parent().context("the path names no file")?;
        std::fs::create_dir_all(folder)?;
        // A temporary file is readable by its owner only, and keeps its permissions.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut file, self.private_key().to_string().as_bytes())?;
        match file.persist_noclobber(path) {
            Err(lost) if lost.error.kind() != std::io::ErrorKind::AlreadyExists => Err(lost.error.into()),
            _ => Ok(()),
        }
    }

    /// The public key as a JWK (RFC 7518, section 6.2.1).
    #[must_use]
    pub fn public_key(&self) -> Value {
        let point = self.0.verifying_key().to_sec1_point(false);
        let coordinate = |coordinate: Option<&p256::FieldBytes>| coordinate.map(encode);
        json!({
            "kty": "EC",
            "crv": "P-256",
            "kid": KEY_ID,
            "use": "sig",
            "alg": "ES256",
            "x": coordinate(point.x()),
            "y": coordinate(point.y()),
        })
    }

    fn private_key(&self) -> Value {
        let mut key = self.public_key();
        if let Some(key) = key.as_object_mut() {
            key.insert("d".to_owned(), encode(self.0.to_bytes()).into());
        }
        key
    }

    /// Signs claims (RFC 7515).
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": KEY_ID, "typ": "JWT"});
        let text = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature: Signature = self.0.sign(text.as_bytes());
        format!("{text}.{}", encode(signature.to_bytes()))
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn read(path: &Path) -> Value {
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn it_is_made_once_for_its_owner_and_only_its_public_half_is_served() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("dist/keys");
        prepare_in(&folder).unwrap();
        let made = read(&folder.join(PRIVATE));
        prepare_in(&folder).unwrap();
        assert_eq!(read(&folder.join(PRIVATE)), made);
        let mode = |file: &str| folder.join(file).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(PRIVATE), mode(KEY_SET)), (0o600, 0o644));
        let mut public = made;
        assert!(public.as_object_mut().unwrap().remove("d").is_some());
        assert_eq!(read(&folder.join(KEY_SET)), json!({"keys": [public]}));
    }

    #[test]
    fn a_second_writer_keeps_the_existing_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(PRIVATE);
        KeyPair::random().unwrap().keep(&path).unwrap();
        let first = read(&path);
        KeyPair::random().unwrap().keep(&path).unwrap();
        assert_eq!(read(&path), first);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_error_says_how_to_get_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let error = |folder: &Path| format!("{:#}", KeyPair::load_from(folder).unwrap_err());
        assert!(error(folder.path()).contains("which `cargo run -- build` makes"));
        std::fs::write(folder.path().join(PRIVATE), "{}").unwrap();
        assert!(
            error(folder.path()).contains("remove it, and `cargo run -- build` makes one: it has no `d`")
        );
    }
}
