//! Encodes public keys in DER (X.690) as specified in RFC 3279 section 2.3.1 and RFC 5480 section 2.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// `AlgorithmIdentifier` of an RSA key: 1.2.840.113549.1.1.1 and NULL.
const RSA: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// `AlgorithmIdentifier` of an elliptic curve key, 1.2.840.10045.2.1, on P-256, 1.2.840.10045.3.1.7.
const P256: &[u8] = &[
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07,
];

/// `AlgorithmIdentifier` of an elliptic curve key on P-384, 1.3.132.0.34.
const P384: &[u8] = &[
    0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
    0x22,
];

/// `SubjectPublicKeyInfo` of an RSA key. Both numbers are big-endian without leading zeros.
pub(super) fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let numbers = [element(INTEGER, &unsigned(modulus)), element(INTEGER, &unsigned(exponent))];
    key(RSA, &element(SEQUENCE, &numbers.concat()))
}

/// `SubjectPublicKeyInfo` of a P-256 point in SEC1 uncompressed form.
pub(super) fn p256_key(point: &[u8]) -> Vec<u8> {
    key(P256, point)
}

/// `SubjectPublicKeyInfo` of a P-384 point in SEC1 uncompressed form.
pub(super) fn p384_key(point: &[u8]) -> Vec<u8> {
    key(P384, point)
}

fn key(algorithm: &[u8], bytes: &[u8]) -> Vec<u8> {
    // The first byte of a bit string is the number of unused bits in its last byte.
    let bits = element(BIT_STRING, &[&[0], bytes].concat());
    element(SEQUENCE, &[algorithm, &bits].concat())
}

/// The content of a non-negative INTEGER, whose first bit must be zero.
fn unsigned(number: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if number.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    [sign, number].concat()
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match content.len() {
        short @ 0..0x80 => bytes.push(short as u8),
        long => {
            let length: Vec<u8> = long.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            bytes.push(0x80 | length.len() as u8);
            bytes.extend(length);
        }
    }
    bytes.extend(content);
    bytes
}

#[cfg(test)]
mod tests {
    use super::element;

    #[track_caller]
    fn check(content: usize, header: &[u8]) {
        let bytes = element(0x04, &vec![7; content]);
        assert_eq!(bytes[..header.len()], *header);
        assert_eq!(bytes[header.len()..], vec![7; content]);
    }

    /// Lengths are encoded in the shortest form (X.690 section 8.1.3).
    #[test]
    fn lengths() {
        check(0, &[0x04, 0]);
        check(1, &[0x04, 1]);
        check(127, &[0x04, 127]);
        check(128, &[0x04, 0x81, 128]);
        check(255, &[0x04, 0x81, 255]);
        check(256, &[0x04, 0x82, 1, 0]);
        check(70_000, &[0x04, 0x83, 1, 0x11, 0x70]);
    }
}
