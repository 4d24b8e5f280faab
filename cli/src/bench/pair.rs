//! Two builds of a module, measured in turns.

use super::rows::Row;

/// Puts each row of the filter beside the same row with the older module: neighbours in every round.
pub(super) fn beside(rows: Vec<Row>, older: Vec<Row>) -> Vec<Row> {
    let both = rows.into_iter().zip(older);
    both.flat_map(|(row, older)| {
        let older = row.is_filter.then(|| older.named(older_name(&row.name)));
        [Some(row), older]
    })
    .flatten()
    .collect()
}

/// The name of a row's listener with the older module.
pub(super) fn older_name(name: &str) -> String {
    format!("{name}, older")
}

/// The difference between two rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Difference {
    /// The median of the rounds' differences.
    pub(super) median: f64,
    /// Where the true median is, with a confidence of about 95 %.
    pub(super) low: f64,
    pub(super) high: f64,
}

/// What the first of two rows costs more than the second. Both were measured one after the other in each
/// round, so what slows the machine down for longer than that cancels out.
pub(super) fn difference(first: &[f64], second: &[f64]) -> Option<Difference> {
    let mut differences: Vec<f64> = first.iter().zip(second).map(|(first, second)| first - second).collect();
    differences.sort_by(f64::total_cmp);
    let count = differences.len() as f64;
    let at = |place: f64| {
        let place = place.clamp(0.0, (count - 1.0).max(0.0));
        differences.get(place.round() as usize).copied()
    };
    // Order statistics: the number of samples below the true median is binomial.
    let spread = 0.98 * count.sqrt();
    let middle = (count - 1.0) / 2.0;
    let median = (at(middle.floor())? + at(middle.ceil())?) / 2.0;
    Some(Difference { median, low: at((middle - spread).floor())?, high: at((middle + spread).ceil())? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, is_filter: bool) -> Row {
        let row = Row::new(name, Vec::new());
        if is_filter { row.of_filter() } else { row }
    }

    #[test]
    fn the_older_module_is_next_to_the_present_one() {
        let rows = || vec![row("bare", false), row("a", true), row("b", true)];
        let names: Vec<String> = beside(rows(), rows()).into_iter().map(|row| row.name).collect();
        assert_eq!(names, ["bare", "a", "a, older", "b", "b, older"]);
    }

    #[test]
    fn what_slows_down_a_round_is_in_both() {
        let second: Vec<f64> = (0..30).map(|round| 100.0 + f64::from(round % 7) * 50.0).collect();
        let first: Vec<f64> = second.iter().map(|nanos| nanos + 3.0).collect();
        assert_eq!(difference(&first, &second), Some(Difference { median: 3.0, low: 3.0, high: 3.0 }));
    }

    #[test]
    fn the_bounds_are_those_of_a_sign_test() {
        let first: Vec<f64> = (0..30).map(f64::from).collect();
        let found = difference(&first, &[0.0; 30]).unwrap();
        assert_eq!(found, Difference { median: 14.5, low: 9.0, high: 20.0 });
    }

    #[test]
    fn nothing_measured_is_no_difference() {
        assert_eq!(difference(&[], &[]), None);
    }
}
