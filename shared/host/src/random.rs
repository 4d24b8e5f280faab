//! Random numbers from the host, which takes them from its cryptographic generator.

use crate::status::Status;

/// A uniformly random number.
///
/// # Errors
/// [`Status::InternalFailure`] if the host has none to give.
pub fn number() -> Result<u64, Status> {
    getrandom::u64().map_err(|_| Status::InternalFailure)
}

/// Sixteen random bytes, as a key.
///
/// # Errors
/// [`Status::InternalFailure`] if the host has none to give.
pub fn key() -> Result<[u8; 16], Status> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(|_| Status::InternalFailure)?;
    Ok(key)
}
