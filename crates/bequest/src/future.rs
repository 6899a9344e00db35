//! The shape of a future that crosses a trait object.

use std::future::Future;
use std::pin::Pin;

/// A boxed future that may move between threads: what adapters return, and async auths.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
