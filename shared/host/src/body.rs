//! A part of a body.

use crate::abi;
use crate::direction::Direction;
use crate::status::Status;

/// The part of a body that the proxy holds at the moment, which may be all of it.
#[derive(Debug)]
pub struct Body {
    direction: Direction,
    size: usize,
    last: bool,
}

impl Body {
    pub(crate) const fn new(direction: Direction, size: usize, last: bool) -> Self {
        Self { direction, size, last }
    }

    /// The number of the proxy's buffer: 0 is the request's body, 1 the response's.
    const fn buffer(&self) -> u32 {
        self.direction as u32
    }

    /// How many bytes the proxy holds.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Whether nothing of the body follows.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.last
    }

    /// Copies up to `most` bytes from `start` on.
    ///
    /// # Errors
    /// The host's status.
    pub fn read(&self, start: usize, most: usize) -> Result<Vec<u8>, Status> {
        match self.size.saturating_sub(start).min(most) {
            0 => Ok(Vec::new()),
            length => abi::buffer(self.buffer(), start, length),
        }
    }

    /// Puts `bytes` in the place of what the proxy holds.
    ///
    /// # Errors
    /// The host's status.
    pub fn replace(&mut self, bytes: &[u8]) -> Result<(), Status> {
        abi::set_buffer(self.buffer(), 0, self.size, bytes)?;
        self.size = bytes.len();
        Ok(())
    }
}
