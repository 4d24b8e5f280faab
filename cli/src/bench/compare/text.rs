//! The parts of the report, each for one thing that was measured.

use std::fmt::Write as _;

use super::costs::Costs;
use super::latency::Latency;
use super::listeners::{CHAIN, MODULES};
use super::memory::{Bytes, Memory};
use super::push::Push;
use super::sizes::Sizes;
use super::table::table;
use crate::bench::estimate::Estimate;

/// The most that the suite is to be of others.
const AIMS: [(&str, f64); 2] = [(CHAIN, 1.6), (MODULES, 0.5)];

/// Widest interval of a median time, as a part of it, with which the times say something.
const MAX_WIDTH: f64 = 0.5;
const UNCERTAIN: &str =
    "\nThe times are uncertain here, as their intervals show. Other work on the machine may be the cause.\n";

/// What each row adds to a request.
pub(super) fn costs(costs: &Costs) -> String {
    let lines = costs.rows.iter().map(|row| {
        let Estimate { median, low, high } = row.added;
        [row.name.clone(), micros(median), range(micros(low), &micros(high)), ratio(row.of_noop)]
    });
    let mut text = format!("Without a filter a request takes {} us.\n\n", micros(costs.bare.median));
    text += &table(["listener", "added us", "95 %", "x F"], &lines.collect::<Vec<_>>());
    if let Some(width) = costs.uncertain() {
        let _infallible = writeln!(
            text,
            "\nF is uncertain here: its interval is {:.0} % of it, so multiples of F say little.",
            width * 100.0
        );
    }
    text
}

/// What the suite adds as a multiple of what others add.
pub(super) fn comparisons(costs: &Costs) -> String {
    let aim = |with: &str| {
        let aim = AIMS.into_iter().find(|(name, _)| *name == with);
        aim.map_or_else(String::new, |(_, most)| format!("at most {most}"))
    };
    let lines = costs.suite.iter().map(|other| [other.with.to_owned(), ratio(other.ratio), aim(other.with)]);
    table(["the suite as a multiple of", "ratio (95 %)", "aim"], &lines.collect::<Vec<_>>())
}

/// The sizes of the modules.
pub(super) fn sizes(sizes: &Sizes) -> String {
    let line = |name: &str, bytes: u64| [name.to_owned(), bytes.to_string()];
    let mut lines: Vec<_> = sizes.filters.iter().map(|(name, bytes)| line(name, *bytes)).collect();
    lines.push(line("the five together", sizes.together()));
    lines.push(line("suite", sizes.suite));
    let table = table(["module", "bytes"], &lines);
    format!("{table}\nThe suite has {:.2} times the bytes of the five together.\n", sizes.ratio())
}

/// The memory of Envoys.
pub(super) fn memory(memory: &Memory) -> String {
    let line = |name: &str, [one, four]: [Bytes; 2]| {
        let [one, four] = [one, four].map(|bytes| [bytes.resident, bytes.in_use].map(mebibytes));
        cells(name, one, four)
    };
    let [one, four] = [0, 1].map(|workers| {
        let of = |row: [Bytes; 2]| row.get(workers).copied().unwrap_or_default();
        let (suite, modules) = (of(memory.suite), of(memory.five_modules));
        [(suite.resident, modules.resident), (suite.in_use, modules.in_use)]
            .map(|(suite, modules)| format!("{:.2}", suite as f64 / modules as f64))
    });
    let lines = [
        line("Envoy with the module without code", memory.noop),
        line("suite: more than that", memory.suite),
        line("five modules: more than that", memory.five_modules),
        line("native chain: less than that", memory.chain_less),
        cells("suite as a multiple of five modules", one, four),
    ];
    table(["MiB", "1 worker, resident", "in use", "4 workers, resident", "in use"], &lines)
}

fn cells(name: &str, [one, one_in_use]: [String; 2], [four, four_in_use]: [String; 2]) -> [String; 5] {
    [name.to_owned(), one, one_in_use, four, four_in_use]
}

/// The times until a push serves.
pub(super) fn pushes(pushes: &[Push]) -> String {
    let millis = |time: Estimate| format!("{:.0} ({:.0} to {:.0})", time.median, time.low, time.high);
    let lines = pushes.iter().map(|push| {
        [push.name.clone(), millis(push.config), push.module.map_or_else(|| "-".to_owned(), millis)]
    });
    table(["listener", "new config, ms (95 %)", "new modules, ms (95 %)"], &lines.collect::<Vec<_>>())
}

/// The times at half of the most requests.
pub(super) fn latencies(latencies: &[Latency]) -> String {
    let micros = |time: Estimate| format!("{:.0} ({:.0} to {:.0})", time.median, time.low, time.high);
    let lines = latencies.iter().map(|row| {
        let [most, busy] = [format!("{:.0}", row.most), format!("{:.0} %", row.busy * 100.0)];
        [row.name.clone(), most, busy, micros(row.p50), micros(row.p99)]
    });
    let heads = ["listener", "most requests/s", "worker busy", "p50 us (95 %)", "p99 us (95 %)"];
    let table = table(heads, &lines.collect::<Vec<_>>());
    if latencies.iter().any(|row| row.p50.width() > MAX_WIDTH) { table + UNCERTAIN } else { table }
}

fn micros(nanos: f64) -> String {
    format!("{:.2}", nanos / 1e3)
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

fn ratio(ratio: Estimate) -> String {
    format!("{:.2} ({:.2} to {:.2})", ratio.median, ratio.low, ratio.high)
}

fn range(low: String, high: &str) -> String {
    low + " to " + high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::compare::costs::tests::costs as example;

    #[test]
    fn a_row_a_line() {
        let text = costs(&example(2000.0));
        assert!(text.starts_with("Without a filter a request takes 10.40 us.\n\n| listener "), "{text}");
        let line = "| suite, five filters      |     8.00 |   8.00 to 8.00 |    4.00 (4.00 to 4.00) |\n";
        assert!(text.contains(line), "{text}");
        assert!(!text.contains("uncertain"), "{text}");
    }

    #[test]
    fn an_uncertain_f_is_told() {
        let mut costs = example(2000.0);
        costs.rows[0].added.high = 2500.0;
        let text = super::costs(&costs);
        assert!(
            text.ends_with(
                "F is uncertain here: its interval is 25 % of it, so multiples of F say little.\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn what_the_suite_aims_at_is_beside_what_it_reaches() {
        let expected = "\
| the suite as a multiple of |        ratio (95 %) |         aim |
| -------------------------- | -------------------:| -----------:|
| native chain of five       | 1.60 (1.60 to 1.60) | at most 1.6 |
| native chain that steers   | 1.25 (1.25 to 1.25) |             |
| five modules               | 0.40 (0.40 to 0.40) | at most 0.5 |
";
        assert_eq!(comparisons(&example(2000.0)), expected);
    }

    #[test]
    fn uncertain_times_are_told() {
        let text = |high: f64| {
            let time = Estimate { median: 100.0, low: 90.0, high };
            latencies(&[Latency { name: "a".to_owned(), most: 1000.0, busy: 0.5, p50: time, p99: time }])
        };
        assert!(
            text(110.0).ends_with(
                "| a        |            1000 |        50 % | 100 (90 to 110) | 100 (90 to 110) |\n"
            )
        );
        assert!(text(150.0).ends_with(UNCERTAIN));
    }

    #[test]
    fn memory_is_in_mebibytes_and_its_ratio_in_none() {
        let row = |resident: u64, in_use: u64| [Bytes { resident: resident << 20, in_use: in_use << 20 }; 2];
        let all = Memory {
            noop: row(80, 60),
            suite: row(30, 12),
            five_modules: row(40, 24),
            chain_less: row(9, 8),
        };
        let text = memory(&all);
        let line = |start: &str| {
            text.lines().find(|line| line.starts_with(start)).unwrap().split('|').map(str::trim)
        };
        let found: Vec<_> = line("| five modules").collect();
        assert_eq!(found[2..6], ["40.0", "24.0", "40.0", "24.0"]);
        let found: Vec<_> = line("| suite as").collect();
        assert_eq!(found[2..6], ["0.75", "0.50", "0.75", "0.50"]);
    }

    #[test]
    fn the_suite_is_compared_with_the_sum_of_the_modules() {
        let text = sizes(&Sizes { filters: vec![("a", 300), ("b", 100)], suite: 300 });
        assert!(text.contains("| the five together |   400 |\n| suite             |   300 |"), "{text}");
        assert!(text.ends_with("The suite has 0.75 times the bytes of the five together.\n"), "{text}");
    }
}
