//! Values by name, where a client may repeat names.

/// Names and values, in order.
///
/// A client may send 14 000 short parameters, and a config may look for 100 names. Hashes are compared first, so that
/// most comparisons are cheap.
#[derive(Clone, Debug)]
pub(crate) struct ByName<T>(Vec<Entry<T>>);

#[derive(Clone, Debug)]
struct Entry<T> {
    hash: u32,
    name: T,
    value: T,
}

impl<T: AsRef<[u8]>> ByName<T> {
    /// The values of a name, in order.
    pub(crate) fn get<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a T> {
        let hash = hash(name);
        let is_named = move |entry: &&Entry<T>| entry.hash == hash && entry.name.as_ref() == name;
        self.0.iter().filter(is_named).map(|entry| &entry.value)
    }
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: AsRef<[u8]>> FromIterator<(T, T)> for ByName<T> {
    fn from_iter<I: IntoIterator<Item = (T, T)>>(pairs: I) -> Self {
        let entry = |(name, value): (T, T)| Entry { hash: hash(name.as_ref()), name, value };
        Self(pairs.into_iter().map(entry).collect())
    }
}

/// FNV-1a. Colliding names are compared byte for byte, as they would be without hashes.
fn hash(name: &[u8]) -> u32 {
    name.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::ByName;
    use crate::testing::test;

    #[test]
    fn values_by_name_in_order() {
        let pairs = [("a", "1"), ("b", "2"), ("a", "3"), ("", "4")];
        let values: ByName<&[u8]> =
            pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let get = |name: &'static str| values.get(name.as_bytes()).copied().collect::<Vec<_>>();
        assert_eq!(get("a"), [b"1", b"3"]);
        assert_eq!(get("b"), [b"2"]);
        assert_eq!(get(""), [b"4"]);
        assert!(get("c").is_empty());
    }

    /// Two names with the same FNV hash.
    #[test]
    fn names_with_the_same_hash_are_two() {
        let (one, other) = ("costarring", "liquid");
        assert_eq!(super::hash(one.as_bytes()), super::hash(other.as_bytes()));
        let values: ByName<&[u8]> =
            [(one, "1"), (other, "2")].iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
        assert_eq!(values.get(other.as_bytes()).collect::<Vec<_>>(), [b"2"]);
    }
}
