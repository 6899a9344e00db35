//! Content-Type: whatever it is, and what a text says that is quoted as it should be.
#![no_main]

use bequest::fuzzing::content_type;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(input) else { return Corpus::Reject };
    let (media_type, is_text, is_json, charset) = content_type(text);
    assert!(text.contains(media_type) && !media_type.contains(';'));
    assert!(!is_text || media_type.to_ascii_lowercase().starts_with("text"));
    assert!(!is_json || media_type.to_ascii_lowercase().ends_with("json"));
    assert!(charset != Some(String::new()), "an empty charset is none");
    assert!(charset.is_none() || text.to_ascii_lowercase().contains("charset"));

    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    let wanted = (!text.is_empty()).then(|| text.to_owned());
    for around in ["a/b; charset=\"*\"", "a/b;x=\"charset=no;\";CHARSET = \"*\" ; charset=no"] {
        let (media_type, _, _, charset) = content_type_owned(&around.replace('*', &quoted));
        assert_eq!(media_type, "a/b");
        if wanted.is_some() || !around.contains("no;") {
            assert_eq!(charset, wanted);
        }
    }
    Corpus::Keep
});

fn content_type_owned(value: &str) -> (String, bool, bool, Option<String>) {
    let (media_type, is_text, is_json, charset) = content_type(value);
    (media_type.to_owned(), is_text, is_json, charset)
}
