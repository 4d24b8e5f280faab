//! Random numbers from the host's cryptographic generator.

use crate::abi;
use crate::status::Status;

/// A uniformly distributed random number.
pub fn number() -> Result<u64, Status> {
    let mut bytes = [0; 8];
    abi::random(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// 16 random bytes for a secret key.
pub fn key() -> Result<[u8; 16], Status> {
    let mut key = [0; 16];
    abi::random(&mut key)?;
    Ok(key)
}
