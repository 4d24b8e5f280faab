//! The proxy's log.

use crate::abi::{self, LogLevel};
use std::fmt::Arguments;

/// How much a line matters, in the proxy's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever debugs the filter.
    Debug = 1,
    /// For whoever runs the proxy.
    Info = 2,
    /// Something is not as it should be.
    Warn = 3,
    /// Something does not work.
    Error = 4,
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

/// Writes a line unless the proxy would drop it; then nothing is formatted. Use [`log!`](crate::log!).
pub fn write(level: Level, message: Arguments<'_>) {
    // A host without the call gets every line.
    let wanted = abi::log_level().unwrap_or(0) <= level as u32;
    if wanted {
        let _unlogged = abi::log(level.into(), &message.to_string());
    }
}

/// Logs a line: `log!(Warn, "no cluster {name}")`.
#[macro_export]
macro_rules! log {
    ($level:ident, $($message:tt)+) => {
        $crate::log::write($crate::log::Level::$level, ::std::format_args!($($message)+))
    };
}
