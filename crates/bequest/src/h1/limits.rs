//! How much of a response that is not its body is read before it is refused.

use crate::error::{Error, ErrorKind};

/// The bounds of one exchange. All are against peers that never stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of a head: status line and fields.
    pub(crate) head: usize,
    /// Fields of a head, or of the trailers.
    pub(crate) fields: usize,
    /// Bytes of all chunk extensions of a message.
    pub(crate) extensions: usize,
    /// Bytes of the trailers.
    pub(crate) trailers: usize,
    /// Interim (1xx) responses before the final one.
    pub(crate) interim: usize,
}

/// The array that fields are parsed into has this many places; for more there is a list.
pub(super) const USUAL_FIELDS: usize = 256;

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 256 * 1024,
            fields: USUAL_FIELDS,
            extensions: 16 * 1024,
            trailers: 64 * 1024,
            interim: 100,
        }
    }
}

impl Limits {
    /// What an exchange ends with in which too many interim responses came.
    pub(crate) fn too_many_interim(&self) -> Error {
        let most = self.interim;
        let what = format!("more than {most} interim responses came before the final one");
        Error::with(ErrorKind::InvalidResponse, what)
            .remedied("if there may be more, say so by the adapter's `max_interim`")
    }
}
