//! Memory and processor time of a process, from Linux's `/proc`.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};

/// The resident memory of a process, in bytes.
///
/// # Errors
///
/// There is no such process or no `/proc`.
pub fn resident_bytes(pid: u32) -> anyhow::Result<u64> {
    let path = PathBuf::from(format!("/proc/{pid}/status"));
    let status =
        std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: u64 = kib.context("the process has exited")?.trim().parse()?;
    Ok(kib * 1024)
}

/// The processor time of the running threads of a process since they were started, in nanoseconds.
///
/// From the scheduler's statistics, since `/proc/PID/stat` counts in ticks of 10 ms.
///
/// # Errors
///
/// There is no such process or no `/proc`.
pub fn cpu_nanos(pid: u32) -> anyhow::Result<u64> {
    let path = PathBuf::from(format!("/proc/{pid}/task"));
    let threads = std::fs::read_dir(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    // A thread may exit after it was listed.
    let counts = threads.filter_map(|thread| {
        std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?.split(' ').next()?.parse().ok()
    });
    let nanos: Vec<u64> = counts.collect();
    ensure!(!nanos.is_empty(), "this kernel has no schedstat");
    Ok(nanos.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_takes_memory_and_time() {
        let me = std::process::id();
        assert!(resident_bytes(me).unwrap() > 100_000);
        let before = cpu_nanos(me).unwrap();
        let begin = std::time::Instant::now();
        // On a busy machine it may take a while to get processor time.
        while cpu_nanos(me).unwrap() == before {
            assert!(begin.elapsed().as_secs() < 10);
        }
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(resident_bytes(u32::MAX).is_err());
        assert!(cpu_nanos(u32::MAX).is_err());
    }
}
