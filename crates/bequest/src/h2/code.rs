//! The codes of RFC 9113, section 7.

use std::fmt;

/// With which code an HTTP/2 server has ended a stream or a connection (RFC 9113, section 7): the
/// source of an [`Error`](crate::Error), where that was how a request ended.
///
/// ```
/// # fn handle(error: &bequest::Error) {
/// use std::error::Error;
/// use bequest::Http2Code;
///
/// if let Some(code) = error.source().and_then(|source| source.downcast_ref::<Http2Code>()) {
///     println!("the server says {code}, which is {}", code.number());
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Http2Code(u32);

impl Http2Code {
    pub(crate) const ENHANCE_YOUR_CALM: Self = Self(0xb);

    /// Its number; those that no document names are possible, too.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl From<::h2::Reason> for Http2Code {
    fn from(reason: ::h2::Reason) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Http2Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            0x0 => "NO_ERROR",
            0x1 => "PROTOCOL_ERROR",
            0x2 => "INTERNAL_ERROR",
            0x3 => "FLOW_CONTROL_ERROR",
            0x4 => "SETTINGS_TIMEOUT",
            0x5 => "STREAM_CLOSED",
            0x6 => "FRAME_SIZE_ERROR",
            0x7 => "REFUSED_STREAM",
            0x8 => "CANCEL",
            0x9 => "COMPRESSION_ERROR",
            0xa => "CONNECT_ERROR",
            0xb => "ENHANCE_YOUR_CALM",
            0xc => "INADEQUATE_SECURITY",
            0xd => "HTTP_1_1_REQUIRED",
            other => return write!(f, "HTTP/2 code {other:#x}"),
        };
        f.write_str(name)
    }
}

impl std::error::Error for Http2Code {}
