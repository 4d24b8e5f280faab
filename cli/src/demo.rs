//! The demo: every filter at work in a real Envoy, with lines to try it.
//!
//! - [`scenario`]: the lines and what they answer, `envoy-configs/scenario.yaml`;
//! - [`curl`]: what a line asks for;
//! - [`expect`]: what an answer should be;
//! - [`endpoints`]: where things really are, since a fixed port may be taken;
//! - [`keys`]: the key pair of the demo's issuer;
//! - [`tokens`]: what it has signed, for the lines;
//! - [`environment`]: the gateway and its upstreams, running;
//! - [`check`]: runs the lines.

pub mod check;
pub mod curl;
pub mod endpoints;
pub mod environment;
pub mod expect;
pub mod keys;
pub mod scenario;
pub mod tokens;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::envoy::locate;
use crate::registry;
use endpoints::Endpoints;
use environment::{Environment, Ports};
use keys::KeyPair;
use scenario::Scenario;
use tokens::Tokens;

/// How often the demo looks whether its Envoys are still there.
const WATCH: Duration = Duration::from_millis(500);

/// As a shell reports a program that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

/// Shows the filters until the user ends it. Blocks.
///
/// # Errors
///
/// A module cannot be built, there is no Envoy, Envoy does not start, or it ends by itself.
pub fn show() -> anyhow::Result<ExitCode> {
    prepare()?;
    until_signalled(async |shown| {
        let scenario = Scenario::load()?;
        let mut environment = Environment::start(Ports::OfTheFiles).await?;
        let tokens = Tokens::mint(&KeyPair::load()?)?;
        println!("{}", scenario.guide(environment.endpoints(), &tokens)?);
        println!("The good tokens are good for an hour; started again, the demo makes new ones.");
        println!("Upstreams: v1 at http://{}, v2 at http://{}", environment.v1(), environment.v2());
        println!("Key set: http://{}/.well-known/jwks.json", environment.keys());
        println!("Ctrl-C ends it.");
        *shown = true;
        loop {
            tokio::time::sleep(WATCH).await;
            environment.watch()?;
        }
    })
}

/// Starts the demo on free ports, runs its lines and says whether each was answered as expected. Blocks.
///
/// # Errors
///
/// As for [`show`].
pub fn check() -> anyhow::Result<ExitCode> {
    prepare()?;
    until_signalled(async |_| {
        let scenario = Scenario::load()?;
        let environment = Environment::start(Ports::Free).await?;
        check::run(&scenario, environment.endpoints(), &Tokens::mint(&KeyPair::load()?)?).await
    })
}

/// Runs the lines against a gateway that runs already, such as that of docker compose: at `host`, with
/// the ports of the files, and with a key server that serves the demo's key set. Blocks.
///
/// # Errors
///
/// The scenario or the key pair cannot be read, or the gateway does not become ready.
pub fn check_against(host: &str) -> anyhow::Result<ExitCode> {
    until_signalled(async |_| {
        let scenario = Scenario::load()?;
        let endpoints = Endpoints::of_the_files(host);
        let tokens = Tokens::mint(&KeyPair::load()?)?;
        check::wait_until_ready(&endpoints).await?;
        check::run(&scenario, &endpoints, &tokens).await
    })
}

/// What takes long, before there is anything to leave behind.
fn prepare() -> anyhow::Result<()> {
    for module in registry::modules() {
        module.build()?;
    }
    keys::prepare()?;
    locate::envoy()?;
    Ok(())
}

/// Does something until it is done, or until the user or the system asks for the end. What it holds is
/// let go in both cases: no process stays.
///
/// An end that was asked for is a failure unless the work has set its flag.
fn until_signalled(
    work: impl AsyncFnOnce(&mut bool) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let runtime = Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let mut signals = Signals::new().context("cannot listen for signals")?;
        let mut may_end = false;
        let ended = tokio::select! {
            biased;
            () = signals.any() => None,
            result = work(&mut may_end) => Some(result),
        };
        ended.unwrap_or_else(|| Ok(if may_end { ExitCode::SUCCESS } else { ExitCode::from(INTERRUPTED) }))
    })
}

/// The signals that ask a program to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
