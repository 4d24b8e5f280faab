//! Several stages as one chain.

use crate::body::Body;
use crate::call::Answer;
use crate::callbacks::Callbacks;
use crate::message::{Request, Response, Trailers};
use crate::plugin::Background;
use crate::stage::{BodyFlow, Flow, Stage, TrailersFlow, Wake};

/// A chain of stages, called by their place in it. A single [`Stage`] is a chain of one; [`chain!`](crate::chain!)
/// makes one of several.
pub trait Stages: Sized + 'static {
    /// How many stages there are.
    const COUNT: usize;
    /// The callbacks of any stage.
    const CALLBACKS: Callbacks;
    /// What the stages remember of a request.
    type Streams: Default + 'static;

    /// See [`Stage::on_request_headers`].
    fn on_request_headers(&self, at: usize, streams: &mut Self::Streams, request: &mut Request<'_>) -> Flow;
    /// See [`Stage::on_request_wake`].
    fn on_request_wake(
        &self,
        at: usize,
        streams: &mut Self::Streams,
        request: &mut Request<'_>,
        wake: Wake,
    ) -> Flow;
    /// See [`Stage::on_request_body`].
    fn on_request_body(&self, at: usize, streams: &mut Self::Streams, body: &mut Body) -> BodyFlow;
    /// See [`Stage::on_request_trailers`].
    fn on_request_trailers(
        &self,
        at: usize,
        streams: &mut Self::Streams,
        trailers: &mut Trailers,
    ) -> TrailersFlow;
    /// See [`Stage::on_response_headers`].
    fn on_response_headers(
        &self,
        at: usize,
        streams: &mut Self::Streams,
        response: &mut Response<'_>,
    ) -> Flow;
    /// See [`Stage::on_response_wake`].
    fn on_response_wake(
        &self,
        at: usize,
        streams: &mut Self::Streams,
        response: &mut Response<'_>,
        wake: Wake,
    ) -> Flow;
    /// See [`Stage::on_response_body`].
    fn on_response_body(&self, at: usize, streams: &mut Self::Streams, body: &mut Body) -> BodyFlow;
    /// See [`Stage::on_response_trailers`].
    fn on_response_trailers(
        &self,
        at: usize,
        streams: &mut Self::Streams,
        trailers: &mut Trailers,
    ) -> TrailersFlow;
    /// See [`Stage::on_stream_gone`].
    fn on_stream_gone(&self, at: usize, streams: &mut Self::Streams);
    /// See [`Stage::on_tick`].
    fn on_tick(&self, at: usize, background: &mut Background<'_>);
    /// See [`Stage::on_answer`].
    fn on_answer(&self, at: usize, background: &mut Background<'_>, call: u32, answer: Answer);
}

impl<S: Stage> Stages for S {
    const COUNT: usize = 1;
    const CALLBACKS: Callbacks = S::CALLBACKS;
    type Streams = S::Stream;

    fn on_request_headers(&self, _at: usize, streams: &mut S::Stream, request: &mut Request<'_>) -> Flow {
        Stage::on_request_headers(self, streams, request)
    }

    fn on_request_wake(
        &self,
        _at: usize,
        streams: &mut S::Stream,
        request: &mut Request<'_>,
        wake: Wake,
    ) -> Flow {
        Stage::on_request_wake(self, streams, request, wake)
    }

    fn on_request_body(&self, _at: usize, streams: &mut S::Stream, body: &mut Body) -> BodyFlow {
        Stage::on_request_body(self, streams, body)
    }

    fn on_request_trailers(
        &self,
        _at: usize,
        streams: &mut S::Stream,
        trailers: &mut Trailers,
    ) -> TrailersFlow {
        Stage::on_request_trailers(self, streams, trailers)
    }

    fn on_response_headers(&self, _at: usize, streams: &mut S::Stream, response: &mut Response<'_>) -> Flow {
        Stage::on_response_headers(self, streams, response)
    }

    fn on_response_wake(
        &self,
        _at: usize,
        streams: &mut S::Stream,
        response: &mut Response<'_>,
        wake: Wake,
    ) -> Flow {
        Stage::on_response_wake(self, streams, response, wake)
    }

    fn on_response_body(&self, _at: usize, streams: &mut S::Stream, body: &mut Body) -> BodyFlow {
        Stage::on_response_body(self, streams, body)
    }

    fn on_response_trailers(
        &self,
        _at: usize,
        streams: &mut S::Stream,
        trailers: &mut Trailers,
    ) -> TrailersFlow {
        Stage::on_response_trailers(self, streams, trailers)
    }

    fn on_stream_gone(&self, _at: usize, streams: &mut S::Stream) {
        Stage::on_stream_gone(self, streams);
    }

    fn on_tick(&self, _at: usize, background: &mut Background<'_>) {
        Stage::on_tick(self, background);
    }

    fn on_answer(&self, _at: usize, background: &mut Background<'_>, call: u32, answer: Answer) {
        Stage::on_answer(self, background, call, answer);
    }
}

/// A struct of stages that is a chain, in the order of its fields:
///
/// ```
/// # use mesh_host::{Callbacks, Stage};
/// # struct A; impl Stage for A { const CALLBACKS: Callbacks = Callbacks::TICK; type Stream = (); }
/// # struct B; impl Stage for B { const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS; type Stream = (); }
/// mesh_host::chain! {
///     /// Two filters.
///     pub struct Both, BothStreams {
///         0 => a: A,
///         1 => b: B,
///     }
/// }
/// # assert!(<Both as mesh_host::Stages>::CALLBACKS.contains(Callbacks::TICK));
/// ```
#[macro_export]
macro_rules! chain {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $chain:ident, $streams:ident { $($at:literal => $field:ident: $stage:ty),+ $(,)? }
    ) => {
        $(#[$attribute])*
        $visibility struct $chain {
            $(
                #[doc = "A stage."]
                $visibility $field: $stage,
            )+
        }

        #[doc = "What the stages of the chain remember of a request."]
        #[derive(Default)]
        $visibility struct $streams {
            $($field: <$stage as $crate::Stage>::Stream,)+
        }

        impl $crate::Stages for $chain {
            const COUNT: usize = [$($at),+].len();
            const CALLBACKS: $crate::Callbacks =
                $crate::Callbacks::NONE$(.and(<$stage as $crate::Stage>::CALLBACKS))+;
            type Streams = $streams;

            fn on_request_headers(
                &self, at: usize, streams: &mut $streams, request: &mut $crate::Request<'_>,
            ) -> $crate::Flow {
                match at {
                    $($at => $crate::Stage::on_request_headers(&self.$field, &mut streams.$field, request),)+
                    _ => $crate::Flow::Continue,
                }
            }

            fn on_request_wake(
                &self, at: usize, streams: &mut $streams, request: &mut $crate::Request<'_>, wake: $crate::Wake,
            ) -> $crate::Flow {
                match at {
                    $($at => $crate::Stage::on_request_wake(&self.$field, &mut streams.$field, request, wake),)+
                    _ => $crate::Flow::Continue,
                }
            }

            fn on_request_body(
                &self, at: usize, streams: &mut $streams, body: &mut $crate::Body,
            ) -> $crate::BodyFlow {
                match at {
                    $($at => $crate::Stage::on_request_body(&self.$field, &mut streams.$field, body),)+
                    _ => $crate::BodyFlow::Continue,
                }
            }

            fn on_request_trailers(
                &self, at: usize, streams: &mut $streams, trailers: &mut $crate::Trailers,
            ) -> $crate::TrailersFlow {
                match at {
                    $($at => $crate::Stage::on_request_trailers(&self.$field, &mut streams.$field, trailers),)+
                    _ => $crate::TrailersFlow::Continue,
                }
            }

            fn on_response_headers(
                &self, at: usize, streams: &mut $streams, response: &mut $crate::Response<'_>,
            ) -> $crate::Flow {
                match at {
                    $($at => $crate::Stage::on_response_headers(&self.$field, &mut streams.$field, response),)+
                    _ => $crate::Flow::Continue,
                }
            }

            fn on_response_wake(
                &self, at: usize, streams: &mut $streams, response: &mut $crate::Response<'_>, wake: $crate::Wake,
            ) -> $crate::Flow {
                match at {
                    $($at => $crate::Stage::on_response_wake(&self.$field, &mut streams.$field, response, wake),)+
                    _ => $crate::Flow::Continue,
                }
            }

            fn on_response_body(
                &self, at: usize, streams: &mut $streams, body: &mut $crate::Body,
            ) -> $crate::BodyFlow {
                match at {
                    $($at => $crate::Stage::on_response_body(&self.$field, &mut streams.$field, body),)+
                    _ => $crate::BodyFlow::Continue,
                }
            }

            fn on_response_trailers(
                &self, at: usize, streams: &mut $streams, trailers: &mut $crate::Trailers,
            ) -> $crate::TrailersFlow {
                match at {
                    $($at => $crate::Stage::on_response_trailers(&self.$field, &mut streams.$field, trailers),)+
                    _ => $crate::TrailersFlow::Continue,
                }
            }

            fn on_stream_gone(&self, at: usize, streams: &mut $streams) {
                match at {
                    $($at => $crate::Stage::on_stream_gone(&self.$field, &mut streams.$field),)+
                    _ => {}
                }
            }

            fn on_tick(&self, at: usize, background: &mut $crate::Background<'_>) {
                match at {
                    $($at => $crate::Stage::on_tick(&self.$field, background),)+
                    _ => {}
                }
            }

            fn on_answer(
                &self, at: usize, background: &mut $crate::Background<'_>, call: u32, answer: $crate::Answer,
            ) {
                match at {
                    $($at => $crate::Stage::on_answer(&self.$field, background, call, answer),)+
                    _ => {}
                }
            }
        }
    };
}
