//! The examples are configs that the filter takes.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that panics has failed, which is its purpose")]

#[test]
fn every_example_is_valid() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let mut examples = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let config = std::fs::read(&path).unwrap();
        if let Err(problems) = jwt_authz::config::parse(&config) {
            panic!("{}: {problems}", path.display());
        }
        examples += 1;
    }
    assert!(examples > 0, "no examples in {folder}");
}
