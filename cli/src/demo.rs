//! The demo: every filter in a real Envoy, with curl commands to try it.
//!
//! - [`scenario`]: the commands and the expected responses, `envoy-configs/scenario.yaml`;
//! - [`curl`]: parses a command;
//! - [`expect`]: compares a response with the expected one;
//! - [`endpoints`]: the real addresses, since a fixed port may be taken;
//! - [`keys`]: the key pair of the demo's issuer;
//! - [`tokens`]: the tokens that the commands send;
//! - [`environment`]: the running gateway and its upstreams;
//! - [`check`]: runs the commands;
//! - [`chart`]: shows the canary filter's split with the requests of many users.

pub mod chart;
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

/// Interval at which the demo checks that its Envoys are running.
const WATCH: Duration = Duration::from_millis(500);

/// Exit status that a shell reports for a program that was stopped by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Runs the demo until the user stops it. Blocks.
///
/// # Errors
///
/// A module cannot be built, no Envoy is found, or an Envoy does not start or exits.
pub fn show() -> anyhow::Result<ExitCode> {
    prepare()?;
    until_signalled(async |shown| {
        let scenario = Scenario::load()?;
        let mut environment = Environment::start(Ports::OfTheFiles).await?;
        let tokens = Tokens::mint(&KeyPair::load()?)?;
        println!("{}", scenario.guide(environment.endpoints(), &tokens)?);
        if let Err(error) = chart::draw(environment.endpoints()).await {
            println!("No chart: {error:#}");
        }
        println!();
        println!("The valid tokens expire in an hour; a new start of the demo creates new ones.");
        println!("Upstreams: v1 at http://{}, v2 at http://{}", environment.v1(), environment.v2());
        println!("Key set: http://{}/.well-known/jwks.json", environment.keys());
        println!("Press Ctrl-C to stop.");
        *shown = true;
        loop {
            tokio::time::sleep(WATCH).await;
            environment.watch()?;
        }
    })
}

/// Starts the demo on free ports, runs its commands, draws the chart, and reports whether all was as expected. Blocks.
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

/// Runs the commands against a running gateway, such as that of docker compose: on `host`, with the ports
/// of the files and a key server that serves the demo's key set. Blocks.
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

/// Does the slow preparations first, before there are processes to stop.
fn prepare() -> anyhow::Result<()> {
    for module in registry::modules() {
        module.build()?;
    }
    keys::prepare()?;
    locate::envoy()?;
    Ok(())
}

/// Runs `work` until it is done or until a signal asks the program to exit. In both cases the work is
/// dropped, and its processes with it.
///
/// An exit by signal is a failure unless the work has set its flag.
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

/// The signals that ask a program to exit.
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
