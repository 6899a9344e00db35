//! HTTP/2 with real servers, by prior knowledge and by negotiation.

#![cfg(feature = "http2")]
#![allow(clippy::unwrap_used)]

mod support;

use bequest::{HttpVersions, Version};
use support::{Door, doors, get};
use testbed::{Lab, Server};

doors![known_beforehand];

fn known_beforehand(door: Door) {
    let lab = Lab::shared(&[Server::Nginx, Server::Nghttp2]);
    let client = door.session();
    for url in [
        format!("{}/hello.txt", lab.var("NGINX_H2C_URL")),
        format!("{}/hello.txt", lab.var("NGHTTPD_H2C_URL")),
    ] {
        for _ in 0..3 {
            let reply = client.send(get(&url).http_versions(HttpVersions::Http2)).unwrap();
            assert_eq!((reply.status().as_u16(), reply.version()), (200, Version::HTTP_2));
            assert_eq!(reply.text().unwrap(), "hello\n");
        }
    }
    let stats = client.stats();
    assert_eq!((stats.opened, stats.requests, stats.reused, stats.idle), (2, 6, 4, 2));
}
