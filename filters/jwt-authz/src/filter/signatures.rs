//! Signature checks: by the proxy where it can, in the VM where they must be.

use super::counters::labelled;
use crate::config::Config;
use crate::crypto::{Algorithm, Key, in_host, in_vm, self_test};
use crate::policy::{Share, Signature, Signatures};
use host::metrics::Gauge;
use host::{clock, foreign};
use std::cell::Cell;

/// Who checks what, chosen when the config comes.
pub(super) struct Checker {
    /// Those that the proxy has shown to check rightly.
    in_host: Vec<Algorithm>,
    share: Cell<Share>,
}

impl Checker {
    /// Tries the proxy on each algorithm that a provider uses.
    pub(super) fn new(config: &Config) -> Self {
        let mut in_host = Vec::new();
        for algorithm in Algorithm::ALL {
            if !config.providers.iter().any(|provider| provider.algorithms.contains(&algorithm)) {
                continue;
            }
            let works = self_test::works(ask, algorithm);
            Gauge::define(&labelled("algorithm", algorithm.name(), "in_host")).set(works.into());
            if works {
                in_host.push(algorithm);
            }
        }
        let now = clock::monotonic().unwrap_or_default();
        Self { in_host, share: Cell::new(Share::new(config.in_vm_share, now)) }
    }

    fn in_vm(&self, algorithm: Algorithm, key: &Key, message: &[u8], signature: &[u8]) -> Signature {
        // As cheap as reading the token.
        if algorithm.is_symmetric() {
            return verdict(in_vm::verify(algorithm, key, message, signature));
        }
        // A worker that cannot tell the time cannot keep to a share of it.
        let Ok(begun) = clock::monotonic() else { return Signature::Failed };
        let mut share = self.share.get();
        let signature = if share.has_time(begun) {
            let verdict = verdict(in_vm::verify(algorithm, key, message, signature));
            share.spend(begun, clock::monotonic().unwrap_or(begun));
            verdict
        } else {
            Signature::NoTime
        };
        self.share.set(share);
        signature
    }
}

impl Signatures for Checker {
    fn verify(&self, algorithm: Algorithm, key: &Key, message: &[u8], signature: &[u8]) -> Signature {
        if !self.in_host.contains(&algorithm) {
            return self.in_vm(algorithm, key, message, signature);
        }
        match in_host::argument(algorithm, key, message, signature) {
            None => Signature::Bad,
            Some(argument) => match foreign::call(in_host::FUNCTION, &argument) {
                Ok(answer) => in_host::read_answer(&answer).map_or(Signature::Failed, verdict),
                Err(status) => {
                    host::log!(Debug, "the proxy cannot check a signature: {status}");
                    Signature::Failed
                }
            },
        }
    }
}

/// Asks the proxy; `None` if it does not say.
fn ask(algorithm: Algorithm, key: &Key, message: &[u8], signature: &[u8]) -> Option<bool> {
    let argument = in_host::argument(algorithm, key, message, signature)?;
    in_host::read_answer(&foreign::call(in_host::FUNCTION, &argument).ok()?)
}

const fn verdict(good: bool) -> Signature {
    if good { Signature::Good } else { Signature::Bad }
}
