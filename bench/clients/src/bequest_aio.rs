//! Bequest, async, on tokio's current-thread runtime.

mod many;

use bequest::aio::Session;
use bequest::{HttpAdapter, Url, Verify};
use harness::{BUFFER, Job};
use tokio::io::AsyncReadExt as _;

fn main() {
    let job = Job::from_args();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(run(&job));
}

async fn run(job: &Job) {
    let mut s = Session::new();
    if let Some(ca) = &job.ca {
        s.verify = Verify::bundle(ca);
    }
    #[cfg(feature = "http2")]
    if job.mode.ends_with("-h2") {
        s.http_versions = Some(bequest::HttpVersions::Http2);
    }
    let get = async |url: &str| {
        let r = s.get(url).send().await.expect("a response");
        assert_eq!(r.status(), 200);
        r.content().await.expect("a body").len() as u64
    };
    match job.plain_mode() {
        "get" | "session" => job.run_async(get, get).await,
        #[cfg(feature = "cookies")]
        "jar" => {
            harness::cookies_of_sites(|site, name, value| {
                s.cookies.set(name, value, site).expect("a cookie");
            });
            job.run_async(get, get).await;
        }
        "many" | "idle" => {
            s.mount("http://", HttpAdapter::new().pool_maxsize(job.at_once));
            let get = async move |url: &str| {
                let r = s.get(url).send().await.expect("a response");
                assert_eq!(r.status(), 200);
                r.content().await.expect("a body").len() as u64
            };
            many::run(job, get).await;
        }
        "get-parsed" => {
            let url = Url::parse(&job.url).expect("a URL");
            let parsed = async |_: &str| {
                let r = s.get(&url).send().await.expect("a response");
                assert_eq!(r.status(), 200);
                r.content().await.expect("a body").len() as u64
            };
            job.run_async(get, parsed).await;
        }
        // HTTP/2 has the pieces in memory already.
        "download" if job.mode.ends_with("-h2") => {
            let download = async |url: &str| {
                let r = s.get(url).stream(true).send().await.expect("a response");
                assert_eq!(r.status(), 200);
                let (mut pieces, mut moved) = (r.iter_content(None), 0);
                while let Some(piece) = pieces.next().await {
                    moved += piece.expect("the body").len() as u64;
                }
                moved
            };
            job.run_async(get, download).await;
        }
        "download" => {
            let mut buffer = vec![0; BUFFER];
            let download = async |url: &str| {
                let r = s.get(url).stream(true).send().await.expect("a response");
                assert_eq!(r.status(), 200);
                let (mut reader, mut moved) = (r.reader(), 0);
                loop {
                    match reader.read(&mut buffer).await.expect("the body") {
                        0 => return moved,
                        n => moved += n as u64,
                    }
                }
            };
            job.run_async(get, download).await;
        }
        "upload" => {
            let upload = async |url: &str| {
                let r = s.put(url).body(job.file().0).send().await.expect("a response");
                assert_eq!(r.status(), 200);
                harness::number(&r.content().await.expect("a body"))
            };
            job.run_async(get, upload).await;
        }
        other => harness::cannot(other),
    }
}
