//! Descriptors: a process, and a system, may have so many.

use std::io;

use rustix::io::Errno;

/// What helps where something failed since there may be no more of them.
pub(crate) fn remedy(error: &io::Error) -> Option<&'static str> {
    let errno = Errno::from_io_error(error)?;
    [Errno::MFILE, Errno::NFILE].contains(&errno).then_some(
        "there are as many open files and sockets as there may be: read or drop streamed responses, \
         keep fewer connections (the adapter's `pool_maxsize`), or raise the limit (`ulimit -n`)",
    )
}
