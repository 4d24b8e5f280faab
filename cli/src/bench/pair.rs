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
}
