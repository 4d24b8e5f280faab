//! The providers' keys in this worker, and the calls that fetch them.

use crate::config::{Config, Jwks, Remote};
use crate::crypto::{KeySet, Skipped};
use crate::jwks::{Answered, Ask, Failure, Missing, Next, Source, Step, Tracker, Unused, read};
use crate::policy::{Keys, Metric};
use mesh_config::Problems;
use mesh_host::call::{Call, HttpCall};
use mesh_host::{Background, CallResponse, Metrics, SharedData, random};
use mesh_policy::hash::Key;
use mesh_policy::headers::{HeaderName, HeaderValue};
use mesh_policy::store::StoreError;
use mesh_policy::time::Nanos;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Maximum size of a response body.
const MAX_BYTES: usize = 256 << 10;
const USER_AGENT: &str = concat!("mesh-filters/", env!("CARGO_PKG_VERSION"));
/// Tick interval while no request waits. Other workers see a new key set within a second.
const IDLE: Duration = Duration::from_millis(500);
/// Tick interval while requests wait.
pub(super) const BUSY: Duration = Duration::from_millis(10);

/// The keys of all providers.
pub(super) struct Keyring(Vec<Ring>);

/// The keys of one provider.
enum Ring {
    Fixed(Rc<KeySet>),
    Remote(Box<RefCell<Fetched>>),
}

/// The keys of a provider with a key server.
struct Fetched {
    /// The provider's name.
    provider: String,
    tracker: Tracker,
    /// The call in progress.
    call: Option<Fetch>,
}

/// A call in progress.
struct Fetch {
    call_id: u32,
    step: Step,
    path: HeaderValue,
}

/// The metrics of one provider.
#[derive(Clone, Copy)]
struct ProviderMetrics<'a> {
    metrics: &'a Metrics<Metric>,
    provider: usize,
}

impl Keyring {
    pub(super) fn new(config: &Config, metrics: &Metrics<Metric>) -> Result<Self, Problems> {
        let rings = config.providers.iter().enumerate().map(|(index, provider)| {
            Ok(match &provider.jwks {
                Jwks::Inline(set) => {
                    ProviderMetrics { metrics, provider: index }.show(set);
                    Ring::Fixed(Rc::clone(set))
                }
                Jwks::Remote(remote) => {
                    let fetched = Fetched::new(provider.name.clone(), remote.clone())?;
                    Ring::Remote(Box::new(RefCell::new(fetched)))
                }
            })
        });
        rings.collect::<Result<_, _>>().map(Self)
    }

    /// Whether any provider has a key server.
    pub(super) fn has_remote(&self) -> bool {
        self.0.iter().any(|ring| matches!(ring, Ring::Remote(_)))
    }

    /// Decides whether a request with a missing key waits. `asked` is when the request first needed the key. `wait` is
    /// the request's stream, which is then woken; `None` if it cannot wait.
    pub(super) fn ask(
        &self,
        provider: usize,
        missing: &Missing,
        asked: Option<Nanos>,
        wait: Option<u32>,
        metrics: &Metrics<Metric>,
    ) -> Ask {
        let asked = self.with(provider, metrics, |fetched, metrics| {
            let ask = fetched.tracker.ask(&mut SharedData, missing, asked)?;
            match (ask, wait) {
                (Ask::Again, _) => fetched.report(metrics),
                (Ask::Wait(_), Some(stream)) => fetched.tracker.wait(stream),
                (Ask::Wait(_), None) | (Ask::Never, _) => {}
            }
            Ok(ask)
        });
        asked.unwrap_or(Ask::Never)
    }

    /// Removes a waiting request.
    pub(super) fn leave(&self, provider: usize, stream: u32) {
        if let Some(Ring::Remote(fetched)) = self.0.get(provider)
            && let Ok(mut fetched) = fetched.try_borrow_mut()
        {
            fetched.tracker.leave(stream);
        }
    }

    /// Polls all sources, starts fetches that are due, and schedules the next tick.
    pub(super) fn on_tick(&self, background: &mut Background<'_>, metrics: &Metrics<Metric>) {
        let mut next = IDLE;
        for provider in 0..self.0.len() {
            self.with(provider, metrics, |fetched, metrics| {
                let now = fetched.look(background, metrics)?;
                // Replaces a call in progress, whose lease has expired.
                if fetched.tracker.acquire_lease(&mut SharedData, now)? {
                    let (step, path) = Step::first(fetched.tracker.source().remote());
                    let path = path.clone();
                    fetched.send(background, metrics, step, path)?;
                }
                if fetched.tracker.has_waiting() {
                    next = BUSY;
                }
                Ok(())
            });
        }
        background.tick_after(next);
    }

    /// Handles the response to a call of this filter.
    pub(super) fn on_call_response(
        &self,
        background: &mut Background<'_>,
        metrics: &Metrics<Metric>,
        call_id: u32,
        answer: &CallResponse,
    ) {
        for provider in 0..self.0.len() {
            self.with(provider, metrics, |fetched, metrics| {
                let Some(fetch) = fetched.call.take_if(|fetch| fetch.call_id == call_id) else {
                    return Ok(());
                };
                fetched.answered(background, metrics, &fetch, answer)?;
                fetched.look(background, metrics)?;
                Ok(())
            });
        }
    }

    fn with<T>(
        &self,
        provider: usize,
        metrics: &Metrics<Metric>,
        act: impl FnOnce(&mut Fetched, ProviderMetrics<'_>) -> Result<T, StoreError>,
    ) -> Option<T> {
        let Some(Ring::Remote(fetched)) = self.0.get(provider) else { return None };
        let mut fetched = fetched.try_borrow_mut().ok()?;
        // If shared data fails, the worker keeps its keys. Logged at debug level, as every request may cause it.
        act(&mut fetched, ProviderMetrics { metrics, provider })
            .inspect_err(|error| log::debug!("cannot access shared data for key sets: {error:?}"))
            .ok()
    }
}

impl Keys for Keyring {
    fn of(&self, provider: usize) -> Option<Rc<KeySet>> {
        match self.0.get(provider)? {
            Ring::Fixed(set) => Some(Rc::clone(set)),
            Ring::Remote(fetched) => fetched.try_borrow().ok()?.tracker.set().map(Rc::clone),
        }
    }

    fn may_change(&self, provider: usize) -> bool {
        matches!(self.0.get(provider), Some(Ring::Remote(_)))
    }
}

impl Fetched {
    fn new(provider: String, remote: Remote) -> Result<Self, Problems> {
        let failed = |status| Problems::one(format!("the proxy gives no random numbers: {status}"));
        let owner = random::number().map_err(failed)?;
        let key = Key::new(random::key().map_err(failed)?);
        Ok(Self { provider, tracker: Tracker::new(Source::new(remote, owner), key), call: None })
    }

    /// Polls the source, and wakes waiting requests if a fetch has ended.
    fn look(
        &mut self,
        background: &Background<'_>,
        metrics: ProviderMetrics<'_>,
    ) -> Result<Nanos, StoreError> {
        let polled = self.tracker.poll(&mut SharedData)?;
        if polled.changed {
            self.report(metrics);
        }
        polled.woken.into_iter().for_each(|stream| background.wake(stream));
        Ok(polled.now)
    }

    fn report(&self, metrics: ProviderMetrics<'_>) {
        if let Some(set) = self.tracker.set() {
            metrics.show(set);
        }
    }

    fn send(
        &mut self,
        background: &Background<'_>,
        metrics: ProviderMetrics<'_>,
        step: Step,
        path: HeaderValue,
    ) -> Result<(), StoreError> {
        let remote = self.tracker.source().remote();
        let call = HttpCall {
            cluster: remote.cluster.clone(),
            method: "GET",
            authority: remote.host.clone(),
            path: path.clone(),
            headers: vec![
                (HeaderName::from_static("accept"), HeaderValue::text("application/json")),
                // Firewalls in front of identity providers refuse requests without a user agent.
                (HeaderName::from_static("user-agent"), HeaderValue::text(USER_AGENT)),
            ],
            body: Vec::new(),
            timeout: remote.timeout,
            max_body_bytes: MAX_BYTES,
        };
        match background.call(&Call::Http(call)) {
            Ok(call_id) => {
                self.call = Some(Fetch { call_id, step, path });
                Ok(())
            }
            Err(error) => self.failed(metrics, &path, &Failure::NotSent(error.to_string())),
        }
    }

    fn answered(
        &mut self,
        background: &Background<'_>,
        metrics: ProviderMetrics<'_>,
        fetch: &Fetch,
        answer: &CallResponse,
    ) -> Result<(), StoreError> {
        let CallResponse::Http(answer) = answer else { return Ok(()) };
        let answered = Answered {
            status: answer.status(),
            headers: &answer.headers,
            body: &answer.body,
            is_complete: answer.is_complete,
        };
        match read(fetch.step, self.tracker.source().remote(), &answered) {
            Ok(Next::Ask(path)) => self.send(background, metrics, Step::KeySet, path),
            Ok(Next::Keys { max_age, skipped }) => {
                metrics.count(Metric::JwksFetchOk);
                let roll = random::number().unwrap_or_default();
                if self.tracker.source().succeed(&mut SharedData, &answer.body, max_age, roll)? {
                    self.log_unused(&skipped);
                }
                Ok(())
            }
            Err(failure) => self.failed(metrics, &fetch.path, &failure),
        }
    }

    /// Logs the unused keys, once per version of the set, in the worker that fetched it.
    fn log_unused(&self, skipped: &[Skipped]) {
        let remote = self.tracker.source().remote();
        let of = format!(
            "provider `{}`: unused key in the key set of {} (cluster `{}`):",
            self.provider,
            String::from_utf8_lossy(remote.host.as_bytes()),
            remote.cluster
        );
        let unused = Unused::new(skipped);
        unused.wrong.iter().for_each(|line| log::warn!("{of} {line}"));
        unused.other_use.iter().for_each(|line| log::debug!("{of} {line}"));
    }

    fn failed(
        &mut self,
        metrics: ProviderMetrics<'_>,
        path: &HeaderValue,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        // At startup, a cluster whose name is still being resolved cannot be called yet. This is not a failure.
        if matches!(failure, Failure::NotSent(_)) && self.tracker.source().is_first_try() {
            return self.tracker.source().fail(&mut SharedData);
        }
        metrics.count(Metric::JwksFetchFailed);
        let remote = self.tracker.source().remote();
        log::warn!(
            "provider `{}`: GET {}{} (cluster `{}`): {failure}",
            self.provider,
            String::from_utf8_lossy(remote.host.as_bytes()),
            // A query may have a secret.
            String::from_utf8_lossy(path.as_bytes().split(|byte| *byte == b'?').next().unwrap_or_default()),
            remote.cluster
        );
        self.tracker.source().fail(&mut SharedData)
    }
}

impl ProviderMetrics<'_> {
    fn count(self, metric: Metric) {
        self.metrics.counter(metric, self.provider).increment();
    }

    fn show(self, set: &KeySet) {
        self.metrics.gauge(Metric::Keys, self.provider).set(set.len() as u64);
        self.metrics.gauge(Metric::KeysSkipped, self.provider).set(set.skipped().len() as u64);
    }
}
