//! Keys of members.

/// A key: a token (W3C Baggage, section "key"; RFC 9110, section 5.6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(Box<str>);

impl Key {
    /// A key; `None` if it is not a token.
    #[must_use]
    pub fn new(key: &str) -> Option<Self> {
        is_token(key.as_bytes()).then(|| Self(key.into()))
    }

    /// The key as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an application may read `found`, a key in a request, as this one.
    ///
    /// Libraries decode keys, some of them as forms, and remove spaces at their ends: OpenTelemetry's for Python reads
    /// `%74enant` and `+tenant` as `tenant`. Others ignore case. So all of these are the same here: a client that is to be
    /// kept from setting a member has none of them.
    #[must_use]
    pub fn may_be_read_as(&self, found: &[u8]) -> bool {
        folded(self.0.as_bytes()).eq(folded(found))
    }
}

/// What all readings of a key have in common: its visible characters in lower case.
fn folded(key: &[u8]) -> impl Iterator<Item = u8> {
    Decoded(key).filter(|byte| byte.is_ascii_graphic() && *byte != b'+').map(|byte| byte.to_ascii_lowercase())
}

/// The bytes of a percent-encoded text. A `%` without two hexadecimal digits stands for itself.
struct Decoded<'a>(&'a [u8]);

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
        if let (b'%', [high, low, after @ ..]) = (byte, rest)
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            self.0 = after;
            return Some((high << 4) | low);
        }
        self.0 = rest;
        Some(*byte)
    }
}

/// Whether this is a token.
pub(super) fn is_token(key: &[u8]) -> bool {
    !key.is_empty() && key.iter().all(|byte| is_in_token(*byte))
}

const fn is_in_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}
