//! A file that appears whole.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;

/// Writes `path`, and its folders, so that a reader sees the old bytes or the new ones, never a part.
///
/// A file that already has these bytes is left alone: what watches its time has nothing to do.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let unchanged = std::fs::read(path).is_ok_and(|present| present == bytes);
    if unchanged { Ok(()) } else { replace(path, bytes) }
        .with_context(|| format!("cannot write `{}`", path.display()))
}

fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().context("the path names no file")?;
    std::fs::create_dir_all(folder)?;
    // The stock Envoy image does not run as the user who wrote the file: readable by everyone.
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
