//! Cookies: the jar, what servers may put in, and which requests they go along with (RFC 6265bis;
//! its sections are numbered as in draft-ietf-httpbis-rfc6265bis-20).

mod atomic;
mod cookie;
mod date;
mod edit;
mod file;
mod filter;
mod jar;
#[cfg(feature = "json")]
mod json;
mod matching;
#[cfg(any(test, fuzzing))]
pub(crate) mod model;
mod netscape;
mod parse;
mod policy;
mod receive;
mod store;
mod suffix;
#[cfg(test)]
mod tests;

pub use cookie::{Cookie, CookieBuilder, SameSite};
pub use file::CookieFile;
pub use filter::CookieFilter;
pub use jar::CookieJar;
pub use policy::CookiePolicy;

#[cfg(fuzzing)]
pub(crate) use date::parse as date_for_fuzzing;
