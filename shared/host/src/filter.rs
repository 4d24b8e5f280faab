//! What a filter implements.

use crate::body::Body;
use crate::call::CallResponse;
use crate::callbacks::Callbacks;
use crate::message::{Request, Response, Trailers};
use crate::plugin::{Background, Plugin};
use mesh_config::Problems;
use mesh_policy::effects::Reply;
use mesh_policy::time::Nanos;

/// One filter of a chain, with its config. The state of a single request is in [`Filter::Stream`].
///
/// A chain may contain the same filter several times. Requests pass the filters in the chain's order,
/// responses in reverse order, and only those that saw the request.
///
/// No static may hold anything of a config: after a config update the old and the new one serve side by
/// side in one VM.
pub trait Filter: Sized + 'static {
    /// Name of the filter, such as `rate-limit`. The lines that it logs begin with it.
    const NAME: &'static str;

    /// The callbacks that this filter implements. The module does not export the others.
    const CALLBACKS: Callbacks;

    /// The state that the filter keeps for one stream.
    type Stream: Default + 'static;

    /// [`Filter::NAME`], for a filter of several types that of the actual one.
    fn name(&self) -> &'static str {
        Self::NAME
    }

    /// What the config makes the filter do, in one short line, for the log.
    fn summary(&self) -> String {
        String::new()
    }

    /// Called when the request's headers arrive.
    fn on_request_headers(&self, _stream: &mut Self::Stream, _request: &mut Request<'_>) -> Flow {
        Flow::Continue
    }

    /// Called when the wait ends for which this filter has paused the request. Not if the proxy has replied meanwhile, as for
    /// a timeout: then the response's headers come first, and the request does not continue.
    fn on_request_wake(&self, _stream: &mut Self::Stream, _request: &mut Request<'_>, _wake: Wake) -> Flow {
        Flow::Continue
    }

    /// Called when a part of the request's body arrives.
    fn on_request_body(&self, _stream: &mut Self::Stream, _body: &mut Body) -> BodyFlow {
        BodyFlow::Continue
    }

    /// Called when what the filters of the chain have held of the request is released: the body so far, and the trailers
    /// if they have arrived. Only filters are called that have asked to hold a part of it. If the stream ends before,
    /// [`Filter::on_stream_gone`] is called alone.
    fn on_request_released(&self, _stream: &mut Self::Stream, _background: &mut Background<'_>) {}

    /// Called when the request's trailers arrive, once no filter buffers the body any more. The body may still be held.
    ///
    /// A filter that removes a header from requests removes it from trailers as well: an upstream may treat
    /// both alike.
    fn on_request_trailers(&self, _stream: &mut Self::Stream, _trailers: &mut Trailers) -> TrailersFlow {
        TrailersFlow::Continue
    }

    /// Called when the response's headers arrive: those of the upstream or of a local reply.
    fn on_response_headers(&self, _stream: &mut Self::Stream, _response: &mut Response<'_>) -> Flow {
        Flow::Continue
    }

    /// Called when the wait ends for which this filter has paused the response.
    fn on_response_wake(
        &self,
        _stream: &mut Self::Stream,
        _response: &mut Response<'_>,
        _wake: Wake,
    ) -> Flow {
        Flow::Continue
    }

    /// Called when a part of the response's body arrives.
    fn on_response_body(&self, _stream: &mut Self::Stream, _body: &mut Body) -> BodyFlow {
        BodyFlow::Continue
    }

    /// Like [`Filter::on_request_released`], for the response.
    fn on_response_released(&self, _stream: &mut Self::Stream, _background: &mut Background<'_>) {}

    /// Called when the response's trailers arrive, once no filter buffers the body any more. The body may still be held.
    fn on_response_trailers(&self, _stream: &mut Self::Stream, _trailers: &mut Trailers) -> TrailersFlow {
        TrailersFlow::Continue
    }

    /// Called when a stream ends whose request this filter saw: completed, reset or abandoned by the
    /// client, paused or not.
    fn on_stream_gone(&self, _stream: &mut Self::Stream, _background: &mut Background<'_>) {}

    /// Called when the proxy removes the config.
    fn on_config_gone(&self) {}

    /// Called for the tick that this filter has asked for.
    fn on_tick(&self, _background: &mut Background<'_>) {}

    /// Called for the response to a call that this filter has sent with [`Background::call`].
    fn on_call_response(&self, _background: &mut Background<'_>, _call_id: u32, _response: CallResponse) {}
}

/// Builds a filter from a config: as a module of its own, or as one of several in a chain.
pub trait Build: Filter {
    /// A config, as it is read.
    type Config;

    /// Reads a config.
    ///
    /// # Errors
    /// Everything that is wrong with the config.
    fn read(config: &[u8]) -> Result<Self::Config, Problems>;

    /// Builds the filter.
    ///
    /// # Errors
    /// What keeps the config from being used in this proxy.
    fn build(config: Self::Config, plugin: &Plugin) -> Result<Self, Problems>;
}

/// Builds a chain of filters from a config. A [`Build`] is a chain by itself.
pub trait Configure: Filter {
    /// Reads the config and returns the filters of the chain, in the order in which requests pass them.
    ///
    /// # Errors
    /// Everything that is wrong with the config. The proxy then refuses the update, and the previous config
    /// stays active.
    fn configure(config: &[u8], plugin: &Plugin) -> Result<Vec<Self>, Problems>;
}

impl<F: Build> Configure for F {
    fn configure(config: &[u8], plugin: &Plugin) -> Result<Vec<Self>, Problems> {
        Ok(vec![F::build(F::read(config)?, plugin)?])
    }
}

/// What happens to a request or a response.
#[derive(Debug)]
#[must_use]
pub enum Flow {
    /// It continues with the next filter.
    Continue,
    /// It waits, with its body and its trailers, until [`Wake`]. The filter must name [`Callbacks::TICK`].
    Pause {
        /// The latest time to wake it.
        until: Nanos,
    },
    /// The proxy replies. A request does not continue; a response is replaced.
    Reply(Reply),
}

/// What happens to a part of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum BodyFlow {
    /// It continues with the next filter.
    Continue,
    /// The proxy keeps it. All filters see it again together with the next part, or alone as the end of the
    /// body if trailers follow. The stream fails if the body exceeds the proxy's buffer limit. Not for the
    /// end of a body: nothing would release it.
    Buffer,
    /// The proxy holds it, and everything of the message that follows, at least until this instant. Of any size: when
    /// the proxy's buffer is full, the sender waits. All filters see each later part alone, may ask for a later instant,
    /// and cannot release it earlier: all of it goes on together, in order, at the latest instant that was asked for.
    /// Then [`Filter::on_request_released`] or [`Filter::on_response_released`] is called.
    ///
    /// If another filter buffers a part, all filters see what is held again together with it, and nothing goes on
    /// before that filter has seen the end of the body. The filter must name [`Callbacks::TICK`].
    Hold {
        /// The earliest time at which it may go on.
        until: Nanos,
    },
}

/// What happens to trailers.
#[derive(Debug)]
#[must_use]
pub enum TrailersFlow {
    /// They continue with the next filter, unless a body in front of them or another filter holds them.
    Continue,
    /// The proxy holds them, and with them a body that it holds, at least until this instant, see [`BodyFlow::Hold`].
    /// The filter must name [`Callbacks::TICK`], and a body; otherwise they continue.
    Hold {
        /// The earliest time at which they may go on.
        until: Nanos,
    },
    /// The proxy replies, and the trailers do not continue: the upstream sees the request reset. A response
    /// that has begun is reset, or ends without trailers.
    Reply(Reply),
}

/// Why a pause ends.
#[derive(Debug)]
pub enum Wake {
    /// The time given in [`Flow::Pause`] has come.
    Deadline,
    /// The filter has called [`Background::wake`].
    Notified,
    /// A call of the request was answered; others may still be under way.
    CallResponse {
        /// The id that [`Request::call`] returned.
        call_id: u32,
        /// The response to it.
        response: CallResponse,
    },
}
