//! The HTTP/1.1 codec (RFC 9112): bytes in, bytes out. It knows heads and framing, and neither
//! sockets nor who asks.

mod chunked;
mod encode;
mod framing;
mod head;
mod limits;

pub(crate) use chunked::{CHUNK_END, ChunkSize, ChunkStep, ChunkedDecoder, LAST_CHUNK};
#[cfg(feature = "http2")]
pub(crate) use encode::check_target;
pub(crate) use encode::is_tchar;
#[cfg(feature = "multipart")]
pub(crate) use encode::is_token;
pub(crate) use encode::{check_headers, write_head};
pub(crate) use framing::{Framing, ResponseFraming, frame_response, wants_close};
pub(crate) use head::{HeadReader, ResponseHead};
pub(crate) use limits::Limits;
