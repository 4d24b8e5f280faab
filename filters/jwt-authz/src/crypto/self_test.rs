//! Whether somebody who claims to check signatures does.

use super::algorithm::Algorithm;
use super::key::Key;

/// Whether a verifier knows a right signature of this algorithm from a wrong one. Run once, when the
/// module starts: a host may be built without a crypto library, and one that says yes to everything
/// must not be asked at all. No, for an algorithm that there is no example of.
#[must_use]
pub fn works(verify: impl Fn(Algorithm, &Key, &[u8], &[u8]) -> Option<bool>, algorithm: Algorithm) -> bool {
    let _ = (verify, algorithm);
    false
}
