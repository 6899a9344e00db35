//! Bequest, blocking.

use bequest::{HttpAdapter, Request, Session, Url, Verify};
use harness::{BUFFER, Job};

fn main() {
    let job = Job::from_args();
    let mut s = Session::new();
    if let Some(ca) = &job.ca {
        s.verify = Verify::bundle(ca);
    }
    #[cfg(feature = "http2")]
    if job.mode.ends_with("-h2") {
        s.http_versions = Some(bequest::HttpVersions::Http2);
    }
    let get = |url: &str| {
        let r = s.get(url).send().expect("a response");
        assert_eq!(r.status(), 200);
        r.content().expect("a body").len() as u64
    };
    match job.plain_mode() {
        "get" => job.run(get, get),
        "get-parsed" => {
            let url = Url::parse(&job.url).expect("a URL");
            job.run(get, |_| {
                let r = s.get(&url).send().expect("a response");
                assert_eq!(r.status(), 200);
                r.content().expect("a body").len() as u64
            });
        }
        "download" => {
            let mut buffer = vec![0; BUFFER];
            job.run(get, |url| {
                let r = s.get(url).stream(true).send().expect("a response");
                assert_eq!(r.status(), 200);
                harness::drain(r.reader(), &mut buffer)
            });
        }
        "upload" => job.run(get, |url| {
            let r = s.put(url).body(job.file().0).send().expect("a response");
            assert_eq!(r.status(), 200);
            harness::number(&r.content().expect("a body"))
        }),
        "session" => job.run(get, get),
        #[cfg(feature = "cookies")]
        "jar" => {
            harness::cookies_of_sites(|site, name, value| {
                s.cookies.set(name, value, site).expect("a cookie");
            });
            job.run(get, get);
        }
        "many" | "idle" => {
            let adapter = HttpAdapter::new().pool_maxsize(job.at_once);
            s.mount("http://", adapter);
            job.run_many(|count| {
                let requests = (0..count).map(|_| Request::new("GET", &job.url));
                let responses = s.map(requests, job.at_once);
                responses
                    .map(|r| r.expect("a response").content().expect("a body").len() as u64)
                    .sum()
            });
        }
        other => harness::cannot(other),
    }
}
