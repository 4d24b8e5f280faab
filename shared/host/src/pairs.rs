//! The form in which Proxy-Wasm passes header maps.

use crate::status::Status;

/// Maximum number of entries. The host silently reads a larger map as an empty one.
const MAX: usize = 1024;

/// Serializes a map: the number of entries, the length of each name and value (all u32, little-endian), then
/// the names and values, each followed by a NUL byte. Fails with [`Status::SerializationFailure`] if there are
/// more than [`MAX`] entries.
pub(crate) fn serialize<'a>(
    pairs: impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> + Clone,
) -> Result<Vec<u8>, Status> {
    if pairs.len() > MAX {
        return Err(Status::SerializationFailure);
    }
    let length = |part: &[u8]| u32::try_from(part.len()).map_err(|_| Status::SerializationFailure);
    let mut bytes = Vec::with_capacity(256);
    bytes.extend(u32::try_from(pairs.len()).map_err(|_| Status::SerializationFailure)?.to_le_bytes());
    for (name, value) in pairs.clone() {
        bytes.extend(length(name)?.to_le_bytes());
        bytes.extend(length(value)?.to_le_bytes());
    }
    for part in pairs.flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(part);
        bytes.push(0);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_policy::headers::Headers;

    #[test]
    fn what_is_serialized_is_read_back() {
        let pairs: [(&[u8], &[u8]); 3] = [(b":path", b"/"), (b"x", b"\xff"), (b"x", b"")];
        let headers = Headers::parse(serialize(pairs.into_iter()).unwrap()).unwrap();
        assert_eq!(headers.iter().collect::<Vec<_>>(), pairs);
    }

    #[test]
    fn a_map_that_the_host_would_drop_is_refused() {
        let pair: (&[u8], &[u8]) = (b"x", b"y");
        assert!(serialize(vec![pair; MAX].into_iter()).is_ok());
        assert_eq!(serialize(vec![pair; MAX + 1].into_iter()), Err(Status::SerializationFailure));
    }
}
