//! A filter whose config depends on the request.

use crate::body::Body;
use crate::call::CallResponse;
use crate::callbacks::Callbacks;
use crate::filter::{BodyFlow, Build, Filter, Flow, TrailersFlow, Wake};
use crate::message::{Request, Response, Trailers};
use crate::plugin::{Background, Plugin};
use mesh_config::Problems;
use mesh_policy::routes::{Chosen, Routes};
use mesh_policy::summary;

/// A filter of which there can be several with different configs and the same state.
pub trait BuildRoute: Build {
    /// Whether a request decides on all configs that may be for it, where that is undecided. If not, a route that may be for
    /// a request counts as not for it.
    const DECIDES_TOGETHER: bool = false;

    /// Whether the filter of a route does background work besides that of the block's own.
    const ROUTES_TICK: bool = false;

    /// Builds the filter of a route. It shares the state of this one, which is the block's own.
    ///
    /// # Errors
    /// What keeps the config from being used in this proxy.
    fn build_route(&self, config: Self::Config, plugin: &Plugin) -> Result<Self, Problems>;

    /// As [`Filter::on_request_headers`], where others decide on the request as well.
    fn on_request_headers_beside(
        &self,
        _others: &[&Self],
        stream: &mut Self::Stream,
        request: &mut Request<'_>,
    ) -> Flow {
        self.on_request_headers(stream, request)
    }

    /// As [`Filter::on_request_wake`], where others decide on the request as well.
    fn on_request_wake_beside(
        &self,
        _others: &[&Self],
        stream: &mut Self::Stream,
        request: &mut Request<'_>,
        wake: Wake,
    ) -> Flow {
        self.on_request_wake(stream, request, wake)
    }
}

/// A filter, and what it is on some routes.
pub struct Routed<F> {
    own: F,
    /// In the order in which the routes are tried.
    others: Vec<F>,
    routes: Routes,
    /// The block's name, if it has one of its own.
    block: Option<String>,
}

/// The state of a stream.
#[derive(Default)]
pub struct RoutedStream<S> {
    chosen: Chosen,
    state: S,
}

impl<F: BuildRoute> Routed<F> {
    /// Builds the filter with its own config and those of the routes, in the order of `routes`.
    ///
    /// # Errors
    /// What keeps the configs from being used in this proxy.
    #[inline(never)]
    pub fn build(
        own: F::Config,
        routes: Routes,
        others: Vec<F::Config>,
        plugin: &Plugin,
    ) -> Result<Self, Problems> {
        let own = F::build(own, plugin)?;
        let others = others.into_iter().map(|config| own.build_route(config, plugin));
        let block = plugin.scope().block().map(str::to_owned);
        Ok(Self { others: others.collect::<Result<_, _>>()?, own, routes, block })
    }

    fn at(&self, position: usize) -> &F {
        position.checked_sub(1).and_then(|route| self.others.get(route)).unwrap_or(&self.own)
    }

    /// The filter that the stream has.
    fn of(&self, stream: &RoutedStream<F::Stream>) -> &F {
        self.at(stream.chosen.certain)
    }

    /// The filters of routes that do background work.
    fn ticking(&self) -> impl Iterator<Item = &F> {
        self.others.iter().filter(|_| F::ROUTES_TICK)
    }

    /// The filters that decide on a request together with [`Routed::of`], in the order of the routes.
    fn beside(&self, chosen: &Chosen) -> Vec<&F> {
        chosen.possible.iter().map(|position| self.at(*position)).collect()
    }

    // Called for every filter: out of line it makes a module smaller.
    #[inline(never)]
    fn choose(&self, request: &mut Request<'_>) -> Chosen {
        let chosen = request
            .facts(self.routes.needs())
            .map_or_else(|_| self.routes.choose_blindly(), |facts| self.routes.choose(&facts));
        if F::DECIDES_TOGETHER { chosen } else { Chosen { possible: Vec::new(), ..chosen } }
    }
}

impl<F: BuildRoute> Filter for Routed<F> {
    const NAME: &'static str = F::NAME;
    const CALLBACKS: Callbacks = F::CALLBACKS;

    type Stream = RoutedStream<F::Stream>;

    fn name(&self) -> &'static str {
        self.own.name()
    }

    fn summary(&self) -> String {
        let mut summary = self.own.summary();
        if let Some(block) = &self.block {
            summary = format!("block {block}, {summary}");
        }
        if !self.routes.is_empty() {
            summary = format!("{summary}, {}", summary::list("route", self.routes.names()));
        }
        summary
    }

    fn on_request_headers(&self, stream: &mut Self::Stream, request: &mut Request<'_>) -> Flow {
        if !self.routes.is_empty() {
            stream.chosen = self.choose(request);
        }
        if !F::DECIDES_TOGETHER || stream.chosen.possible.is_empty() {
            return self.of(stream).on_request_headers(&mut stream.state, request);
        }
        let others = self.beside(&stream.chosen);
        self.of(stream).on_request_headers_beside(&others, &mut stream.state, request)
    }

    fn on_request_wake(&self, stream: &mut Self::Stream, request: &mut Request<'_>, wake: Wake) -> Flow {
        if !F::DECIDES_TOGETHER || stream.chosen.possible.is_empty() {
            return self.of(stream).on_request_wake(&mut stream.state, request, wake);
        }
        let others = self.beside(&stream.chosen);
        self.of(stream).on_request_wake_beside(&others, &mut stream.state, request, wake)
    }

    fn on_request_body(&self, stream: &mut Self::Stream, body: &mut Body) -> BodyFlow {
        self.of(stream).on_request_body(&mut stream.state, body)
    }

    fn on_request_released(&self, stream: &mut Self::Stream, background: &mut Background<'_>) {
        self.of(stream).on_request_released(&mut stream.state, background);
    }

    fn on_request_trailers(&self, stream: &mut Self::Stream, trailers: &mut Trailers) -> TrailersFlow {
        // What one of the configs keeps out may not come in where another one decides.
        for other in self.beside(&stream.chosen) {
            let flow = other.on_request_trailers(&mut stream.state, trailers);
            if !matches!(flow, TrailersFlow::Continue) {
                return flow;
            }
        }
        self.of(stream).on_request_trailers(&mut stream.state, trailers)
    }

    fn on_response_headers(&self, stream: &mut Self::Stream, response: &mut Response<'_>) -> Flow {
        self.of(stream).on_response_headers(&mut stream.state, response)
    }

    fn on_response_wake(&self, stream: &mut Self::Stream, response: &mut Response<'_>, wake: Wake) -> Flow {
        self.of(stream).on_response_wake(&mut stream.state, response, wake)
    }

    fn on_response_body(&self, stream: &mut Self::Stream, body: &mut Body) -> BodyFlow {
        self.of(stream).on_response_body(&mut stream.state, body)
    }

    fn on_response_released(&self, stream: &mut Self::Stream, background: &mut Background<'_>) {
        self.of(stream).on_response_released(&mut stream.state, background);
    }

    fn on_response_trailers(&self, stream: &mut Self::Stream, trailers: &mut Trailers) -> TrailersFlow {
        self.of(stream).on_response_trailers(&mut stream.state, trailers)
    }

    fn on_stream_gone(&self, stream: &mut Self::Stream, background: &mut Background<'_>) {
        self.of(stream).on_stream_gone(&mut stream.state, background);
    }

    fn on_config_gone(&self) {
        self.own.on_config_gone();
        self.ticking().for_each(F::on_config_gone);
    }

    fn on_tick(&self, background: &mut Background<'_>) {
        self.own.on_tick(background);
        self.ticking().for_each(|route| route.on_tick(background));
    }

    fn on_call_response(&self, background: &mut Background<'_>, call_id: u32, response: CallResponse) {
        self.own.on_call_response(background, call_id, response);
    }
}
