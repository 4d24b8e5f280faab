//! Body and trailers of a message, as the proxy keeps them.

/// What has arrived of a message behind its headers, and how far it has come.
#[derive(Debug, Default)]
pub(crate) struct Message {
    /// The headers wait: nothing that follows is reported.
    pub(super) headers_wait: bool,
    /// What follows the headers that wait: the body, and whether it is all of it.
    pub(super) unreported: Vec<u8>,
    pub(super) body_ended: bool,
    /// The trailers have arrived.
    pub(super) has_trailers: bool,
    /// The part of the body that the module can read.
    pub(super) part: Vec<u8>,
    /// The part is reported again with what follows.
    is_buffered: bool,
    /// What is held in front of the part.
    held: Vec<u8>,
    /// The module has asked to continue.
    pub(super) is_released: bool,
    sent: Vec<u8>,
    is_complete: bool,
}

impl Message {
    /// A part arrives that is to be reported.
    pub(super) fn arrive(&mut self, bytes: &[u8], is_end: bool) {
        if !self.is_buffered {
            self.part.clear();
        }
        self.part.extend_from_slice(bytes);
        self.body_ended |= is_end;
    }

    /// Carries out what the module has answered for a part: continue (0), buffer (1), hold (2).
    ///
    /// # Panics
    /// If it has answered something else.
    pub(super) fn answered(&mut self, status: u32) {
        self.is_buffered = false;
        match status {
            0 => self.go_on(),
            1 => {
                self.is_buffered = true;
                self.part.splice(..0, self.held.drain(..));
            }
            2 => self.held.append(&mut self.part),
            other => panic!("status {other} for a part of a body"),
        }
    }

    /// Carries out what the module has answered for trailers. `resumes`: the proxy is resuming the stream.
    pub(super) fn answered_trailers(&mut self, status: u32, resumes: bool) {
        if status == 0 {
            // As Envoy does, see `Stream::on_trailers`.
            if resumes && self.is_buffered {
                self.part.clear();
            }
            self.go_on();
        }
    }

    /// Sends on all that has arrived.
    pub(super) fn go_on(&mut self) {
        self.is_buffered = false;
        self.sent.append(&mut self.held);
        self.sent.append(&mut self.part);
        self.is_complete = self.body_ended || self.has_trailers;
    }

    /// What the proxy keeps of the body.
    pub(super) fn kept(&self) -> String {
        let kept = [&self.held[..], &self.part[..], &self.unreported[..]].concat();
        String::from_utf8_lossy(&kept).into_owned()
    }

    /// What has been sent on of the body.
    pub(super) fn sent(&self) -> String {
        String::from_utf8_lossy(&self.sent).into_owned()
    }

    /// Whether the end of the message has been sent on.
    pub(super) const fn is_complete(&self) -> bool {
        self.is_complete
    }
}
