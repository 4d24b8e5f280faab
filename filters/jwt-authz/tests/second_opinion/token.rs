//! A token under construction: from members as text, so that it may hold what no library writes.

use crate::issuer::{AUDIENCE, ISSUER, SUBJECT};
use crate::keys;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::Value;
use std::cell::OnceCell;
use std::fmt;

/// The parts of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Header,
    Payload,
    Signature,
}

/// A change to bytes.
pub(crate) type Change = fn(&mut Vec<u8>);

pub(crate) struct Token {
    /// What it is signed with, whatever its header says.
    pub(crate) algorithm: Algorithm,
    /// When it is made, in seconds since 1970.
    pub(crate) now: u64,
    pub(crate) header: Json,
    pub(crate) payload: Json,
    /// Changes to the signature.
    pub(crate) signature: Vec<Change>,
    /// Changes of one byte of the signature, at this place modulo its length.
    pub(crate) flips: Vec<(usize, u8)>,
    /// Changes to the text of a part, those of the first two before signing.
    pub(crate) encoding: Vec<(Part, Change)>,
    /// Changes to the finished token.
    pub(crate) around: Vec<Change>,
    /// The finished token; two signatures of the same bytes may differ.
    bytes: OnceCell<Vec<u8>>,
}

/// JSON as text.
#[derive(Clone)]
pub(crate) struct Json {
    /// The members of an object: a name, and a value as text.
    pub(crate) members: Vec<(String, Vec<u8>)>,
    /// What stands there instead of the object.
    pub(crate) instead: Option<Vec<u8>>,
    /// What follows.
    pub(crate) rest: Vec<u8>,
}

impl Json {
    fn new(members: &[(&str, String)]) -> Self {
        let members =
            members.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes())).collect();
        Self { members, instead: None, rest: Vec::new() }
    }

    pub(crate) fn text(&self) -> Vec<u8> {
        let object = || {
            let members: Vec<Vec<u8>> = self
                .members
                .iter()
                .map(|(name, value)| [b"\"", name.as_bytes(), b"\":", value.as_slice()].concat())
                .collect();
            [b"{".as_slice(), &members.join(&b','), b"}"].concat()
        };
        [self.instead.clone().unwrap_or_else(object), self.rest.clone()].concat()
    }

    /// The value, if it is JSON; of several members of one name, the last.
    pub(crate) fn value(&self) -> Option<Value> {
        serde_json::from_slice(&self.text()).ok()
    }

    /// The value of a member.
    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        self.value()?.get(name).cloned()
    }
}

impl Token {
    /// A token that both accept, for a minute.
    pub(crate) fn new(algorithm: Algorithm, now: u64) -> Self {
        let header = [("alg", format!("\"{algorithm:?}\"")), ("kid", format!("\"{}\"", keys::id(algorithm)))];
        let payload = [
            ("iss", format!("\"{ISSUER}\"")),
            ("aud", format!("\"{AUDIENCE}\"")),
            ("sub", format!("\"{SUBJECT}\"")),
            ("iat", now.to_string()),
            ("exp", (now + 60).to_string()),
        ];
        Self {
            algorithm,
            now,
            header: Json::new(&header),
            payload: Json::new(&payload),
            signature: Vec::new(),
            flips: Vec::new(),
            encoding: Vec::new(),
            around: Vec::new(),
            bytes: OnceCell::new(),
        }
    }

    pub(crate) fn json(&mut self, part: Part) -> &mut Json {
        match part {
            Part::Header => &mut self.header,
            Part::Payload | Part::Signature => &mut self.payload,
        }
    }

    /// The finished token: no change has an effect any more.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get_or_init(|| self.finish())
    }

    fn finish(&self) -> Vec<u8> {
        let message = [
            self.encoded(Part::Header, &self.header.text()),
            self.encoded(Part::Payload, &self.payload.text()),
        ]
        .join(&b'.');
        let signature =
            jsonwebtoken::crypto::sign(&message, &keys::private(self.algorithm), self.algorithm).unwrap();
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        for (place, change) in &self.flips {
            let place = place % signature.len();
            signature[place] ^= change;
        }
        self.signature.iter().for_each(|change| change(&mut signature));
        let mut token = [message, self.encoded(Part::Signature, &signature)].join(&b'.');
        self.around.iter().for_each(|change| change(&mut token));
        token
    }

    fn encoded(&self, part: Part, bytes: &[u8]) -> Vec<u8> {
        let mut text = URL_SAFE_NO_PAD.encode(bytes).into_bytes();
        self.encoding.iter().filter(|(of, _)| *of == part).for_each(|(_, change)| change(&mut text));
        text
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Token")
            .field("algorithm", &self.algorithm)
            .field("header", &self.header.text().escape_ascii().to_string())
            .field("payload", &self.payload.text().escape_ascii().to_string())
            .field("token", &self.bytes().escape_ascii().to_string())
            .finish_non_exhaustive()
    }
}
