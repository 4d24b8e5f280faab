//! The logger behind the `log` crate: it writes to the proxy's log.
//!
//! Each line begins with the name of the filter, or of its block, and with that of the plugin: Istio leaves `vm_id` empty, and then
//! the proxy's own prefix does not tell them.

use crate::abi::{self, LogLevel};
use crate::property;
use log::{Level, LevelFilter, Log, Metadata, Record};
use mesh_policy::time::Nanos;
use std::cell::Cell;
use std::time::Duration;

/// Number of callbacks without a reading of the clock after which the proxy is asked all the same.
const MAX_CALLBACKS: u32 = 1024;

/// How often the proxy is asked for its log level, which an operator may change at any time.
const LEVEL_AGE: Duration = Duration::from_secs(10);

static LOGGER: ProxyLog = ProxyLog;

std::thread_local! {
    /// The module's name.
    static MODULE: Cell<&'static str> = const { Cell::new("") };
    static LEVEL: Cell<LevelFilter> = const { Cell::new(LevelFilter::Trace) };
    /// Callbacks since the proxy was asked that did not read the clock.
    static CALLBACKS: Cell<u32> = const { Cell::new(0) };
    /// When to ask for the level again.
    static ASK_AT: Cell<Option<Nanos>> = const { Cell::new(None) };
}

/// Makes `log::warn!` and the like write to the proxy's log.
pub(crate) fn install(module: &'static str) {
    MODULE.set(module);
    // Fails if it is installed already.
    let _installed = log::set_logger(&LOGGER);
    ask_level();
}

/// As [`follow_level`], after a callback that did not read the clock.
pub(crate) fn follow_level_without_clock() {
    let callbacks = CALLBACKS.get() + 1;
    if callbacks >= MAX_CALLBACKS { ask_level() } else { CALLBACKS.set(callbacks) }
}

/// Asks the proxy for its log level if that was long ago.
pub(crate) fn follow_level(now: Nanos) {
    match ASK_AT.get() {
        Some(at) if now < at => return,
        Some(_) => ask_level(),
        None => {}
    }
    ASK_AT.set(Some(now.after(LEVEL_AGE)));
}

/// A host that does not tell its level gets every line.
fn ask_level() {
    const TRACE: u32 = 0;
    let level = match abi::log_level().unwrap_or(TRACE) {
        TRACE => LevelFilter::Trace,
        level if level <= LogLevel::Debug as u32 => LevelFilter::Debug,
        level if level <= LogLevel::Info as u32 => LevelFilter::Info,
        level if level <= LogLevel::Warn as u32 => LevelFilter::Warn,
        level if level <= LogLevel::Error as u32 => LevelFilter::Error,
        _ => LevelFilter::Off,
    };
    LEVEL.set(level);
    ASK_AT.set(None);
    CALLBACKS.set(0);
    // Of all threads of a native test, so there it drops nothing.
    log::set_max_level(if cfg!(target_arch = "wasm32") { level } else { LevelFilter::Trace });
}

struct ProxyLog;

impl Log for ProxyLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= LEVEL.get()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let level = match record.level() {
            Level::Error => LogLevel::Error,
            Level::Warn => LogLevel::Warn,
            Level::Info => LogLevel::Info,
            Level::Debug | Level::Trace => LogLevel::Debug,
        };
        let plugin = property::get(&["plugin_name"]).ok().flatten().unwrap_or_default();
        let plugin = String::from_utf8_lossy(&plugin);
        let space = if plugin.is_empty() { "" } else { " " };
        let filter = filter_name(record.target());
        let line = format!("[mesh-filters/{filter}{space}{plugin}] {}", record.args());
        // A line that cannot be written is lost.
        let _unwritten = abi::log(level, &line);
    }

    fn flush(&self) {}
}

/// The target of lines about a filter or a block of this name.
pub(crate) fn target_of(name: &str) -> String {
    format!("{NAMED}{name}")
}

/// How a target begins that is a name. The path of a crate never begins with it.
const NAMED: char = ':';

/// The filter or the block that a line is about. If the line does not say, it is the crate that wrote it, or the module if that
/// is one of the shared crates.
fn filter_name(target: &str) -> String {
    if let Some(name) = target.strip_prefix(NAMED) {
        return name.to_owned();
    }
    let name = match target.split("::").next() {
        Some(name) if !name.is_empty() && !name.starts_with("mesh_") => name,
        _ => MODULE.get(),
    };
    name.chars().map(|character| if character == '_' { '-' } else { character }).collect()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::{MODULE, filter_name, target_of};

    #[test]
    fn a_line_is_about_a_block_a_crate_or_the_module() {
        MODULE.set("suite");
        assert_eq!(filter_name(&target_of("rate-limit")), "rate-limit");
        assert_eq!(filter_name(&target_of("by_user")), "by_user");
        assert_eq!(filter_name(&target_of("mesh_edge")), "mesh_edge");
        assert_eq!(filter_name("rate_limit::policy"), "rate-limit");
        assert_eq!(filter_name("mesh_host::stream"), "suite");
        assert_eq!(filter_name(""), "suite");
    }
}
