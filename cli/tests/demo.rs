//! The demo, run as a user runs it.

#![allow(clippy::unwrap_used, reason = "what the tests share is no test itself, but fails as one")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

fn demo(temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mesh-filters"));
    command.arg("demo").env("TMPDIR", temporary).stdin(Stdio::null());
    command
}

fn send(signal: Signal, child: &Child) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Whether a process is running in a folder or below it.
fn inhabited(folder: &Path) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| std::fs::read_link(process.path().join("cwd")).ok())
        .any(|cwd| cwd.starts_with(folder))
}

fn nothing_is_left(temporary: &Path) {
    assert!(!inhabited(temporary));
    assert_eq!(std::fs::read_dir(temporary).unwrap().count(), 0);
}

fn wait(mut child: Child) -> ExitStatus {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "the demo does not exit");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn every_line_is_answered_as_the_demo_says() {
    let temporary = tempfile::tempdir().unwrap();
    let output = demo(temporary.path()).arg("--check").output().unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    nothing_is_left(temporary.path());
}

#[test]
fn it_runs_until_it_is_told_to_end_and_leaves_nothing_behind() {
    for signal in [Signal::INT, Signal::TERM] {
        let temporary = tempfile::tempdir().unwrap();
        let mut child = demo(temporary.path()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let shown: Vec<_> =
            lines.map(Result::unwrap).take_while(|line| line != "Press Ctrl-C to stop.").collect();
        let lines: Vec<_> = shown.iter().filter(|line| line.trim_start().starts_with("curl ")).collect();
        // They contain the tokens themselves, so that they can be pasted.
        assert!(lines.iter().any(|line| line.contains("Bearer eyJ")), "{lines:?}");
        assert!(lines.iter().all(|line| !line.contains("<token:")), "{lines:?}");
        assert!(inhabited(temporary.path()));
        send(signal, &child);
        assert!(wait(child).success());
        nothing_is_left(temporary.path());
    }
}

#[test]
fn an_end_that_comes_while_it_starts_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut child = demo(temporary.path()).stdout(Stdio::null()).spawn().unwrap();
    while !inhabited(temporary.path()) {
        assert_eq!(child.try_wait().unwrap(), None, "it has exited by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    send(Signal::TERM, &child);
    assert!(!wait(child).success());
    nothing_is_left(temporary.path());
}
