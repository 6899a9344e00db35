//! What a response links to: against a reading that takes its time, and over as much of it as a head
//! may hold. The input is Link fields that end in LF; the first byte says how often they repeat.
#![no_main]

use bequest::Response;
use libfuzzer_sys::{Corpus, fuzz_target};

/// A quadratic search of so much takes longer than a target may.
const LONGEST: usize = 100 * 1024;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((&seed, input)) = input.split_first() else { return Corpus::Reject };
    let Ok(text) = std::str::from_utf8(input) else { return Corpus::Reject };
    if text.is_empty() || text.contains(['\r', '\0']) {
        return Corpus::Reject;
    }
    let count = if seed & 1 == 0 { 1 } else { LONGEST / text.len() };
    let text = text.repeat(count.max(1));
    let mut response = Response::builder();
    for field in text.split('\n') {
        response = response.header("Link", field);
    }
    let Ok(base) = "https://api.example.org/a/b?c".parse() else { return Corpus::Reject };
    let Ok(response) = response.url(base).build() else { return Corpus::Reject };

    let links = response.links();
    assert_eq!(links.len(), links.iter().count());
    assert_eq!(links.is_empty(), links.iter().next().is_none());
    assert!(links.len() <= text.matches('<').count().min(text.matches('>').count()));
    let mut made = 0;
    for link in &links {
        made += link.url().len();
        let target = link.target();
        assert!(!target.contains('>') && target.trim() == target, "{target:?}");
        assert!(text.contains(target), "{target:?} was not sent");
        assert!(link.relations().all(|one| !one.is_empty() && !one.contains(' ')));
        for (name, value) in link.params() {
            assert!(!name.is_empty() && !name.contains(['=', ';', ',']), "{name:?}");
            assert!(link.param(name).is_some() && link.param(&name.to_ascii_uppercase()).is_some());
            assert!(value.len() <= text.len());
        }
        // What is found by a relation has it.
        if let Some(relation) = link.relations().next().filter(|_| count == 1) {
            let found = links.get(relation).expect("it is there");
            assert!(found.relations().any(|one| one.eq_ignore_ascii_case(relation)));
        }
    }
    assert!(made <= 1 << 20, "{made} bytes of URLs");
    Corpus::Keep
});
