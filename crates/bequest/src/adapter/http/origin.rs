//! Which connections can serve a request: the pool's key, from everything that is set.

use std::sync::Arc;

use super::options::Options;
use crate::error::{Error, ErrorKind, Result};
use crate::net::tls::TlsSettings;
use crate::net::{Origin, ProxyProtocol, ProxyServer, Route};
use crate::request::PreparedRequest;
use crate::settings::Settings;

/// Where the request goes, and how. Exhaustive: a new setting does not compile until it is decided
/// here whether it makes a connection different.
pub(super) fn of<'a>(
    request: &'a PreparedRequest,
    settings: &'a Settings,
    options: &'a Options,
) -> Result<Origin<'a>> {
    let url = &request.url;
    let Settings {
        verify,
        cert,
        proxies: _,
        unix_socket,
        stream: _,
        timeout: _,
        max_content: _,
        on_progress: _,
        text_is_latin1: _,
        allow_redirects: _,
        max_redirects: _,
        redirect_policy: _,
        sensitive_headers: _,
        https_only: _,
        retry: _,
        // HTTP/2 has connections of its own beside these.
        #[cfg(feature = "http2")]
            http_versions: _,
        #[cfg(feature = "cookies")]
            cookies: _,
        elsewhere: _,
        environment: _,
        netrc: _,
        verify_is_said: _,
        detector: _,
        cancel: _,
        deadline: _,
    } = settings;
    let invalid = |rule: &str| {
        Error::with(ErrorKind::InvalidUrl, format!("URL `{}`: {rule}", crate::secrets::masked(url)))
    };
    let tls = match url.scheme() {
        "http" => None,
        "https" => Some(TlsSettings { verify, identity: cert.as_ref(), options: &options.tls }),
        scheme => {
            return Err(Error::with(
                ErrorKind::InvalidSchema,
                format!("HttpAdapter speaks http and https, not {scheme}"),
            ));
        }
    };
    let host = url.host_str().ok_or_else(|| invalid("it names no host"))?;
    let port = url.port_or_known_default().ok_or_else(|| invalid("it names no port"))?;
    if port == 0 {
        return Err(invalid("nothing can listen on port 0"));
    }
    let unix_socket = unix_socket.as_deref();
    let Some(proxy) = proxy(request, settings)? else {
        return Ok(Origin { host, port, zone: request.zone(), tls, route: None, unix_socket });
    };
    let forwards = tls.is_none() && speaks_http(proxy) && !needs_tunnel(settings, options);
    let route = Route { proxy, forwards };
    Ok(match route.forwards {
        true => Origin {
            host: &proxy.host,
            port: proxy.port,
            zone: None,
            tls: route.tls(&options.proxy_tls),
            route: Some(route),
            unix_socket: None,
        },
        false => Origin { host, port, zone: None, tls, route: Some(route), unix_socket: None },
    })
}

/// Whether a proxy is asked for it, in place of its origin.
pub(super) fn is_forwarded(
    request: &PreparedRequest,
    settings: &Settings,
    options: &Options,
) -> Result<bool> {
    Ok(of(request, settings, options)?.route.is_some_and(|route| route.forwards))
}

/// Whether a proxy can't be asked for an http:// resource, since it has to be HTTP/2.
fn needs_tunnel(settings: &Settings, options: &Options) -> bool {
    #[cfg(feature = "http2")]
    return options.versions(settings) == crate::h2::HttpVersions::Http2;
    #[cfg(not(feature = "http2"))]
    {
        let _ = (settings, options);
        false
    }
}

/// The proxy that leads there; none leads to a Unix socket.
fn proxy<'a>(
    request: &PreparedRequest,
    settings: &'a Settings,
) -> Result<Option<&'a Arc<ProxyServer>>> {
    match settings.unix_socket {
        None => settings.proxies.select(&request.url),
        Some(_) => Ok(None),
    }
}

fn speaks_http(proxy: &ProxyServer) -> bool {
    matches!(proxy.protocol, ProxyProtocol::Http | ProxyProtocol::Https)
}
