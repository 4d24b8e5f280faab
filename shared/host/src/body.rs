//! A part of a body.

use crate::abi::{self, Buffer};
use crate::direction::Direction;
use crate::status::Status;

/// The part of a body that the proxy holds at the moment, which may be the whole body.
#[derive(Debug)]
pub struct Body {
    direction: Direction,
    size: usize,
    is_end: bool,
}

impl Body {
    pub(crate) const fn new(direction: Direction, size: usize, is_end: bool) -> Self {
        Self { direction, size, is_end }
    }

    const fn buffer(&self) -> Buffer {
        match self.direction {
            Direction::Request => Buffer::RequestBody,
            Direction::Response => Buffer::ResponseBody,
        }
    }

    /// Number of bytes that the proxy holds.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Whether the body ends with this part. Trailers may still follow.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        self.is_end
    }

    /// Copies at most `max_size` bytes, beginning at `start`.
    pub fn read(&self, start: usize, max_size: usize) -> Result<Vec<u8>, Status> {
        match self.size.saturating_sub(start).min(max_size) {
            0 => Ok(Vec::new()),
            length => abi::buffer(self.buffer(), start, length),
        }
    }

    /// Keeps at most the first `size` bytes. Copies what it keeps: the proxy can only replace all bytes.
    ///
    /// The message must have no `content-length`: over HTTP/1 the receiver would wait for the missing bytes, and take the
    /// next message for them; over HTTP/2 it resets the stream.
    pub fn truncate(&mut self, size: usize) -> Result<(), Status> {
        if self.size <= size {
            return Ok(());
        }
        let kept = self.read(0, size)?;
        self.replace(&kept)
    }

    /// Replaces all bytes that the proxy holds.
    pub fn replace(&mut self, bytes: &[u8]) -> Result<(), Status> {
        abi::set_buffer(self.buffer(), 0, self.size, bytes)?;
        self.size = bytes.len();
        Ok(())
    }
}
