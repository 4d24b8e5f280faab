//! Names in snake case and in camel case.

/// Whether a name that was found is this one, which is in snake case.
pub(crate) fn same_name(found: &str, name: &str) -> bool {
    found == name || (!found.contains('_') && snake_case(found) == name)
}

/// `onMissingKey` as `on_missing_key`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}
