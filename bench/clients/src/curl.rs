//! libcurl, by an easy handle that is kept.

use std::io::Read;

use curl::easy::{Easy, List};
use harness::Job;

fn main() {
    let job = Job::from_args();
    let mut easy = Easy::new();
    let mut headers = List::new();
    headers.append("User-Agent: curl").expect("a header");
    easy.http_headers(headers).expect("headers");
    if let Some(ca) = &job.ca {
        easy.cainfo(ca).expect("a certificate");
    }
    match job.mode.as_str() {
        "get" => job.run(|_| 0, |url| get(&mut easy, url).len() as u64),
        "session" => {
            easy.follow_location(true).expect("redirects");
            easy.cookie_file("").expect("cookies");
            if let Some(first) = &job.first {
                get(&mut easy, first);
            }
            job.run(|_| 0, |url| get(&mut easy, url).len() as u64);
        }
        "download" => {
            if let Some(first) = &job.first {
                get(&mut easy, first);
            }
            job.run(
                |_| 0,
                |url| {
                    let mut moved = 0;
                    easy.url(url).expect("a URL");
                    let mut transfer = easy.transfer();
                    transfer
                        .write_function(|bytes| {
                            moved += bytes.len() as u64;
                            Ok(bytes.len())
                        })
                        .expect("a function");
                    transfer.perform().expect("a response");
                    drop(transfer);
                    assert_eq!(easy.response_code(), Ok(200));
                    moved
                },
            );
        }
        "upload" => {
            if let Some(first) = &job.first {
                get(&mut easy, first);
            }
            easy.upload(true).expect("an upload");
            job.run(
                |_| 0,
                |url| {
                    let (mut file, length) = job.file();
                    easy.in_filesize(length).expect("a length");
                    easy.url(url).expect("a URL");
                    let mut body = Vec::new();
                    let mut transfer = easy.transfer();
                    transfer
                        .read_function(|buffer| Ok(file.read(buffer).expect("the file")))
                        .expect("a function");
                    transfer
                        .write_function(|bytes| {
                            body.extend_from_slice(bytes);
                            Ok(bytes.len())
                        })
                        .expect("a function");
                    transfer.perform().expect("a response");
                    drop(transfer);
                    assert_eq!(easy.response_code(), Ok(200));
                    harness::number(&body)
                },
            );
        }
        other => harness::cannot(other),
    }
}

fn get(easy: &mut Easy, url: &str) -> Vec<u8> {
    let mut body = Vec::new();
    easy.url(url).expect("a URL");
    let mut transfer = easy.transfer();
    transfer
        .write_function(|bytes| {
            body.extend_from_slice(bytes);
            Ok(bytes.len())
        })
        .expect("a function");
    transfer.perform().expect("a response");
    drop(transfer);
    assert_eq!(easy.response_code(), Ok(200));
    body
}
