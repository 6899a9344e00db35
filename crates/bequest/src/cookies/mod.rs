//! Cookies: the jar, what servers may put in, and which requests they go along with (RFC 6265bis;
//! its sections are numbered as in draft-ietf-httpbis-rfc6265bis-20).

mod cookie;
mod date;
mod edit;
mod filter;
mod jar;
mod matching;
mod parse;
mod policy;
mod receive;
mod store;
mod suffix;

pub use cookie::{Cookie, CookieBuilder, SameSite};
pub use filter::CookieFilter;
pub use jar::CookieJar;
pub use policy::CookiePolicy;
