//! Files that are there as a whole, or not at all.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Writes a file anew, readable by its owner alone. It takes its place when it is whole; until
/// then, and if something fails, the old one stays. A link in that place is replaced, not followed.
pub(super) fn write<T, E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> Result<T, E> {
    let (temporary, file) = create_beside(path)?;
    let written = fill_and_sync(file, fill)
        .and_then(|done| fs::rename(&temporary, path).map(|()| done).map_err(E::from));
    if written.is_err() {
        _ = fs::remove_file(&temporary);
    }
    written
}

fn fill_and_sync<T, E: From<io::Error>>(
    file: File,
    fill: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> Result<T, E> {
    let mut out = BufWriter::new(file);
    let done = fill(&mut out)?;
    let file = out.into_inner().map_err(|error| E::from(error.into_error()))?;
    // Or a crash could leave the new name with nothing behind it.
    file.sync_all()?;
    Ok(done)
}

/// A new file in the same folder, by a name that nobody can foresee and nothing has yet.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().ok_or_else(|| io::Error::from(ErrorKind::InvalidFilename))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // A RandomState has keys from the system, and hashes with a function that does not tell them.
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{:016x}", RandomState::new().hash_one(0)));
    let temporary = path.with_file_name(temporary);
    let file = options.open(&temporary)?;
    Ok((temporary, file))
}
