//! HTTP for humans.

mod adapter;
#[cfg(feature = "async")]
pub mod aio;
mod auth;
mod body;
mod error;
mod exchange;
mod future;
mod h1;
mod headers;
mod hooks;
mod net;
mod reactor;
mod request;
mod response;
mod secrets;
mod session;
mod settings;
mod timeout;
mod timings;

pub use adapter::{Adapter, FnAdapter, HttpAdapter, adapter_fn};
pub use auth::{Auth, Basic, Bearer, FnAuth, IntoAuth, NoAuth, Round, auth_fn};
pub use body::Body;
pub use bytes::Bytes;
pub use error::{Error, ErrorKind, Phase, Result};
pub use future::BoxFuture;
pub use headers::{Headers, ToHeaderValue};
pub use hooks::{Hooks, RequestHooks, ResponseHooks};
pub use http::{Extensions, Method, StatusCode, Version};
pub use net::tls::Verify;
pub use reactor::on_interrupt;
pub use request::{IntoUrl, Params, PreparedRequest, Request};
pub use response::{IterContent, IterLines, Reader, Response, ResponseBuilder};
pub use session::{Session, delete, get, head, options, patch, post, put, request};
pub use settings::{SendOptions, Settings};
pub use timeout::Timeout;
pub use timings::Timings;
pub use url::Url;
