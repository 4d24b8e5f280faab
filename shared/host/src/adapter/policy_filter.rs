//! The filter of a policy that neither waits nor fetches.

use super::{Adapter, Judgement, ResponseEdits};
use crate::callbacks::Callbacks;
use crate::clock;
use crate::filter::{Configure, Filter, Flow, TrailersFlow};
use crate::message::{Request, Response, Trailers};
use crate::plugin::Plugin;
use crate::random;
use crate::shared_data::SharedData;
use mesh_config::Problems;
use mesh_policy::policy::{Decide, Environment, Setup};
use mesh_policy::time::Nanos;

/// The filter of a policy that neither waits nor fetches.
pub struct PolicyFilter<P: Decide>(Adapter<P>);

impl<P: Decide> Configure for PolicyFilter<P> {
    fn configure(config: &[u8], plugin: &Plugin) -> Result<Vec<Self>, Problems> {
        let policy = P::configure(config, &mut ProxySetup { plugin, store: SharedData })?;
        Ok(vec![Self(Adapter::new(policy))])
    }
}

impl<P: Decide> Filter for PolicyFilter<P> {
    const NAME: &'static str = P::NAME;

    const CALLBACKS: Callbacks = {
        let response = if P::EDITS_RESPONSES { Callbacks::RESPONSE_HEADERS } else { Callbacks::NONE };
        let trailers = if P::EDITS_TRAILERS { Callbacks::REQUEST_TRAILERS } else { Callbacks::NONE };
        Callbacks::REQUEST_HEADERS.and(response).and(trailers)
    };

    type Stream = ResponseEdits;

    fn summary(&self) -> String {
        self.0.policy().summary()
    }

    fn on_request_headers(&self, edits: &mut ResponseEdits, request: &mut Request<'_>) -> Flow {
        self.0.on_request(edits, request, |request| {
            let policy = self.0.policy();
            let facts = request.facts(policy.needs())?;
            let environment =
                Environment { roll: &mut || random::number().unwrap_or(0), store: &mut SharedData };
            Ok(Judgement::Verdict(policy.decide(&facts, environment)))
        })
    }

    fn on_request_trailers(&self, _edits: &mut ResponseEdits, trailers: &mut Trailers) -> TrailersFlow {
        self.0.on_request_trailers(trailers)
    }

    fn on_response_headers(&self, edits: &mut ResponseEdits, response: &mut Response<'_>) -> Flow {
        self.0.on_response(edits, response)
    }
}

/// The proxy while a config is read.
struct ProxySetup<'a> {
    plugin: &'a Plugin,
    store: SharedData,
}

impl Setup for ProxySetup<'_> {
    type Store = SharedData;

    fn plugin_name(&self) -> &str {
        self.plugin.name()
    }

    fn now(&self) -> Nanos {
        clock::monotonic().unwrap_or_default()
    }

    fn random_key(&mut self) -> Result<[u8; 16], Problems> {
        // With a key that everybody knows, a client could compute hashes.
        random::key().map_err(|status| {
            Problems::one(format!("the proxy gives no random numbers, and the filter needs a key: {status}"))
        })
    }

    fn store(&mut self) -> &mut SharedData {
        &mut self.store
    }
}
