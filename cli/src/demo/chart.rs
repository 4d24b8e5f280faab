//! A chart of the canary filter's split: the requests of many users by variant, before and after the guard trips.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use bytes::Bytes;

use super::endpoints::{Endpoints, resolve};
use crate::http::{HeaderName, HeaderValue, Load, Request, Response, Until};

/// The listener of the canary filter in `demo.yaml`.
const LISTENER: u16 = 10002;

/// The path that the split divides.
const PATH: &str = "/checkout";

/// Identifies a user.
const USER: HeaderName = HeaderName::from_static("x-user-id");

/// Makes the upstream v2 answer 503.
const BREAK: HeaderName = HeaderName::from_static("x-break");

/// The number of users, each with one request.
const USERS: u64 = 1000;

/// Enough connections for all workers.
const CONNECTIONS: usize = 8;

/// The percentage of users that v2 may have: its weight of 10 in `demo.yaml`, and 5 points.
const SHARE: std::ops::RangeInclusive<u64> = 5..=15;

/// Time in which the guard trips. It judges once a second.
const DEADLINE: Duration = Duration::from_secs(15);

/// Time after which all workers know of a trip. They look once a second.
const KNOWN: Duration = Duration::from_millis(1500);

const PAUSE: Duration = Duration::from_millis(100);

/// The length of the bar of all users.
const WIDTH: u64 = 50;

/// Draws the chart, makes v2 fail until its guard has tripped, and draws it again. Returns how the two differ from what is
/// expected.
///
/// # Errors
///
/// A request has no response, or the guard does not trip in time.
pub async fn draw(endpoints: &Endpoints) -> anyhow::Result<Vec<String>> {
    let address = resolve(&endpoints.authority(LISTENER)?).await?;
    println!("Requests of {USERS} users to {PATH}, by the version that answers:\n");
    let before = send(address, false).await?;
    println!("{before}");
    let begin = Instant::now();
    let failed = break_until_tripped(address).await?;
    println!(
        "v2 fails: {failed} errors in {:.1} s, until its guard trips. Then:\n",
        begin.elapsed().as_secs_f64()
    );
    tokio::time::sleep(KNOWN).await;
    let after = send(address, false).await?;
    println!("{after}");
    println!("v2 returns 20 s after the trip.");
    Ok(differences(&before, &after))
}

/// Sends requests that v2 answers with 503 until there is no such answer. Returns the number of these answers.
async fn break_until_tripped(address: SocketAddr) -> anyhow::Result<u64> {
    let begin = Instant::now();
    let mut failed = 0;
    loop {
        let answers = send(address, true).await?;
        if answers.errors == 0 {
            return Ok(failed);
        }
        failed += answers.errors;
        ensure!(begin.elapsed() < DEADLINE, "the guard has not tripped after {failed} errors of v2");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Sends one request of each user. `is_broken`: whether v2 is to fail.
async fn send(address: SocketAddr, is_broken: bool) -> anyhow::Result<Answers> {
    let next_user = AtomicU64::new(0);
    let make = move |_| {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = hyper::Uri::from_static(PATH);
        let user = next_user.fetch_add(1, Ordering::Relaxed);
        request.headers_mut().insert(USER, HeaderValue::from(user));
        if is_broken {
            request.headers_mut().insert(BREAK, HeaderValue::from_static("v2"));
        }
        request
    };
    let counted = Arc::new(Counters::default());
    let counters = counted.clone();
    let load = Load::http1(address, CONNECTIONS, Until::Requests(USERS));
    let report = load.run(make, move |_, response| counters.count(response)).await?;
    let example = report.example.unwrap_or_default();
    ensure!(report.errors == 0, "{} of {USERS} requests have no response: {example}", report.errors);
    Ok(counted.read())
}

/// Counts responses while they arrive.
#[derive(Debug, Default)]
struct Counters {
    v1: AtomicU64,
    v2: AtomicU64,
    errors: AtomicU64,
}

/// Numbers of responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answers {
    /// Those of v1.
    v1: u64,
    /// Those of v2.
    v2: u64,
    /// Those with another status than 200.
    errors: u64,
}

impl Counters {
    /// Each upstream's responses have its name as the body.
    fn count(&self, response: &Response) {
        let of = if response.body == "v2" { &self.v2 } else { &self.v1 };
        of.fetch_add(1, Ordering::Relaxed);
        self.errors.fetch_add(u64::from(response.status != 200), Ordering::Relaxed);
    }

    fn read(&self) -> Answers {
        let [v1, v2, errors] =
            [&self.v1, &self.v2, &self.errors].map(|counter| counter.load(Ordering::Relaxed));
        Answers { v1, v2, errors }
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = (self.v1 + self.v2).max(1);
        for (variant, count) in [("v1", self.v1), ("v2", self.v2)] {
            // Rounded up: one request is visible.
            let length = usize::try_from((count * WIDTH).div_ceil(all)).unwrap_or_default();
            writeln!(formatter, "{}", format!("  {variant} {count:>5}  {}", "█".repeat(length)).trim_end())?;
        }
        Ok(())
    }
}

/// How the charts before and after the trip differ from what is expected.
fn differences(before: &Answers, after: &Answers) -> Vec<String> {
    let mut differences = Vec::new();
    let share = before.v2 * 100 / (before.v1 + before.v2).max(1);
    if !SHARE.contains(&share) {
        let (least, most) = (SHARE.start(), SHARE.end());
        differences.push(format!("v2 answers {share} % of the users, expected {least} to {most} %"));
    }
    if after.v2 > 0 {
        differences.push(format!("v2 answers {} users after the trip, expected 0", after.v2));
    }
    let errors = before.errors + after.errors;
    if errors > 0 {
        differences.push(format!("{errors} requests fail although v2 is to answer them, expected 0"));
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn answers(v1: u64, v2: u64, errors: u64) -> Answers {
        Answers { v1, v2, errors }
    }

    #[test]
    fn a_bar_has_a_block_for_two_percent() {
        let full = "█".repeat(50);
        assert_eq!(answers(0, 0, 0).to_string(), "  v1     0\n  v2     0\n");
        assert_eq!(answers(1000, 0, 0).to_string(), format!("  v1  1000  {full}\n  v2     0\n"));
        assert_eq!(answers(999, 1, 0).to_string(), format!("  v1   999  {full}\n  v2     1  █\n"));
        let (most, least) = ("█".repeat(45), "█".repeat(5));
        assert_eq!(answers(900, 100, 0).to_string(), format!("  v1   900  {most}\n  v2   100  {least}\n"));
    }

    #[track_caller]
    fn check(before: Answers, after: Answers, expected: &[&str]) {
        assert_eq!(differences(&before, &after), expected);
    }

    #[test]
    fn a_split_that_trips_differs_nowhere() {
        check(answers(950, 50, 0), answers(1000, 0, 0), &[]);
        check(answers(850, 150, 0), answers(1000, 0, 0), &[]);
    }

    #[test]
    fn each_difference_is_named() {
        let share = "v2 answers 4 % of the users, expected 5 to 15 %";
        check(answers(951, 49, 0), answers(1000, 0, 0), &[share]);
        check(
            answers(840, 160, 0),
            answers(1000, 0, 0),
            &["v2 answers 16 % of the users, expected 5 to 15 %"],
        );
        check(answers(900, 100, 0), answers(999, 1, 0), &["v2 answers 1 users after the trip, expected 0"]);
        let failing = "3 requests fail although v2 is to answer them, expected 0";
        check(answers(900, 100, 1), answers(1000, 0, 2), &[failing]);
    }
}
