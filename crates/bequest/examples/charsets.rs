//! Detects the charsets of files: for `scripts/charsets`, which compares them with other detectors.
//!
//! Its arguments are files, or else they are named on standard input, one a line. For each it
//! prints name, charset, microseconds of the fastest of several detections, and the text in UTF-8,
//! escaped as JSON; separated by tabs.
#![allow(clippy::print_stdout, reason = "standard output is what it is for")]

use std::time::Instant;

use bequest::{Detector, Response, StandardDetector};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for name in std::io::stdin().lines() {
        let name = name?;
        let (name, label) = name.split_once("\t").unwrap_or((&name, "utf-8"));
        let bytes = std::fs::read(name)?;
        let mut best = f64::INFINITY;
        for _ in 0..9 {
            let start = Instant::now();
            std::hint::black_box(StandardDetector.detect(std::hint::black_box(&bytes)));
            best = best.min(start.elapsed().as_secs_f64() * 1e6);
        }
        let r = Response::builder().body(bytes).build()?;
        let charset = r.apparent_encoding()?.unwrap_or("none").to_owned();
        let right = r.text()? == r.text_with(label)?;
        println!("{name}\t{charset}\t{best:.1}\t{right}\t{}", serde_json::to_string(&r.text()?)?);
    }
    Ok(())
}
