//! What a filter's policy implements: facts in, one verdict out.

use crate::effects::Edit;
use crate::facts::{Facts, Needs};
use crate::headers::{HeaderName, Headers};
use crate::metric::Metric;
use crate::settings::Settings;
use crate::store::Store;
use crate::time::Nanos;
use crate::verdict::Verdict;
use mesh_config::Problems;

/// A config at work. The host layer brings requests to it and carries out its verdicts.
pub trait Policy: Sized + 'static {
    /// The filter's name in metrics and filter state: `rate_limit`.
    const NAME: &'static str;

    /// Whether verdicts change responses.
    const EDITS_RESPONSES: bool = false;

    /// Whether [`Policy::edit_trailers`] does anything.
    const EDITS_TRAILERS: bool = false;

    /// The filter's metrics.
    type Metric: Metric;

    /// The fields that every filter's config has.
    fn settings(&self) -> &Settings;

    /// What a decision reads of a request.
    fn needs(&self) -> &Needs;

    /// Headers that hold credentials besides the usual ones: a request with one is no CORS preflight.
    fn credential_headers(&self) -> &[HeaderName] {
        &[]
    }

    /// The values of a metric's label, by their place in the config; `None` for one that has no such metric.
    fn label_values(&self, _metric: Self::Metric) -> Vec<Option<&str>> {
        Vec::new()
    }

    /// The verdict on a request without a decision: the filter's mode is `off`, or it is a CORS preflight.
    ///
    /// `headers` fetches the request's headers.
    ///
    /// # Errors
    /// Those of `headers`, and [`Unchangeable`].
    fn pass<'h, E: From<Unchangeable>>(
        &self,
        _headers: impl FnOnce() -> Result<&'h Headers, E>,
    ) -> Result<Verdict<'_, Self::Metric>, E> {
        Ok(Verdict::default())
    }

    /// The verdict on a request that the proxy does not let the filter read or change.
    fn unreadable(&self) -> Verdict<'_, Self::Metric>;

    /// Changes of the request's trailers, whatever the verdict on the request was.
    ///
    /// # Errors
    /// [`Unchangeable`]: the trailers must not go on.
    fn edit_trailers(&self, _trailers: &Headers) -> Result<Vec<Edit>, Unchangeable> {
        Ok(Vec::new())
    }
}

/// A policy that decides at once: it neither waits nor fetches.
pub trait Decide: Policy {
    /// Reads a config and puts it to work.
    ///
    /// # Errors
    /// Everything that is wrong with the config.
    fn configure(config: &[u8], setup: &mut impl Setup) -> Result<Self, Problems>;

    /// Decides on a request.
    fn decide(
        &self,
        facts: &Facts<'_>,
        environment: Environment<'_, impl Store>,
    ) -> Verdict<'_, Self::Metric>;
}

/// A message cannot be changed as it must be: its own bytes are no header's name or value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unchangeable;

/// What a policy may ask of its surroundings while it reads a config.
pub trait Setup {
    /// State that all workers share.
    type Store: Store;

    /// The plugin's name as the proxy's config has it, in Istio `<namespace>.<name>`; it may be empty.
    fn plugin_name(&self) -> &str;

    /// The present instant.
    fn now(&self) -> Nanos;

    /// A random key.
    ///
    /// # Errors
    /// A problem for the user if the proxy gives no random numbers.
    fn random_key(&mut self) -> Result<[u8; 16], Problems>;

    /// State that all workers share.
    fn store(&mut self) -> &mut Self::Store;
}

/// What a policy may ask of its surroundings while it decides.
pub struct Environment<'a, S> {
    /// Gives uniformly random numbers.
    pub roll: &'a mut dyn FnMut() -> u64,
    /// State that all workers share.
    pub store: &'a mut S,
}
