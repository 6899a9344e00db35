//! HTTP/2 (RFC 9113), over the crate `h2`: what requests and responses are there, and who drives a
//! connection that many share. It knows heads, streams and wakers, and neither how a connection is
//! opened nor who asks.

mod call;
mod code;
mod end;
mod hub;
mod line;
mod ping;
mod request;
mod response;
mod versions;
mod wire;

pub(crate) use call::{Call, Headline};
pub use code::Http2Code;
pub(crate) use end::End;
pub(crate) use hub::{Hub, HubOptions, Slot};
pub(crate) use request::request;
pub(crate) use response::{is_bodyless, length, response_head, trailers};
pub use versions::HttpVersions;
pub(crate) use wire::Transport;
