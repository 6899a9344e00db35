//! reqwest, async, on tokio's current-thread runtime.

mod many;
#[cfg(feature = "cookies")]
mod reqwest_cookies;

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
    #[cfg(feature = "http2")]
    if job.mode.ends_with("-h2") {
        builder = builder.http2_prior_knowledge();
    }
    #[cfg(feature = "cookies")]
    if let Some(jar) = reqwest_cookies::jar(&job.mode) {
        builder = builder.cookie_provider(jar);
    }
    let client = builder.build().expect("a client");
    let get = async |url: &str| {
        let r = client.get(url).send().await.expect("a response");
        assert_eq!(r.status(), 200);
        r.bytes().await.expect("a body").len() as u64
    };
    match job.plain_mode() {
        "get" => job.run_async(get, get).await,
        #[cfg(feature = "cookies")]
        "session" | "jar" => job.run_async(get, get).await,
        "many" | "idle" => {
            let get = async move |url: &str| {
                let r = client.get(url).send().await.expect("a response");
                assert_eq!(r.status(), 200);
                r.bytes().await.expect("a body").len() as u64
            };
            many::run(job, get).await;
        }
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
