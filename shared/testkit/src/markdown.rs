//! Parts of a README.

/// The code blocks in a language, in their order.
#[must_use]
pub fn blocks<'a>(readme: &'a str, language: &str) -> Vec<&'a str> {
    let blocks = readme.split(&format!("```{language}\n")).skip(1).collect::<Vec<_>>();
    blocks.into_iter().filter_map(|block| block.split("```").next()).collect()
}

/// The rows of the table with this heading, a line each: the cells, separated by spaces, without code quotes.
///
/// # Panics
/// If there is no such table.
#[must_use]
pub fn rows(readme: &str, heading: &str) -> String {
    let (_, rest) = readme.split_once(heading).expect("a table with this heading");
    let rows = rest.lines().take_while(|line| line.starts_with('|'));
    rows.map(|row| row.replace(['|', '`'], " ").split_whitespace().collect::<Vec<_>>().join(" ") + "\n")
        .collect()
}
