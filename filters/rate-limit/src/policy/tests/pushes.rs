//! Properties over config pushes, in every script of a few requests.

use super::super::set::{PRECEDENCE, Set};
use super::quota::Quota;
use super::scripts::{Event, Told, play};
use mesh_policy::time::Nanos;
use mesh_testkit::search::Bounds;

const SECOND: u64 = 1_000_000_000;
/// Period of all rates.
const PER: u128 = 20 * SECOND as u128;

/// A limit with this quota.
fn limit(Quota { tokens, burst, .. }: Quota, name: &str, largest_cost: u64) -> String {
    format!(
        r#"{{"name": "{name}", "rate": {{"requests": {tokens}, "per": "20s"}}, "burst": {burst},
            "cost": {{"header": "cost", "max": {largest_cost}}}}}"#
    )
}

/// A config with this quota, and the costs of its requests: one token, or the burst.
fn config(quota: Quota) -> (String, Vec<u64>) {
    let burst = u64::try_from(quota.burst).unwrap();
    let config = format!(r#"{{"capacity": 64, "limits": [{}]}}"#, limit(quota, "l", burst));
    (config, if burst == 1 { vec![1] } else { vec![1, burst] })
}

/// The largest or smallest rate and burst of the configs that took part.
fn of_all(quotas: &[Quota], told: &Told<'_>, pick: fn(u128, u128) -> u128) -> Quota {
    let quotas = told.configs.iter().map(|config| quotas[*config]);
    quotas.reduce(|one, other| one.pick(other, pick)).expect("a config took part")
}

/// In every window, at most the largest burst and what the largest rate refills is admitted.
fn never_over(largest: Quota, events: &[Event], limit: usize) -> Result<(), String> {
    let Some(last) = events.last().filter(|event| event.outcome.admitted) else { return Ok(()) };
    let mut tokens = 0;
    for event in events.iter().rev().filter(|event| event.outcome.admitted) {
        tokens += u128::from(event.task.cost);
        let nanos =
            last.outcome.looks[limit].checked_sub(event.outcome.looks[limit]).ok_or("times decrease")?;
        if largest.is_exceeded(tokens, nanos) {
            return Err(format!("{tokens} tokens in {nanos} ns, at most {largest:?}"));
        }
    }
    Ok(())
}

/// Requests within the smallest burst and rate are never refused.
fn never_under(smallest: Quota, events: &[Event]) -> Result<(), String> {
    let Some((refused, earlier)) = events.split_last().filter(|(last, _)| !last.outcome.admitted) else {
        return Ok(());
    };
    let now = refused.outcome.looks[0];
    let mut tokens = u128::from(refused.task.cost);
    let mut justified = smallest.is_exceeded(tokens, 0);
    for event in earlier[..refused.after].iter().rev().filter(|event| event.outcome.admitted) {
        tokens += u128::from(event.task.cost);
        justified |= smallest.is_exceeded(tokens, now - event.outcome.looks[0]);
    }
    if justified { Ok(()) } else { Err(format!("refused without need, at least {smallest:?}")) }
}

/// From the first charge of a later config on, its quota applies to all earlier ones until the bucket is full or that
/// config has been silent for [`PRECEDENCE`].
fn the_later_rules(quotas: &[Quota], events: &[Event]) -> Result<(), String> {
    let precedence = u64::try_from(PRECEDENCE.as_nanos()).unwrap();
    for (later, quota) in quotas.iter().enumerate() {
        // What a bucket of only this config would owe, times PER, and when it was last charged by which configs.
        let mut owed: u128 = 0;
        let (mut last, mut last_of_later, mut last_above) = (0, 0, None);
        for event in events {
            let (at, config) = (event.outcome.looks[0], event.task.config);
            if config > later {
                (owed, last_above) = (0, last_above.max(Some(at)));
            }
            if config > later || !event.outcome.admitted {
                continue;
            }
            owed = owed.saturating_sub(quota.tokens * u128::from(at - last));
            last = at;
            if config < later && at - last_of_later >= precedence {
                owed = 0;
            }
            let overruled = last_above.is_some_and(|above| at.saturating_sub(above) < precedence);
            if owed == 0 && (config < later || overruled) {
                continue;
            }
            owed += u128::from(event.task.cost) * PER;
            if config == later {
                last_of_later = at;
            }
            if owed > quota.burst * PER {
                return Err(format!("{owed} owed while config {later} took precedence, at most {quota:?}"));
            }
        }
    }
    Ok(())
}

fn laws(quotas: &[Quota], told: &Told<'_>) -> Result<(), String> {
    let Some(records) = &told.records else {
        never_over(of_all(quotas, told, u128::max), told.events, 0)?;
        never_under(of_all(quotas, told, u128::min), told.events)?;
        return the_later_rules(quotas, told.events);
    };
    // No bucket keeps its slot longer than the slowest of its configs takes to refill it.
    let slowest = told.configs.iter().map(|config| quotas[*config].window()).max().expect("one");
    let free = Nanos(told.now + slowest);
    if records.iter().any(|(_, record)| Set::parse(Some(record.clone())).taken(free) > 0) {
        return Err(format!("a slot is still taken at {free:?}"));
    }
    Ok(())
}

/// Numbers of requests, workers, pauses and configs in a script.
struct Size {
    requests: u32,
    workers: usize,
    pauses: u32,
    configs: usize,
}

/// Two configs are a push, and a rollback if the old one continues. The third is a rollback by a later config with the
/// old quota. Each request may be handled by any of them.
const SMALL: [Size; 2] = [
    Size { requests: 3, workers: 2, pauses: 1, configs: 3 },
    Size { requests: 3, workers: 3, pauses: 1, configs: 2 },
];
const LARGE: [Size; 3] = [
    Size { requests: 4, workers: 2, pauses: 2, configs: 3 },
    Size { requests: 3, workers: 3, pauses: 2, configs: 3 },
    Size { requests: 4, workers: 3, pauses: 1, configs: 2 },
];

/// Runs every script, with pauses of this length. With `LONG_SCRIPTS` in the environment the sizes are larger, which
/// takes minutes in a release build.
fn check(old: Quota, new: Quota, pause: u64) {
    let sizes: &[Size] = if std::env::var_os("LONG_SCRIPTS").is_some() { &LARGE } else { &SMALL };
    check_sizes(old, new, pause, sizes);
}

fn check_sizes(old: Quota, new: Quota, pause: u64, sizes: &[Size]) {
    let quotas = [old, new, old];
    for Size { requests, workers, pauses, configs } in sizes {
        let bounds = Bounds {
            workers: *workers,
            tasks: *requests,
            pause,
            pauses: *pauses,
            pauses_in_flight: true,
            failures: 0,
        };
        let begun = std::time::Instant::now();
        let configs_of: Vec<_> = quotas.iter().take(*configs).map(|quota| config(*quota)).collect();
        let found = play(&configs_of, bounds, &|told| laws(&quotas, told));
        eprintln!(
            "{requests} requests to {configs} configs ({old:?}, {new:?}) by {workers} workers, time passes \
             {pauses} times: {} scripts, {} states, {:.1} s",
            found.scripts,
            found.states,
            begun.elapsed().as_secs_f64()
        );
    }
}

const fn quota(tokens: u128, burst: u128) -> Quota {
    Quota { tokens, burst, per: PER }
}

/// Pairs of quotas, and how long to pause.
const PUSHES: [(Quota, Quota, u64); 4] = [
    // Half a second refills a token.
    (quota(40, 3), quota(40, 1), SECOND / 2),
    (quota(40, 1), quota(40, 3), SECOND / 2),
    (quota(40, 3), quota(20, 1), SECOND / 2),
    // Ten seconds refill half a token, and end the precedence of a silent config.
    (quota(1, 3), quota(1, 1), 10 * SECOND),
];

#[test]
fn a_smaller_burst_in_every_script() {
    let (old, new, pause) = PUSHES[0];
    check(old, new, pause);
    check_sizes(old, new, pause, &[Size { requests: 4, workers: 2, pauses: 1, configs: 3 }]);
}

#[test]
fn a_larger_burst_in_every_script() {
    let (old, new, pause) = PUSHES[1];
    check(old, new, pause);
}

#[test]
fn another_rate_in_every_script() {
    let (old, new, pause) = PUSHES[2];
    check(old, new, pause);
}

#[test]
fn a_silent_config_in_every_script() {
    let (old, new, pause) = PUSHES[3];
    check(old, new, pause);
}

/// Either both limits are charged or none. What was taken for a refused request is given back, possibly to a bucket
/// that another config has taken over.
#[test]
fn what_is_given_back_in_every_script() {
    let limits = [[quota(40, 3), quota(40, 1)], [quota(40, 1), quota(40, 2)]];
    let config = |[first, second]: [Quota; 2]| {
        let limits = [limit(first, "a", 1), limit(second, "b", 1)].join(", ");
        (format!(r#"{{"capacity": 64, "limits": [{limits}]}}"#), vec![1])
    };
    let bounds = Bounds {
        workers: 2,
        tasks: 4,
        pause: SECOND / 2,
        pauses: 1,
        // Giving back keeps what was refilled since the charge, which another test checks.
        pauses_in_flight: false,
        failures: 0,
    };
    let found = play(&limits.map(config), bounds, &|told| {
        (0..2).try_for_each(|limit| {
            let quotas = limits.map(|limits| limits[limit]);
            never_over(of_all(&quotas, told, u128::max), told.events, limit)
        })
    });
    eprintln!("two limits: {} scripts, {} states", found.scripts, found.states);
}
