//! Parts of a README.

use std::path::Path;

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

/// The examples of the filter in a folder that no table of its README lists, as `| [a.json](examples/a.json) |`.
///
/// # Panics
/// If the folder has no README or no examples.
#[must_use]
pub fn unlisted(folder: &str) -> Vec<String> {
    let folder = Path::new(folder);
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let files = std::fs::read_dir(folder.join("examples")).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.is_empty(), "{}", folder.display());
    names.retain(|name| !readme.contains(&format!("\n| [{name}](examples/{name}) |")));
    names
}
