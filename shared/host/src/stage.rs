//! What a filter implements.

use crate::body::Body;
use crate::call::Answer;
use crate::callbacks::Callbacks;
use crate::message::{Request, Response, Trailers};
use crate::plugin::{Background, Plugin};
use mesh_config::Problems;
use mesh_policy::effects::Reply;
use mesh_policy::time::Nanos;

/// A filter, as one link of a chain. One value for each config; what belongs to one request is in
/// [`Stage::Stream`].
///
/// Nothing of a config may live in a static: after a config push the old and the new config serve
/// side by side in one VM.
pub trait Stage: Sized + 'static {
    /// The callbacks that this stage implements; the others are not even exported.
    const CALLBACKS: Callbacks;

    /// What the stage remembers of a request.
    type Stream: Default + 'static;

    /// The request's headers are there.
    fn on_request_headers(&self, _stream: &mut Self::Stream, _request: &mut Request<'_>) -> Flow {
        Flow::Continue
    }

    /// The wait for which the stage has paused the request is over.
    fn on_request_wake(&self, _stream: &mut Self::Stream, _request: &mut Request<'_>, _wake: Wake) -> Flow {
        Flow::Continue
    }

    /// A part of the request's body is there.
    fn on_request_body(&self, _stream: &mut Self::Stream, _body: &mut Body) -> BodyFlow {
        BodyFlow::Continue
    }

    /// The request's trailers are there, and its body has gone past all stages.
    ///
    /// What a stage takes out of the headers it takes out of the trailers as well: an upstream may read
    /// both alike.
    fn on_request_trailers(&self, _stream: &mut Self::Stream, _trailers: &mut Trailers) -> TrailersFlow {
        TrailersFlow::Continue
    }

    /// The response's headers are there: the upstream's, or those of a reply by a filter.
    fn on_response_headers(&self, _stream: &mut Self::Stream, _response: &mut Response<'_>) -> Flow {
        Flow::Continue
    }

    /// The wait for which the stage has paused the response is over.
    fn on_response_wake(
        &self,
        _stream: &mut Self::Stream,
        _response: &mut Response<'_>,
        _wake: Wake,
    ) -> Flow {
        Flow::Continue
    }

    /// A part of the response's body is there.
    fn on_response_body(&self, _stream: &mut Self::Stream, _body: &mut Body) -> BodyFlow {
        BodyFlow::Continue
    }

    /// The response's trailers are there, and its body has gone past all stages.
    fn on_response_trailers(&self, _stream: &mut Self::Stream, _trailers: &mut Trailers) -> TrailersFlow {
        TrailersFlow::Continue
    }

    /// The stream has gone: finished, reset or left by the client, paused or not.
    fn on_stream_gone(&self, _stream: &mut Self::Stream) {}

    /// The tick that [`Plugin::tick_after`] or [`Background::tick_after`] asked for.
    fn on_tick(&self, _background: &mut Background<'_>) {}

    /// A call of [`Background::call`] was answered.
    fn on_answer(&self, _background: &mut Background<'_>, _call: u32, _answer: Answer) {}
}

/// Makes a chain from a config.
pub trait Configure: Sized {
    /// Reads the config. What it returns serves; an error keeps the config before it serving.
    ///
    /// # Errors
    /// Everything that is wrong with the config.
    fn configure(config: &[u8], plugin: &Plugin) -> Result<Self, Problems>;
}

/// What becomes of a request or a response.
#[derive(Debug)]
#[must_use]
pub enum Flow {
    /// It goes on, to the next stage.
    Continue,
    /// It waits with its body and its trailers, until [`Wake`]: never for ever. The stage names
    /// [`Callbacks::TICK`].
    Pause {
        /// The latest instant to wake up at.
        until: Nanos,
    },
    /// The proxy answers.
    Reply(Reply),
}

/// What becomes of a part of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum BodyFlow {
    /// It goes on.
    Continue,
    /// It is kept and comes again with the next part, or alone as the last one if trailers follow. Beyond
    /// the proxy's buffer limit the stream fails. Not for the last part: nothing would let go of it.
    Buffer,
}

/// What becomes of trailers.
#[derive(Debug)]
#[must_use]
pub enum TrailersFlow {
    /// They go on.
    Continue,
    /// The proxy answers, and the trailers do not go on: the upstream sees the request break off. A
    /// response that has begun breaks off or ends without trailers.
    Reply(Reply),
}

/// Why a pause is over.
#[derive(Debug)]
pub enum Wake {
    /// The instant has come.
    Deadline,
    /// [`Background::wake`] says that what was waited for has happened.
    Notified,
    /// A call of the request was answered: not necessarily the last one.
    Answer {
        /// The number that sending it returned.
        call: u32,
        /// The answer.
        answer: Answer,
    },
}
