//! One session becomes another, for the other door.

use crate::session;

/// Names every field, so that none is forgotten.
macro_rules! convert {
    ($($(#[$doc:meta])* $from:ty => $to:ty { $($own:ident: $first:expr)* })*) => {$(
        impl From<&$from> for $to {
            $(#[$doc])*
            fn from(session: &$from) -> Self {
                Self {
                    headers: session.headers.clone(),
                    params: session.params.clone(),
                    auth: session.auth.clone(),
                    #[cfg(feature = "cookies")]
                    cookies: std::sync::Arc::clone(&session.cookies),
                    hooks: session.hooks.clone(),
                    verify: session.verify.clone(),
                    cert: session.cert.clone(),
                    proxies: session.proxies.clone(),
                    unix_socket: session.unix_socket.clone(),
                    #[cfg(feature = "http2")]
                    http_versions: session.http_versions,
                    timeout: session.timeout,
                    stream: session.stream,
                    max_content: session.max_content,
                    text_is_latin1: session.text_is_latin1,
                    detector: session.detector.clone(),
                    max_redirects: session.max_redirects,
                    redirect_policy: session.redirect_policy.clone(),
                    sensitive_headers: session.sensitive_headers.clone(),
                    https_only: session.https_only,
                    retry: session.retry.clone(),
                    trust_env: session.trust_env,
                    environment: session.environment.clone(),
                    forgetful: session.forgetful,
                    mounts: session.mounts.clone(),
                    $($own: $first,)*
                }
            }
        }
    )*};
}

convert! {
    /// The same session for async code, as a clone: with settings of its own, the cookies and the
    /// adapters shared. An [`HttpAdapter`](crate::HttpAdapter) keeps the connections of the two
    /// doors apart.
    session::Session => super::Session {}
    /// The same session for blocking code, as a clone: with settings of its own, the cookies and
    /// the adapters shared. An [`HttpAdapter`](crate::HttpAdapter) keeps the connections of the two
    /// doors apart.
    super::Session => session::Session { spawn_threads: session::SPAWN_THREADS }
}
