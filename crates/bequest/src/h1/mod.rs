//! The HTTP/1.1 codec (RFC 9112): bytes in, bytes out. It knows heads and framing, and neither
//! sockets nor who asks.

mod chunked;
mod encode;
mod framing;
mod head;
mod limits;

pub(crate) use chunked::{
    CHUNK_END, CHUNK_SIZE_ROOM, ChunkStep, ChunkedDecoder, LAST_CHUNK, write_chunk_size,
};
pub(crate) use encode::{check_headers, write_head};
pub(crate) use framing::{Framing, ResponseFraming, frame_response};
pub(crate) use head::{HeadReader, ResponseHead};
pub(crate) use limits::Limits;
