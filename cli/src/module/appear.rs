//! Replaces a file atomically.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;

/// Writes `path` and creates its folders. A reader sees either the old bytes or the new ones.
///
/// A file that has these bytes already is not touched, so that its modification time stays.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let unchanged = std::fs::read(path).is_ok_and(|present| present == bytes);
    if unchanged { Ok(()) } else { replace(path, bytes) }
        .with_context(|| format!("cannot write `{}`", path.display()))
}

fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().context("the path names no file")?;
    std::fs::create_dir_all(folder)?;
    // Readable by everyone, since the Envoy image runs as another user.
    let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(0o644)).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_bytes_are_there_for_everyone_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dist/a.wasm");
        write(&path, b"old").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o444, 0o444);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
