//! Time and random numbers of the proxy.

use crate::clock;
use crate::random;
use mesh_policy::policy::Sources;
use mesh_policy::time::Nanos;
use std::time::Duration;

/// The proxy's clocks and its generator.
#[derive(Clone, Copy, Debug)]
pub struct ProxySources;

impl Sources for ProxySources {
    fn random(&mut self) -> Option<u64> {
        random::number().ok()
    }

    fn now(&mut self) -> Option<Nanos> {
        clock::now().ok()
    }

    fn since_epoch(&mut self) -> Option<Duration> {
        clock::since_epoch().ok()
    }
}
