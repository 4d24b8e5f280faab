//! Tables in Markdown that are also readable in a terminal.

use std::fmt::Write as _;

/// A table with the heads of its columns. All columns but the first are aligned to the right.
pub(super) fn table<const COLUMNS: usize>(heads: [&str; COLUMNS], lines: &[[String; COLUMNS]]) -> String {
    let heads = heads.map(str::to_owned);
    let mut widths = [0; COLUMNS];
    for line in std::iter::once(&heads).chain(lines) {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    write_line(&mut text, &heads, &widths);
    for (column, width) in widths.into_iter().enumerate() {
        let dashes = "-".repeat(width);
        let _infallible =
            write!(text, "|{}", if column == 0 { format!(" {dashes} ") } else { format!(" {dashes}:") });
    }
    text.push_str("|\n");
    for line in lines {
        write_line(&mut text, line, &widths);
    }
    text
}

fn write_line(text: &mut String, cells: &[String], widths: &[usize]) {
    for (column, (cell, &width)) in cells.iter().zip(widths).enumerate() {
        let _infallible =
            if column == 0 { write!(text, "| {cell:<width$} ") } else { write!(text, "| {cell:>width$} ") };
    }
    text.push_str("|\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let lines = [["a", "1"], ["row", "12.00"]].map(|line| line.map(str::to_owned));
        let expected = "| name |    us |\n| ---- | -----:|\n| a    |     1 |\n| row  | 12.00 |\n";
        assert_eq!(table(["name", "us"], &lines), expected);
    }
}
