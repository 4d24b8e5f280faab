//! Signature checks: by the proxy where it can, in the VM where they must be.

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

/// An algorithm of each kind that a proxy may offer, the others it stands for, and the gauge.
const KINDS: [(Algorithm, &[Algorithm], &str); 3] = [
    (Algorithm::Rs256, &[Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512], "host_checks_rsa"),
    (Algorithm::Es256, &[Algorithm::Es256], "host_checks_p256"),
    (Algorithm::Es384, &[Algorithm::Es384], "host_checks_p384"),
];

impl Checker {
    /// Tries the proxy. `in_vm_share`: see the config.
    pub(super) fn new(in_vm_share: u8) -> Self {
        let mut in_host = Vec::new();
        for (algorithm, stands_for, gauge) in KINDS {
            let works =
                self_test::works(|a, key, message, signature| ask(a, key, message, signature), algorithm);
            Gauge::define(&format!("mesh_filters.jwt_authz.{gauge}")).set(works.into());
            if works {
                in_host.extend_from_slice(stands_for);
            }
        }
        let now = clock::monotonic().unwrap_or_default();
        Self { in_host, share: Cell::new(Share::new(in_vm_share, now)) }
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
            Some(argument) => match foreign::call("verify_signature", &argument) {
                Ok(answer) => in_host::read_answer(&answer).map_or(Signature::Failed, verdict),
                Err(status) => {
                    host::log!(Warn, "the proxy cannot check a signature: {status}");
                    Signature::Failed
                }
            },
        }
    }
}

/// Asks the proxy; `None` if it does not say.
fn ask(algorithm: Algorithm, key: &Key, message: &[u8], signature: &[u8]) -> Option<bool> {
    let argument = in_host::argument(algorithm, key, message, signature)?;
    in_host::read_answer(&foreign::call("verify_signature", &argument).ok()?)
}

const fn verdict(good: bool) -> Signature {
    if good { Signature::Good } else { Signature::Bad }
}
