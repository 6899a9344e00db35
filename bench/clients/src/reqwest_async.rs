//! reqwest, async, on tokio's current-thread runtime.

use harness::Job;
use reqwest::{Certificate, Client, Url};

fn main() {
    let job = Job::from_args();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(run(&job));
}

async fn run(job: &Job) {
    let mut builder = Client::builder();
    if let Some(pem) = job.ca_pem() {
        builder = builder.tls_certs_only([Certificate::from_pem(&pem).expect("a certificate")]);
    }
    let client = builder.build().expect("a client");
    let get = async |url: &str| {
        let r = client.get(url).send().await.expect("a response");
        assert_eq!(r.status(), 200);
        r.bytes().await.expect("a body").len() as u64
    };
    match job.mode.as_str() {
        "get" => job.run_async(get, get).await,
        "get-parsed" => {
            let url = Url::parse(&job.url).expect("a URL");
            let parsed = async |_: &str| {
                let r = client.get(url.clone()).send().await.expect("a response");
                assert_eq!(r.status(), 200);
                r.bytes().await.expect("a body").len() as u64
            };
            job.run_async(get, parsed).await;
        }
        "download" => {
            let download = async |url: &str| {
                let mut r = client.get(url).send().await.expect("a response");
                assert_eq!(r.status(), 200);
                let mut moved = 0;
                while let Some(chunk) = r.chunk().await.expect("a body") {
                    moved += chunk.len() as u64;
                }
                moved
            };
            job.run_async(get, download).await;
        }
        // A file needs the feature `stream` and tokio's threads.
        other => harness::cannot(other),
    }
}
