//! Filters of several types in one chain.

/// Defines an enum of filters that is itself a [`Filter`](crate::Filter), for chains in which the config
/// chooses the filters and their order, the enum of their states, and the name of the module:
///
/// ```
/// # use mesh_host::{Callbacks, Filter};
/// # pub struct Tag;
/// # impl Filter for Tag {
/// #     const NAME: &'static str = "tag";
/// #     const CALLBACKS: Callbacks = Callbacks::TICK;
/// #     type Stream = ();
/// # }
/// # pub struct Count;
/// # impl Filter for Count {
/// #     const NAME: &'static str = "count";
/// #     const CALLBACKS: Callbacks = Callbacks::NONE;
/// #     type Stream = u32;
/// # }
/// mesh_host::any_filter! {
///     /// A tag or a count.
///     pub enum TagOrCount, TagOrCountStream, "tag-or-count" {
///         Tag(Tag),
///         Count(Count),
///     }
/// }
/// # assert!(TagOrCount::CALLBACKS.contains(Callbacks::TICK));
/// ```
#[macro_export]
macro_rules! any_filter {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident, $streams:ident, $module:literal { $($variant:ident($filter:ty)),+ $(,)? }
    ) => {
        $(#[$attribute])*
        $visibility enum $name {
            $(
                #[doc = "A filter."]
                $variant($filter),
            )+
        }

        #[doc = "The state of one stream for one filter."]
        #[derive(Default)]
        $visibility enum $streams {
            #[doc = "The filter has not seen the stream yet."]
            #[default]
            Fresh,
            $(
                #[doc = "The state of a filter."]
                $variant(<$filter as $crate::Filter>::Stream),
            )+
        }

        impl $crate::Filter for $name {
            const NAME: &'static str = $module;
            const CALLBACKS: $crate::Callbacks =
                $crate::Callbacks::NONE$(.and(<$filter as $crate::Filter>::CALLBACKS))+;
            type Stream = $streams;

            fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(filter) => $crate::Filter::name(filter),)+
                }
            }

            fn summary(&self) -> String {
                match self {
                    $(Self::$variant(filter) => $crate::Filter::summary(filter),)+
                }
            }

            fn on_request_headers(
                &self, stream: &mut $streams, request: &mut $crate::Request<'_>,
            ) -> $crate::Flow {
                $crate::any_filter!(@call self stream $streams [$($variant)+]
                    |filter, state| $crate::Filter::on_request_headers(filter, state, request), else $crate::Flow::Continue)
            }

            fn on_request_wake(
                &self, stream: &mut $streams, request: &mut $crate::Request<'_>, wake: $crate::Wake,
            ) -> $crate::Flow {
                $crate::any_filter!(@call self stream $streams [$($variant)+]
                    |filter, state| $crate::Filter::on_request_wake(filter, state, request, wake), else $crate::Flow::Continue)
            }

            fn on_request_body(&self, stream: &mut $streams, body: &mut $crate::Body) -> $crate::BodyFlow {
                $crate::any_filter!(@call self stream $streams [$($variant)+]
                    |filter, state| $crate::Filter::on_request_body(filter, state, body), else $crate::BodyFlow::Continue)
            }

            fn on_request_trailers(
                &self, stream: &mut $streams, trailers: &mut $crate::Trailers,
            ) -> $crate::TrailersFlow {
                $crate::any_filter!(@call self stream $streams [$($variant)+]
                    |filter, state| $crate::Filter::on_request_trailers(filter, state, trailers), else $crate::TrailersFlow::Continue)
            }

            fn on_response_headers(
                &self, stream: &mut $streams, response: &mut $crate::Response<'_>,
            ) -> $crate::Flow {
                $crate::any_filter!(@call self stream $streams [$($variant)+]
                    |filter, state| $crate::Filter::on_response_headers(filter, state, response), else $crate::Flow::Continue)
            }

            fn on_response_wake(
                &self, stream: &mut $streams, response: &mut $crate::Response<'_>, wake: $crate::Wake,
            ) -> $crate::Flow {
                $crate::any_filter!(@call self stream $streams [$($variant)+]
                    |filter, state| $crate::Filter::on_response_wake(filter, state, response, wake), else $crate::Flow::Continue)
            }

            fn on_response_body(&self, stream: &mut $streams, body: &mut $crate::Body) -> $crate::BodyFlow {
                $crate::any_filter!(@call self stream $streams [$($variant)+]
                    |filter, state| $crate::Filter::on_response_body(filter, state, body), else $crate::BodyFlow::Continue)
            }

            fn on_response_trailers(
                &self, stream: &mut $streams, trailers: &mut $crate::Trailers,
            ) -> $crate::TrailersFlow {
                $crate::any_filter!(@call self stream $streams [$($variant)+]
                    |filter, state| $crate::Filter::on_response_trailers(filter, state, trailers), else $crate::TrailersFlow::Continue)
            }

            fn on_request_released(&self, stream: &mut $streams, background: &mut $crate::Background<'_>) {
                $crate::any_filter!(@call self stream $streams [$($variant)+]
                    |filter, state| $crate::Filter::on_request_released(filter, state, background), else ())
            }

            fn on_response_released(&self, stream: &mut $streams, background: &mut $crate::Background<'_>) {
                $crate::any_filter!(@call self stream $streams [$($variant)+]
                    |filter, state| $crate::Filter::on_response_released(filter, state, background), else ())
            }

            fn on_stream_gone(&self, stream: &mut $streams, background: &mut $crate::Background<'_>) {
                $crate::any_filter!(@call self stream $streams [$($variant)+]
                    |filter, state| $crate::Filter::on_stream_gone(filter, state, background), else ())
            }

            fn on_config_gone(&self) {
                match self {
                    $(Self::$variant(filter) => $crate::Filter::on_config_gone(filter),)+
                }
            }

            fn on_tick(&self, background: &mut $crate::Background<'_>) {
                match self {
                    $(Self::$variant(filter) => $crate::Filter::on_tick(filter, background),)+
                }
            }

            fn on_call_response(
                &self, background: &mut $crate::Background<'_>, call_id: u32, response: $crate::CallResponse,
            ) {
                match self {
                    $(Self::$variant(filter) => {
                        $crate::Filter::on_call_response(filter, background, call_id, response);
                    })+
                }
            }
        }
    };
    (
        @call $self:ident $stream:ident $streams:ident [$($variant:ident)+]
        |$filter:ident, $state:ident| $call:expr, else $otherwise:expr
    ) => {
        match $self {
            $(Self::$variant($filter) => {
                if !::core::matches!($stream, $streams::$variant(_)) {
                    *$stream = $streams::$variant(::core::default::Default::default());
                }
                match $stream {
                    $streams::$variant($state) => $call,
                    _ => $otherwise,
                }
            })+
        }
    };
}
