//! reqwest, blocking.

#[cfg(feature = "cookies")]
mod reqwest_cookies;

use harness::{BUFFER, Job};
use reqwest::blocking::Client;
use reqwest::{Certificate, Url};

fn main() {
    let job = Job::from_args();
    let mut builder = Client::builder();
    if let Some(pem) = job.ca_pem() {
        builder = builder.tls_certs_only([Certificate::from_pem(&pem).expect("a certificate")]);
    }
    #[cfg(feature = "http2")]
    if job.mode.ends_with("-h2") {
        builder = builder.http2_prior_knowledge();
    }
    #[cfg(feature = "cookies")]
    if let Some(jar) = reqwest_cookies::jar(&job.mode) {
        builder = builder.cookie_provider(jar);
    }
    let client = builder.build().expect("a client");
    let get = |url: &str| {
        let r = client.get(url).send().expect("a response");
        assert_eq!(r.status(), 200);
        r.bytes().expect("a body").len() as u64
    };
    match job.plain_mode() {
        "get" => job.run(get, get),
        #[cfg(feature = "cookies")]
        "session" | "jar" => job.run(get, get),
        "get-parsed" => {
            let url = Url::parse(&job.url).expect("a URL");
            job.run(get, |_| {
                let r = client.get(url.clone()).send().expect("a response");
                assert_eq!(r.status(), 200);
                r.bytes().expect("a body").len() as u64
            });
        }
        "download" => {
            let mut buffer = vec![0; BUFFER];
            job.run(get, |url| {
                let r = client.get(url).send().expect("a response");
                assert_eq!(r.status(), 200);
                harness::drain(r, &mut buffer)
            });
        }
        "upload" => job.run(get, |url| {
            let r = client.put(url).body(job.file().0).send().expect("a response");
            assert_eq!(r.status(), 200);
            harness::number(&r.bytes().expect("a body"))
        }),
        other => harness::cannot(other),
    }
}
