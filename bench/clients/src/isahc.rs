//! isahc.

use harness::{BUFFER, Job};
use isahc::config::RedirectPolicy;
use isahc::prelude::*;
use isahc::tls::{TlsConfig, TrustStore};
use isahc::{Body, HttpClient, Request};

fn main() {
    let job = Job::from_args();
    let mut builder = HttpClient::builder();
    if let Some(ca) = &job.ca {
        let roots = TrustStore::from_file(ca);
        builder = builder.tls_config(TlsConfig::builder().trust_store(roots).build());
    }
    if job.mode == "session" {
        builder = builder.redirect_policy(RedirectPolicy::Follow);
        #[cfg(feature = "cookies")]
        {
            builder = builder.cookies();
        }
    }
    let client = builder.build().expect("a client");
    let get = |url: &str| {
        let mut r = client.get(url).expect("a response");
        assert_eq!(r.status(), 200);
        r.bytes().expect("a body").len() as u64
    };
    match job.mode.as_str() {
        "get" => job.run(get, get),
        #[cfg(feature = "cookies")]
        "session" => job.run(get, get),
        "download" => {
            let mut buffer = vec![0; BUFFER];
            job.run(get, |url| {
                let r = client.get(url).expect("a response");
                assert_eq!(r.status(), 200);
                harness::drain(r.into_body(), &mut buffer)
            });
        }
        "upload" => job.run(get, |url| {
            let (file, length) = job.file();
            let body = Body::from_reader_sized(file, length);
            let mut r =
                client.send(Request::put(url).body(body).expect("a request")).expect("a response");
            assert_eq!(r.status(), 200);
            harness::number(&r.bytes().expect("a body"))
        }),
        other => harness::cannot(other),
    }
}
