//! Detects the charsets of files, for `scripts/charsets`, which compares them with other detectors.
//!
//! Standard input has a file and its true charset a line, separated by a tab. For each it prints, as
//! JSON: the charset detected, whether the text is that of the true one, the text, and how many
//! microseconds the fastest of several detections took. With `--random N` it detects as many
//! random inputs instead.
#![allow(clippy::print_stdout, reason = "standard output is what it is for")]

use std::time::Instant;

use bequest::{Detector, Response, StandardDetector};
use serde_json::json;

const TIMES: usize = 9;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, count] = arguments.as_slice()
        && flag == "--random"
    {
        detect_random(count.parse()?);
        return Ok(());
    }
    for line in std::io::stdin().lines() {
        let line = line?;
        let (name, label) = line.split_once('\t').unwrap_or((&line, "utf-8"));
        let bytes = std::fs::read(name)?;
        let fastest = (0..TIMES).map(|_| microseconds(&bytes)).fold(f64::INFINITY, f64::min);
        let r = Response::builder().body(bytes).build()?;
        let text = r.text()?;
        let told = json!({
            "charset": r.apparent_encoding()?,
            "right": text == r.text_with(label)?,
            "text": text,
            "microseconds": fastest,
        });
        println!("{told}");
    }
    Ok(())
}

fn microseconds(bytes: &[u8]) -> f64 {
    let start = Instant::now();
    std::hint::black_box(StandardDetector.detect(std::hint::black_box(bytes)));
    start.elapsed().as_secs_f64() * 1e6
}

fn detect_random(count: usize) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut found = 0;
    for round in 0..count {
        // Of all bytes, or of those of one half or quarter.
        let kept = [0xff, 0xbf, 0x9f, 0x7f][round % 4];
        let length = random() % 400;
        let bytes: Vec<u8> = (0..length).map(|_| (random() >> 32) as u8 & kept).collect();
        found += usize::from(StandardDetector.detect(&bytes).is_some());
    }
    println!("{}", json!({ "inputs": count, "detected": found }));
}
