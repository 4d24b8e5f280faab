//! The interface of a filter's policy: facts in, one verdict out.

use crate::effects::Edit;
use crate::facts::{Facts, Needs};
use crate::headers::{HeaderName, Headers, Unchangeable, spellings};
use crate::metric::Metric;
use crate::outcome::Outcome;
use crate::preflight::CorsPreflight;
use crate::report::Report;
use crate::scope::Scope;
use crate::settings::Settings;
use crate::store::Store;
use crate::time::Nanos;
use crate::verdict::{Count, Verdict};
use mesh_config::Problems;
use std::time::Duration;

/// A config, prepared for decisions. The host layer passes requests to it and carries out its verdicts.
pub trait Policy: Sized + 'static {
    /// The filter's name, as `rate-limit`; `rate_limit` in metrics and filter state.
    const NAME: &'static str;

    /// Whether verdicts may change responses.
    const EDITS_RESPONSES: bool = false;

    /// Whether [`Policy::edit_trailers`] may change trailers.
    const EDITS_TRAILERS: bool = false;

    /// Whether verdicts may ask for the outcome of a request. [`Decide::start`], [`Decide::observe`] and [`Decide::tick`] are
    /// called only if this is true.
    const OBSERVES: bool = false;

    /// Whether it verifies tokens: to the filters behind it in a chain, the claims of a request are those of its verdict,
    /// and none if that has none.
    const PROVIDES_CLAIMS: bool = false;

    /// The filter's metrics.
    type Metric: Metric;

    /// The settings that all filters have.
    fn settings(&self) -> &Settings;

    /// What the config makes the filter do, in one short line, for the log.
    fn summary(&self) -> String {
        format!("mode {}", self.settings().mode)
    }

    /// What happens to CORS preflights.
    fn cors_preflight(&self) -> CorsPreflight {
        CorsPreflight::Check
    }

    /// The facts that a decision needs.
    fn needs(&self) -> &Needs;

    /// Headers that only this filter may set. They are removed from each request, in every spelling that an upstream may
    /// read as one of them, before anything reads the request.
    fn own_headers(&self) -> &[HeaderName] {
        &[]
    }

    /// Headers with credentials, besides the standard ones. A request with one of them is not a CORS preflight.
    fn credential_headers(&self) -> &[HeaderName] {
        &[]
    }

    /// The values of a metric's labels, in the order of the config: one string for each label; `None` where there is no
    /// such metric.
    fn label_values(&self, _metric: Self::Metric) -> Vec<Option<Vec<&str>>> {
        Vec::new()
    }

    /// The verdict on a request that is not decided on: the filter's mode is `off`, or the request is a CORS preflight.
    ///
    /// `removed` are the headers that only the filter may set, as [`Facts::removed`]; `headers` fetches the others.
    ///
    /// # Errors
    /// The errors of `headers`, and [`Unchangeable`].
    fn pass<'h, E: From<Unchangeable>>(
        &self,
        _removed: &Headers,
        _headers: impl FnOnce() -> Result<&'h Headers, E>,
    ) -> Result<Verdict<'_, Self::Metric>, E> {
        Ok(Verdict::default())
    }

    /// The verdict on a request that the filter could not read or change.
    fn unreadable(&self, part: Part) -> Verdict<'_, Self::Metric>;

    /// Changes of the request's trailers, independent of the verdict on the request: headers that only this filter may set
    /// are removed, in every spelling. [`Unchangeable`]: one cannot be removed, so the trailers must not be forwarded.
    fn edit_trailers(&self, trailers: &Headers) -> (Vec<Edit>, Result<(), Unchangeable>) {
        removals(trailers, self.own_headers())
    }
}

/// The changes by which none of `names` is left in the trailers, and whether these are all.
pub fn removals(trailers: &Headers, names: &[HeaderName]) -> (Vec<Edit>, Result<(), Unchangeable>) {
    let (names, rest) = spellings(trailers, names);
    (names.into_iter().map(Edit::Remove).collect(), rest)
}

/// A part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The headers that only the filter may set. The client may have sent them, and they may still be there.
    OwnHeaders,
    /// Its headers.
    Headers,
    /// Its trailers. The request was decided on before.
    Trailers,
}

/// A policy that decides immediately, without waiting or fetching.
///
/// Its state is that of one worker; what all workers share is in the [`Store`].
pub trait Decide: Policy {
    /// A config, as it is read.
    type Config;

    /// Reads a config.
    ///
    /// # Errors
    /// All problems of the config.
    fn read(config: &[u8]) -> Result<Self::Config, Problems>;

    /// Prepares a config for decisions.
    ///
    /// # Errors
    /// What keeps the config from being used in this proxy.
    fn build(config: Self::Config, setup: &mut impl Setup) -> Result<Self, Problems>;

    /// Prepares the config of a route for decisions. It shares the state of this policy, which is the block's own.
    ///
    /// # Errors
    /// What keeps the config from being used in this proxy.
    fn build_route(&self, config: Self::Config, setup: &mut impl Setup) -> Result<Self, Problems> {
        Self::build(config, setup)
    }

    /// Decides on a request.
    fn decide(
        &self,
        facts: &Facts<'_>,
        environment: Environment<'_, impl Store>,
    ) -> Verdict<'_, Self::Metric>;

    /// Whether a request decides on all configs that may be for it, by [`Decide::decide_beside`], where that is undecided. If
    /// not, a route that may be for a request counts as not for it.
    const DECIDES_TOGETHER: bool = false;

    /// Decides on a request, where the policies of other routes may be for it as well. The verdict is on the whole request,
    /// and its counts are this policy's. It is carried out under this policy's mode, unless a refusal is final.
    fn decide_beside<'a>(
        &'a self,
        _others: &[&'a Self],
        facts: &Facts<'_>,
        environment: Environment<'_, impl Store>,
    ) -> Together<'a, Self::Metric> {
        Together { verdict: self.decide(facts, environment), counts: Vec::new() }
    }

    /// Called before the first request, for gauges and a first [`Decide::tick`].
    fn start(&self, _environment: Environment<'_, impl Store>) -> Report<Self::Metric> {
        Report::default()
    }

    /// Takes the outcome of a request whose verdict asked for it. Returns the time until a [`Decide::tick`], if one is
    /// wanted.
    fn observe(&self, _outcome: &Outcome) -> Option<Duration> {
        None
    }

    /// Background work, at a time that the policy has asked for. It is also called when the config is removed: the last
    /// chance to store what this worker knows.
    fn tick(&self, _environment: Environment<'_, impl Store>) -> Report<Self::Metric> {
        Report::default()
    }
}

/// What several policies have decided together.
pub struct Together<'a, M> {
    /// The verdict on the request. Its counts are those of the first policy.
    pub verdict: Verdict<'a, M>,
    /// Counters of the other policies to increase, each with the policy's index among the others.
    pub counts: Vec<(usize, Count<M>)>,
}

/// What the host provides while a config is read.
pub trait Setup {
    /// State shared by all workers.
    type Store: Store;

    /// Whose state the policy has: the plugin's, in Istio called `<namespace>.<name>`, or a block's.
    fn scope(&self) -> &Scope;

    /// The current time.
    fn now(&self) -> Nanos;

    /// A random key.
    ///
    /// # Errors
    /// The proxy provides no random numbers.
    fn random_key(&mut self) -> Result<[u8; 16], Problems>;

    /// State shared by all workers.
    fn store(&mut self) -> &mut Self::Store;
}

/// What the host provides for a decision.
pub struct Environment<'a, S> {
    /// Time and random numbers.
    pub sources: &'a mut dyn Sources,
    /// State shared by all workers.
    pub store: &'a mut S,
}

/// Time and random numbers. Each is `None` if the proxy does not provide it.
pub trait Sources {
    /// A uniformly distributed random number.
    fn random(&mut self) -> Option<u64>;

    /// The monotonic clock.
    fn now(&mut self) -> Option<Nanos>;

    /// Time since 1970.
    fn since_epoch(&mut self) -> Option<Duration>;
}
