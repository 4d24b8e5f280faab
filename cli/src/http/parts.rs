//! A body in parts.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::HeaderMap;

/// A body in parts, each of which is a frame in HTTP/2, and trailers.
///
/// HTTP/1 sends trailers only if a `trailer` header announces them.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    parts: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Parts {
    /// These parts in their order, without the empty ones.
    pub fn new(parts: impl IntoIterator<Item = Bytes>) -> Self {
        Self { parts: parts.into_iter().filter(|part| !part.is_empty()).collect(), trailers: None }
    }

    /// Adds trailers; empty ones make no frame.
    #[must_use]
    pub fn trailers(mut self, trailers: HeaderMap) -> Self {
        self.trailers = Some(trailers).filter(|trailers| !trailers.is_empty());
        self
    }
}

impl From<Bytes> for Parts {
    fn from(body: Bytes) -> Self {
        Self::new([body])
    }
}

impl Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = self.parts.pop_front().map(Frame::data);
        let frame = data.or_else(|| self.trailers.take().map(Frame::trailers));
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        // With a known length HTTP/1 could not send trailers.
        if self.trailers.is_some() {
            return SizeHint::default();
        }
        SizeHint::with_exact(self.parts.iter().map(|part| part.len() as u64).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    #[tokio::test]
    async fn parts_come_in_their_order_and_trailers_last() {
        let trailers = HeaderMap::from_iter([("x-a".parse().unwrap(), "1".parse().unwrap())]);
        let mut body = Parts::new(["a", "", "b"].map(Bytes::from)).trailers(trailers.clone());
        for part in ["a", "b"] {
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), part);
        }
        assert!(!body.is_end_stream());
        assert_eq!(body.frame().await.unwrap().unwrap().into_trailers().unwrap(), trailers);
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }

    #[test]
    fn a_body_without_trailers_has_a_length() {
        let body = Parts::from(Bytes::from("abc"));
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(3), false));
        assert!(Parts::from(Bytes::new()).trailers(HeaderMap::new()).is_end_stream());
    }
}
