//! The keys of connections, for programs that look into what was recorded of them.

use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::{Error, ErrorKind, Phase, Result};

/// A file in NSS' format, which others may write to as well.
pub(super) struct KeyLog(File);

impl KeyLog {
    /// Nobody else may read what is created.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        file.map(Self).map_err(|error| {
            Error::with(
                ErrorKind::Tls,
                format!("the key log `{}` can't be written", path.display()),
            )
            .during(Phase::Prepare)
            .remedied("check SSLKEYLOGFILE, or leave `HttpAdapter::key_log` off")
            .because(error)
        })
    }
}

impl rustls::KeyLog for KeyLog {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut line = format!("{label} ");
        for byte in client_random {
            // Writing to a String can't fail.
            let _ = write!(line, "{byte:02x}");
        }
        line.push(' ');
        for byte in secret {
            let _ = write!(line, "{byte:02x}");
        }
        line.push('\n');
        // One write is one line, whoever else appends. A full disk does not end connections.
        let _ = (&self.0).write_all(line.as_bytes());
    }
}

impl fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyLog").finish_non_exhaustive()
    }
}
