//! Signature checks, by the proxy where it can and in the VM otherwise.

use crate::config::Config;
use crate::crypto::{Algorithm, Key, in_host, in_vm, self_test};
use crate::policy::{CpuBudget, Metric, Signature, Signatures};
use mesh_host::{Metrics, clock, foreign};
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// Chooses, when the config is read, whether the proxy or the VM verifies each algorithm.
pub(super) struct Checker {
    /// Algorithms that the proxy verifies correctly.
    in_host: Vec<Algorithm>,
    budget: RefCell<CpuBudget>,
    /// The provider and the duration of the last check, if it was not charged to the budget.
    free: Cell<Option<(usize, Duration)>>,
}

impl Checker {
    /// Tries the proxy on each algorithm that a provider uses.
    pub(super) fn new(config: &Config, metrics: &Metrics<Metric>) -> Self {
        let mut in_host = Vec::new();
        for (index, algorithm) in Algorithm::ALL.into_iter().enumerate() {
            if !config.providers.iter().any(|provider| provider.algorithms.contains(&algorithm)) {
                continue;
            }
            let works = self_test::works(ask, algorithm);
            metrics.gauge(Metric::InHost, index).set(works.into());
            if works {
                in_host.push(algorithm);
            }
        }
        let now = clock::monotonic().unwrap_or_default();
        let has_slow = config.providers.iter().map(|provider| {
            provider
                .algorithms
                .iter()
                .any(|algorithm| cost(*algorithm, in_host.contains(algorithm)) != Cost::None)
        });
        let budget = RefCell::new(CpuBudget::new(config.in_vm_share, has_slow, now));
        Self { in_host, budget, free: Cell::new(None) }
    }

    fn cost(&self, algorithm: Algorithm) -> Cost {
        cost(algorithm, self.in_host.contains(&algorithm))
    }

    fn check(&self, algorithm: Algorithm, key: &Key, message: &[u8], signature: &[u8]) -> Signature {
        if !self.in_host.contains(&algorithm) {
            return verdict(in_vm::verify(algorithm, key, message, signature));
        }
        match in_host::argument(algorithm, key, message, signature) {
            None => Signature::Bad,
            Some(argument) => match foreign::call(in_host::FUNCTION, &argument) {
                Ok(answer) => in_host::read_answer(&answer).map_or(Signature::Failed, verdict),
                Err(status) => {
                    log::debug!("the proxy cannot verify a signature: {status}");
                    Signature::Failed
                }
            },
        }
    }
}

impl Signatures for Checker {
    fn verify(
        &self,
        provider: usize,
        algorithm: Algorithm,
        key: &Key,
        message: &[u8],
        signature: &[u8],
    ) -> Signature {
        self.free.set(None);
        let cost = self.cost(algorithm);
        if cost == Cost::None {
            return self.check(algorithm, key, message, signature);
        }
        // Without a clock the budget cannot be kept.
        let (Ok(begun), Ok(mut budget)) = (clock::monotonic(), self.budget.try_borrow_mut()) else {
            return Signature::Failed;
        };
        if !budget.has_time(provider, begun) {
            return Signature::NoTime;
        }
        let signature = self.check(algorithm, key, message, signature);
        let time = clock::monotonic().unwrap_or(begun).since(begun);
        if cost == Cost::Always || signature == Signature::Bad {
            budget.spend(provider, time);
        } else {
            self.free.set(Some((provider, time)));
        }
        signature
    }

    fn wasted(&self) {
        if let Some((provider, time)) = self.free.take()
            && let Ok(mut budget) = self.budget.try_borrow_mut()
        {
            budget.spend(provider, time);
        }
    }

    fn is_slow(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{EdDsa, Es256, Es384, Hs256, Hs384, Hs512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match algorithm {
            Es384 | Ps256 | Ps384 | Ps512 => true,
            Rs256 | Rs384 | Rs512 | Es256 => !self.in_host.contains(&algorithm),
            EdDsa | Hs256 | Hs384 | Hs512 => false,
        }
    }
}

/// Which checks count against the CPU budget.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cost {
    /// None, as a check costs little more than reading the token.
    None,
    /// Those of refused tokens.
    Failures,
    /// All checks.
    Always,
}

const fn cost(algorithm: Algorithm, is_in_host: bool) -> Cost {
    match (algorithm, is_in_host) {
        (Algorithm::Es384, true) => Cost::Failures,
        (_, true) => Cost::None,
        (algorithm, false) if algorithm.is_symmetric() => Cost::None,
        (_, false) => Cost::Always,
    }
}

/// Asks the proxy to verify a signature; `None` if it cannot.
fn ask(algorithm: Algorithm, key: &Key, message: &[u8], signature: &[u8]) -> Option<bool> {
    let argument = in_host::argument(algorithm, key, message, signature)?;
    in_host::read_answer(&foreign::call(in_host::FUNCTION, &argument).ok()?)
}

const fn verdict(good: bool) -> Signature {
    if good { Signature::Good } else { Signature::Bad }
}
