//! A running Envoy, from start to exit.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::admin::Admin;
use super::binary::Binary;
use super::config::{ANY_LOCAL_PORT, Bootstrap};
use super::locate;

/// Time that Envoy has to become ready; compiling Wasm on a busy machine is slow.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// Time that Envoy has to exit by itself.
const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// Interval at which conditions are polled.
const POLL: Duration = Duration::from_millis(20);

/// Number of the log's last lines that an error contains.
const TAIL_LINES: usize = 40;

/// An Envoy to be started: its folder exists, its process does not.
#[derive(Debug)]
pub struct Launch {
    binary: Binary,
    folder: TempDir,
    concurrency: u32,
    log_level: String,
    component_log_level: Option<String>,
    drain_seconds: Option<u32>,
}

impl Launch {
    /// With the Envoy of [`locate::envoy`], two workers and the log level `info`.
    ///
    /// # Errors
    ///
    /// No Envoy is found, or there is no folder for temporary files.
    pub fn new() -> anyhow::Result<Self> {
        Self::of(locate::envoy()?)
    }

    /// With this Envoy, two workers and the log level `info`.
    ///
    /// # Errors
    ///
    /// There is no folder for temporary files.
    pub fn of(binary: Binary) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("mesh-filters-")
            .tempdir()
            .context("cannot create a temporary folder")?;
        let log_level = "info".to_owned();
        Ok(Self { binary, folder, concurrency: 2, log_level, component_log_level: None, drain_seconds: None })
    }

    /// The folder that Envoy runs in, for files that its configuration names (file-based xDS). It is removed
    /// when Envoy stops.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sets the number of workers.
    #[must_use]
    pub fn concurrency(mut self, workers: u32) -> Self {
        self.concurrency = workers;
        self
    }

    /// Sets the log level: `trace`, `debug`, `info`, `warning`, `error` or `off`.
    #[must_use]
    pub fn log_level(mut self, level: &str) -> Self {
        level.clone_into(&mut self.log_level);
        self
    }

    /// Sets the log level of single components: `wasm:debug,upstream:trace`.
    #[must_use]
    pub fn component_log_level(mut self, levels: &str) -> Self {
        self.component_log_level = Some(levels.to_owned());
        self
    }

    /// Sets the time after which the connections of a listener that was removed are closed; 600 s by default.
    #[must_use]
    pub const fn drain_seconds(mut self, seconds: u32) -> Self {
        self.drain_seconds = Some(seconds);
        self
    }

    /// Starts Envoy and waits until it is ready.
    ///
    /// The admin interface uses any free port unless the configuration sets its address.
    ///
    /// # Errors
    ///
    /// Envoy cannot be started, exits because it rejects the configuration, or is not ready in time. The error
    /// contains the end of its log.
    pub async fn start(self, bootstrap: &Bootstrap) -> anyhow::Result<Envoy> {
        let mut bootstrap = bootstrap.clone();
        if bootstrap.admin_port().is_none() {
            bootstrap.set_admin(ANY_LOCAL_PORT);
        }
        let config = self.folder().join("envoy.json");
        std::fs::write(&config, bootstrap.value().to_string())
            .with_context(|| format!("cannot write `{}`", config.display()))?;
        let child = self.spawn(&config)?;
        // From here on the process is stopped when this function returns an error.
        let mut envoy = Envoy { admin: Admin::new(ANY_LOCAL_PORT), child, folder: self.folder, reaped: None };
        envoy.become_ready().await.with_context(|| format!("Envoy does not start\n{}", envoy.tail()))?;
        Ok(envoy)
    }

    fn spawn(&self, config: &Path) -> anyhow::Result<Child> {
        let folder = self.folder();
        let log = File::create(log_file(folder)).context("cannot create Envoy's log")?;
        let errors = log.try_clone().context("cannot share Envoy's log")?;
        let mut command = Command::new(&self.binary.path);
        command
            .arg("--config-path")
            .arg(config)
            .arg("--admin-address-path")
            .arg(admin_file(folder))
            .args(["--concurrency", &self.concurrency.to_string()])
            .args(["--log-level", &self.log_level])
            // Access logs are files that tests wait for; the default is 10 s.
            .args(["--file-flush-interval-msec", "100"])
            // Several run side by side.
            .arg("--disable-hot-restart")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors);
        if let Some(levels) = &self.component_log_level {
            command.args(["--component-log-level", levels]);
        }
        if let Some(seconds) = self.drain_seconds {
            command.args(["--drain-time-s", &seconds.to_string()]);
        }
        command.spawn().with_context(|| format!("cannot start `{}`", self.binary.path.display()))
    }
}

/// A running Envoy. When this value is dropped, the process is stopped and its folder removed.
///
/// A `static` is never dropped: keep the value elsewhere.
#[derive(Debug)]
pub struct Envoy {
    admin: Admin,
    child: Child,
    folder: TempDir,
    reaped: Option<ExitStatus>,
}

impl Envoy {
    /// The admin interface.
    #[must_use]
    pub const fn admin(&self) -> &Admin {
        &self.admin
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The folder Envoy runs in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address of a listener, also if it was configured with port 0.
    ///
    /// # Errors
    ///
    /// There is no such listener, or Envoy does not answer.
    pub async fn listener(&self, name: &str) -> anyhow::Result<SocketAddr> {
        let listeners = self.admin.listeners().await?;
        listeners.get(name).copied().with_context(|| format!("Envoy has no listener `{name}`"))
    }

    /// What Envoy has logged and printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = std::fs::read(log_file(self.folder())).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The exit status of Envoy, if it has exited.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.reaped.is_none() {
            self.reaped = self.child.try_wait().ok().flatten();
        }
        self.reaped
    }

    /// Asks Envoy to exit, and kills it if it does not. Returns when the process has exited.
    pub fn stop(&mut self) {
        if self.ended().is_some() {
            return;
        }
        let asked = Pid::from_raw(self.child.id().cast_signed())
            .is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok());
        let deadline = Instant::now() + STOP_DEADLINE;
        while asked && Instant::now() < deadline {
            if self.ended().is_some() {
                return;
            }
            std::thread::sleep(POLL);
        }
        // Fails only if the process has exited already.
        let _ = self.child.kill();
        self.reaped = self.child.wait().ok();
    }

    async fn become_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            if let Some(status) = self.ended() {
                bail!("it exited: {status}");
            }
            if let Some(address) = self.admin_address() {
                self.admin = Admin::new(address);
                if self.admin.is_live().await {
                    return Ok(());
                }
            }
            if Instant::now() >= deadline {
                bail!("it is not ready after {} s", START_DEADLINE.as_secs());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The admin address that Envoy has written to a file; none while the file is incomplete.
    fn admin_address(&self) -> Option<SocketAddr> {
        let address = std::fs::read_to_string(admin_file(self.folder())).ok()?;
        let address: SocketAddr = address.trim().parse().ok()?;
        Some(super::config::reachable(address))
    }

    /// The last lines of [`Envoy::log`], for a message.
    #[must_use]
    pub fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let skipped = lines.len().saturating_sub(TAIL_LINES);
        lines.into_iter().skip(skipped).fold(String::new(), |mut tail, line| {
            tail.push_str("  | ");
            tail.push_str(line);
            tail.push('\n');
            tail
        })
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            eprintln!("The end of Envoy's log:\n{}", self.tail());
        }
    }
}

fn log_file(folder: &Path) -> PathBuf {
    folder.join("envoy.log")
}

fn admin_file(folder: &Path) -> PathBuf {
    folder.join("admin-address")
}
