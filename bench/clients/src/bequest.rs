//! Bequest, blocking.

use bequest::{Session, Url, Verify};
use harness::{BUFFER, Job};

fn main() {
    let job = Job::from_args();
    let mut s = Session::new();
    if let Some(ca) = &job.ca {
        s.verify = Verify::bundle(ca);
    }
    let get = |url: &str| {
        let r = s.get(url).send().expect("a response");
        assert_eq!(r.status(), 200);
        r.content().expect("a body").len() as u64
    };
    match job.mode.as_str() {
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
        other => harness::cannot(other),
    }
}
