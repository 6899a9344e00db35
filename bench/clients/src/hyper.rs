//! hyper-util's client, with nothing around it, on tokio's current-thread runtime.

mod many;

use bytes::Bytes;
use harness::Job;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

fn main() {
    let job = Job::from_args();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(run(&job));
}

async fn run(job: &Job) {
    let mut builder = Client::builder(TokioExecutor::new());
    if job.mode.ends_with("-h2") {
        builder.http2_only(true).http2_initial_stream_window_size(1 << 20);
        builder.http2_initial_connection_window_size(4 << 20);
    }
    let client = builder.build_http::<Empty<Bytes>>();
    let many = client.clone();
    let get = async move |url: &str| {
        let r = many.get(url.parse().expect("a URL")).await.expect("a response");
        assert_eq!(r.status(), 200);
        r.into_body().collect().await.expect("a body").to_bytes().len() as u64
    };
    match job.plain_mode() {
        "get" => job.run_async(&get, &get).await,
        "download" => {
            let download = async |url: &str| {
                let r = client.get(url.parse().expect("a URL")).await.expect("a response");
                assert_eq!(r.status(), 200);
                let (mut body, mut moved) = (r.into_body(), 0);
                while let Some(frame) = body.frame().await {
                    moved +=
                        frame.expect("the body").data_ref().map_or(0, |data| data.len() as u64);
                }
                moved
            };
            job.run_async(&get, download).await;
        }
        "many" | "idle" => many::run(job, get).await,
        other => harness::cannot(other),
    }
}
