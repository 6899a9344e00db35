//! What must not leave the origin that it was meant for.

use url::{Position, Url};

use super::{SensitiveHeaders, remove, says_of_body};
use crate::request::PreparedRequest;

/// Whether two URLs have one origin: scheme, host and port. From http to https of one host, on the
/// ports that these schemes have, is the same origin too: a server that asks for safety.
pub(super) fn same_origin(from: &Url, to: &Url) -> bool {
    // Most redirects stay where they are, in so many letters.
    if from[..Position::BeforePath] == to[..Position::BeforePath] {
        return true;
    }
    let (port, next_port) = (from.port_or_known_default(), to.port_or_known_default());
    from.host() == to.host()
        && (from.scheme() == to.scheme() && port == next_port
            || (from.scheme(), to.scheme()) == ("http", "https")
                && (port, next_port) == (Some(80), Some(443)))
}

/// Drops what proves who asks, and what was said for the origin alone.
pub(super) fn leave(request: &mut PreparedRequest, sensitive: &SensitiveHeaders) {
    request.forget_auth();
    request.auth = None;
    request.drop_own_cookies();
    request.options.withdraw_unverified();
    // Hooks are called again for the next request, and see where it goes.
    let hooks = request.take_hook_headers();
    remove(&mut request.headers, |name| {
        let is = |dropped: &str| name.eq_ignore_ascii_case(dropped);
        ["authorization", "proxy-authorization", "cookie", "host"].iter().any(|name| is(name))
            || sensitive.contains(name)
            || hooks.iter().any(|name| is(name)) && !says_of_body(name)
    });
}
