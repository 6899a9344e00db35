mod given_up;
mod marks;
mod splits;

use std::io::{BufRead, Read};

use super::*;
use crate::body::Body as Outgoing;

fn response(body: impl Into<Outgoing>) -> Response {
    Response::builder().header("Content-Type", "text/plain").body(body).build().unwrap()
}

fn chunks(chunks: &[&'static str]) -> Response {
    response(Outgoing::chunks(chunks.to_vec()))
}

fn pieces(response: &Response, size: impl Into<Option<usize>>) -> Vec<String> {
    let pieces = response.iter_content(size);
    pieces.map(|piece| String::from_utf8(piece.unwrap().to_vec()).unwrap()).collect()
}

fn lines(response: &Response) -> Vec<String> {
    let lines = response.iter_lines();
    lines.map(|line| String::from_utf8(line.unwrap().to_vec()).unwrap()).collect()
}

#[test]
fn content_is_read_once_and_kept() {
    let r = chunks(&["one ", "two"]);
    assert!(r.collected().is_none());
    for _ in 0..2 {
        assert_eq!(r.content().unwrap(), "one two");
        assert_eq!(r.text().unwrap(), "one two");
    }
    assert_eq!(pieces(&r, 3), ["one", " tw", "o"], "collected content can be iterated");
    assert_eq!(pieces(&r, None), ["one two"]);
    assert_eq!(lines(&r), ["one two"]);
    r.close();
    assert_eq!(r.content().unwrap(), "one two", "what was read stays");
}

#[test]
fn pieces_are_of_the_size_asked_for_or_as_they_come() {
    assert_eq!(pieces(&chunks(&["abc", "d", "efgh"]), 3), ["abc", "def", "gh"]);
    assert_eq!(pieces(&chunks(&["abc", "d", "efgh"]), None), ["abc", "d", "efgh"]);
    assert_eq!(pieces(&response(""), 3), [""; 0]);
    let zero = response("x");
    let error = zero.iter_content(0).next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[test]
fn iterating_again_goes_on_where_it_stopped() {
    let r = chunks(&["one\ntwo\nthr", "ee\nfour"]);
    assert_eq!(r.iter_lines().next().unwrap().unwrap(), "one");
    assert_eq!(r.iter_content(3).next().unwrap().unwrap(), "two");
    let mut line = String::new();
    r.reader().read_line(&mut line).unwrap();
    assert_eq!(line, "\n");
    assert_eq!(lines(&r), ["three", "four"]);
    let error = r.content().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StreamConsumed);
    assert!(r.iter_lines().next().unwrap().is_err());
}

#[test]
fn after_a_part_was_taken_there_is_no_content() {
    let r = chunks(&["abc", "def"]);
    assert_eq!(r.iter_content(2).next().unwrap().unwrap(), "ab");
    assert_eq!(r.content().unwrap_err().kind(), ErrorKind::StreamConsumed);
    assert_eq!(pieces(&r, 2), ["cd", "ef"], "the rest is still there for an iterator");
}

#[test]
fn one_reads_at_a_time() {
    let r = chunks(&["abc"]);
    let mut first = r.iter_content(1);
    let error = r.iter_lines().next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StreamConsumed);
    assert!(r.content().is_err());
    assert!(r.reader().read(&mut [0; 1]).is_err());
    assert_eq!(first.next().unwrap().unwrap(), "a");
}

#[test]
fn line_ends_may_be_split() {
    assert_eq!(lines(&chunks(&["a\r", "\nb\r\nc\rd\n\ne"])), ["a", "b", "c", "d", "", "e"]);
    assert_eq!(lines(&chunks(&["a\r", "b\r"])), ["a", "b"]);
    assert_eq!(lines(&chunks(&["\r", "\n", "\n"])), ["", ""]);
    assert_eq!(lines(&response("")), [""; 0]);
    let r = chunks(&["a\r", "\nb"]);
    assert_eq!(r.iter_lines().next().unwrap().unwrap(), "a");
    assert_eq!(lines(&r), ["b"], "the line feed belonged to the line before");
}

#[test]
fn a_reader_may_outlive_the_borrow() {
    let mut text = String::new();
    let mut reader = chunks(&["ab", "cd"]).into_reader();
    std::thread::spawn(move || reader.read_to_string(&mut text).map(|_| text))
        .join()
        .unwrap()
        .map(|text| assert_eq!(text, "abcd"))
        .unwrap();
}

#[test]
fn closed_means_closed() {
    let r = chunks(&["abc"]);
    r.close();
    assert_eq!(r.content().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(r.iter_content(1).next().unwrap().unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn errors_are_remembered() {
    let failing = [Ok("abc"), Err(std::io::Error::other("disk"))];
    let r = response(Outgoing::try_chunks(failing));
    for _ in 0..2 {
        let error = r.content().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("disk"), "{error}");
    }
}

#[test]
fn collected_bodies_have_a_limit() {
    let mut r = chunks(&["abc", "def"]);
    r.head_mut().max_content = Some(5);
    let error = r.content().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("max_content"), "{error}");
    let mut exact = chunks(&["abc", "def"]);
    exact.head_mut().max_content = Some(6);
    assert_eq!(exact.content().unwrap(), "abcdef");
    let mut announced = response("abcdef");
    announced.head_mut().max_content = Some(5);
    assert_eq!(announced.content().unwrap_err().kind(), ErrorKind::TooLarge);
    let mut long = chunks(&["abcdef", "\n"]);
    long.head_mut().max_content = Some(5);
    assert_eq!(long.iter_lines().next().unwrap().unwrap_err().kind(), ErrorKind::TooLarge);
}

#[test]
fn statuses_as_errors() {
    let url = Url::parse("http://h/x?token=t").unwrap();
    let r = Response::builder().status(404).url(url).build().unwrap();
    assert!(!r.ok());
    let error = r.error_for_status().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HttpStatus);
    assert_eq!(error.to_string(), "404 Client Error: Not Found for url: http://h/x?token=***");
    assert_eq!(error.response().map(Response::status), Some(StatusCode::NOT_FOUND));
    assert_eq!(error.into_response().unwrap().status(), 404);
    for fine in [200, 304, 600, 999] {
        assert!(Response::builder().status(fine).build().unwrap().error_for_status().is_ok());
    }
    assert!(Response::builder().status(99).build().is_err());
    assert_eq!(format!("{:?}", response("")), "<Response [200]>");
}

#[test]
fn text_is_utf8_or_what_the_server_says() {
    let text = |content_type: &str, body: &[u8]| {
        let r = Response::builder().header("Content-Type", content_type).body(body).build();
        r.unwrap().text().unwrap()
    };
    assert_eq!(text("text/plain", "caf\u{e9}".as_bytes()), "caf\u{e9}");
    assert_eq!(text("text/plain; Charset=\"Latin1\"", b"caf\xe9"), "caf\u{e9}");
    assert_eq!(text("text/plain; charset=utf-8", b"\xef\xbb\xbfa\xff"), "a\u{fffd}");
}

/// As if it had been sent with these settings.
fn sent_with(response: &mut Response, settings: crate::settings::Settings) {
    let mut request = PreparedRequest::none().clone();
    request.set_settings(&Arc::new(settings));
    response.head_mut().request = Some(Box::new(request));
}

#[test]
fn without_the_old_rule_text_is_detected() {
    let page = Response::builder().header("Content-Type", "text/html").body("é");
    let mut r = page.build().unwrap();
    sent_with(&mut r, crate::settings::Settings { text_is_latin1: false, ..Default::default() });
    assert_eq!(r.encoding(), None);
    assert_eq!(r.apparent_encoding().unwrap(), Some("utf-8"));
    assert_eq!(r.text().unwrap(), "é");
}

#[test]
fn a_detector_is_asked_once_and_only_if_nobody_says_it() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use crate::charset::Detector;

    #[derive(Debug, Default)]
    struct Counting(AtomicUsize);
    impl Detector for Counting {
        fn detect(&self, text: &[u8]) -> Option<String> {
            self.0.fetch_add(1, Ordering::Relaxed);
            (text.len() > 1).then(|| "utf-16be".to_owned())
        }
    }
    let detector = Arc::new(Counting::default());
    let detected = |headers: &str, body: &'static [u8]| {
        let mut r = Response::builder().header("Content-Type", headers).body(body).build().unwrap();
        let detector = Some(detector.clone() as Arc<dyn Detector>);
        sent_with(&mut r, crate::settings::Settings { detector, ..Default::default() });
        [r.text().unwrap(), r.text().unwrap()].concat()
    };
    assert_eq!(detected("x/y", b"\0a"), "aa");
    assert_eq!(detector.0.load(Ordering::Relaxed), 1);
    assert_eq!(detected("x/y", b"a"), "aa", "it does not know");
    assert_eq!(detected("text/plain", b"\xe9"), "éé");
    assert_eq!(detected("x/y; charset=latin1", b"\xe9"), "éé");
    assert_eq!(detector.0.load(Ordering::Relaxed), 2);
}

#[cfg(feature = "json")]
#[test]
fn json_into_a_type() {
    assert_eq!(response("\u{feff}[1, 2]").json::<Vec<u8>>().unwrap(), [1, 2]);
    let error = response("{").json::<Vec<u8>>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidJson);
}

#[cfg(feature = "json")]
#[test]
fn an_error_about_json_says_what_came_instead() {
    let told = |status: u16, content_type: &str| {
        let page = Response::builder().status(status).header("Content-Type", content_type);
        let page = page.body("<html>").build().unwrap();
        page.json::<Vec<u8>>().unwrap_err().to_string()
    };
    assert!(
        told(502, "text/html").ends_with("; 502 Bad Gateway has come: `error_for_status` asks")
    );
    let html = told(200, "text/html; charset=utf-8");
    assert!(html.ends_with("; it is said to be `text/html`: `text` shows it"), "{html}");
    let json = told(200, "application/json");
    assert!(json.ends_with("expected value at line 1 column 1"), "{json}");
    assert!(told(200, &"x".repeat(10_000)).len() < 500);
}

#[test]
fn an_owned_reader_ends_and_stays_at_its_end() {
    let collected = response("abc");
    collected.content().unwrap();
    for r in [collected, response("abc"), chunks(&["a", "bc"])] {
        let mut reader = r.into_reader();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), 0);
    }
}

#[test]
fn a_line_end_may_fall_anywhere_in_a_large_body() {
    for length in [4094, 4095, 4096, 65_535, 65_536] {
        let text = format!("{}\r\ny", "x".repeat(length));
        let streamed = response(text.clone());
        let collected = response(text);
        collected.content().unwrap();
        for r in [streamed, collected] {
            let lines: Vec<usize> = r.iter_lines().map(|line| line.unwrap().len()).collect();
            assert_eq!(lines, [length, 1], "{length}");
        }
    }
}

#[test]
fn lines_are_decoded() {
    let decoded = |r: &Response| -> Vec<String> {
        r.iter_lines().decode_unicode().map(|line| line.unwrap()).collect()
    };
    let of = |content_type: &str, pieces: &[&[u8]]| {
        let pieces: Vec<_> = pieces.iter().map(|piece| Bytes::copy_from_slice(piece)).collect();
        Response::builder()
            .header("Content-Type", content_type)
            .body(Outgoing::chunks(pieces))
            .build()
            .unwrap()
    };
    let latin = of("text/plain; charset=latin1", &[b"caf\xe9\r", b"\nth\xe9"]);
    assert_eq!(decoded(&latin), ["caf\u{e9}", "th\u{e9}"]);
    let utf8 = of("application/json", &[b"\xef\xbb", b"\xbfa\xc3", b"\xa9\n\xff\n\xef\xbb\xbfb"]);
    assert_eq!(decoded(&utf8), ["a\u{e9}", "\u{fffd}", "\u{feff}b"]);
    // Nothing but the old rule says Latin-1: each line says it for itself.
    let guessed = of("text/event-stream", &["data: \u{e9}\n".as_bytes(), b"data: \xe9\n"]);
    assert_eq!(decoded(&guessed), ["data: \u{e9}", "data: \u{e9}"]);
    let wide: Vec<u8> =
        "\u{feff}a\r\n\u{a0d}\nb".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let wide: Vec<&[u8]> = wide.chunks(3).collect();
    assert_eq!(decoded(&of("text/plain; charset=utf-16be", &wide)), ["a", "\u{a0d}", "b"]);
    let records = of("text/plain; charset=utf-8", &[b"a\xc3", b"\xa9||", b"b|", b"|c"]);
    let records: Vec<_> = records.iter_lines().delimiter("||").decode_unicode().collect();
    let records: Vec<_> = records.into_iter().map(Result::unwrap).collect();
    assert_eq!(records, ["a\u{e9}", "b", "c"]);
}

#[test]
fn pieces_are_decoded() {
    let text = "\u{feff}a\u{e9}\u{20ac}\u{1f600}z";
    for size in 1..12 {
        let utf8 = Response::builder().body(text).build().unwrap();
        let plain = Response::builder().header("Content-Type", "text/plain").body(text).build();
        for r in [utf8, plain.unwrap()] {
            let pieces: Vec<String> =
                r.iter_content(size).decode_unicode().map(Result::unwrap).collect();
            assert_eq!(pieces.concat(), text[3..], "{size}");
            assert!(pieces.iter().all(|piece| !piece.is_empty()));
        }
    }
    let latin = Response::builder().header("Content-Type", "text/plain").body(&b"caf\xe9\xe9"[..]);
    let latin = latin.build().unwrap();
    let pieces: Vec<String> = latin.iter_content(4).decode_unicode().map(Result::unwrap).collect();
    assert_eq!(pieces.concat(), "caf\u{e9}\u{e9}");
    let cut = Response::builder().body(&b"a\xe2\x82"[..]).build().unwrap();
    let pieces: Vec<String> = cut.iter_content(2).decode_unicode().map(Result::unwrap).collect();
    assert_eq!(pieces.concat(), "a\u{fffd}");
}

#[test]
fn a_character_that_was_begun_is_not_lost() {
    let r = response("a\u{20ac}b");
    assert_eq!(r.iter_content(2).decode_unicode().next().unwrap().unwrap(), "a");
    assert_eq!(r.iter_content(2).decode_unicode().next().unwrap().unwrap(), "\u{20ac}");
    assert_eq!(r.iter_content(2).decode_unicode().next().unwrap().unwrap(), "b");
    let over = r.iter_content(2).decode_unicode().next().unwrap().unwrap_err();
    assert_eq!(over.kind(), ErrorKind::StreamConsumed);
}

#[test]
fn what_came_before_an_error_is_given_out() {
    let failing = || {
        response(Outgoing::try_chunks([Ok("abc"), Ok("def"), Err(std::io::Error::other("disk"))]))
    };
    let r = failing();
    let mut pieces = r.iter_content(4);
    assert_eq!(pieces.next().unwrap().unwrap(), "abcd");
    assert_eq!(pieces.next().unwrap().unwrap(), "ef");
    assert_eq!(pieces.next().unwrap().unwrap_err().kind(), ErrorKind::Io);
    assert!(pieces.next().is_none());
    let r = failing();
    let mut pieces = r.iter_content(100).decode_unicode();
    assert_eq!(pieces.next().unwrap().unwrap(), "abcdef");
    assert!(pieces.next().unwrap().is_err());
    assert!(pieces.next().is_none());
}

/// What a reader holds may be more than the next one wants: none of it is lost.
#[test]
fn readers_may_follow_each_other_in_any_order() {
    let text: String = (0..20_000).map(|n| format!("{n}\r\n")).collect();
    let r = response(text);
    let mut read = Vec::new();
    let mut line = 0;
    loop {
        if r.reader().fill_buf().is_err() {
            break;
        }
        let Some(next) = r.iter_lines().next() else { break };
        assert_eq!(next.unwrap(), line.to_string());
        line += 1;
        let mut reader = r.reader();
        reader.fill_buf().unwrap();
        let mut whole = String::new();
        if reader.read_line(&mut whole).unwrap() > 0 {
            assert_eq!(whole, format!("{line}\r\n"));
            line += 1;
        }
        drop(reader);
        read.clear();
        r.raw().take(4).read_to_end(&mut read).unwrap();
        let text = [&read[..], &r.iter_content(30).next().map_or(Bytes::new(), Result::unwrap)];
        let text = String::from_utf8(text.concat()).unwrap();
        let unfinished = text.rfind('\n').map_or(0, |at| at + 1);
        line += text[..unfinished].lines().count();
        if unfinished < text.len() {
            let rest = r.iter_lines().next().map_or(Bytes::new(), Result::unwrap);
            let rest = String::from_utf8(rest.to_vec()).unwrap();
            let last = text[unfinished..].to_owned() + &rest;
            assert_eq!(last.trim_end(), line.to_string());
            line += 1;
        }
    }
    assert_eq!(line, 20_000);
}

/// However the body is cut, an LF behind a CR is of the line that was given out.
#[test]
fn a_line_feed_is_never_somebody_elses() {
    for cut in 0..4 {
        let (one, two) = "a\r\nb\r\n".split_at(cut);
        let after_a_line = || {
            let r = chunks(&[one, two]);
            assert_eq!(r.iter_lines().next().unwrap().unwrap(), "a", "{cut}");
            r
        };
        assert_eq!(lines(&after_a_line()), ["b"], "{cut}");
        assert_eq!(pieces(&after_a_line(), 100), ["b\r\n"], "{cut}");
        assert_eq!(pieces(&after_a_line(), None).concat(), "b\r\n", "{cut}");
        let r = after_a_line();
        assert_eq!(r.iter_lines().delimiter("b").next().unwrap().unwrap(), "", "{cut}");
        let mut text = String::new();
        after_a_line().into_reader().read_to_string(&mut text).unwrap();
        assert_eq!(text, "b\r\n", "{cut}");
    }
    let r = chunks(&["a\r", "b"]);
    assert_eq!(r.iter_lines().next().unwrap().unwrap(), "a");
    assert_eq!(pieces(&r, 100), ["b"]);
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    for cut in 4..7 {
        let all = wide("a\r\nb");
        let r = Response::builder()
            .header("Content-Type", "text/plain; charset=utf-16le")
            .body(Outgoing::chunks([&all[..cut], &all[cut..]].map(Bytes::copy_from_slice)))
            .build()
            .unwrap();
        assert_eq!(r.iter_lines().decode_unicode().next().unwrap().unwrap(), "a");
        assert_eq!(r.iter_content(100).next().unwrap().unwrap(), wide("b"), "{cut}");
    }
}

#[test]
fn the_limit_of_a_line_does_not_depend_on_how_it_comes() {
    let first = |pieces: &[&'static str], delimiter: &str| {
        let mut r = chunks(pieces);
        r.head_mut().max_content = Some(5);
        let lines = r.iter_lines().delimiter(delimiter);
        lines.map(|line| line.map(|_| ()).map_err(|error| error.kind())).collect::<Vec<_>>()
    };
    let too_large = [Err(ErrorKind::TooLarge)];
    for pieces in [&["abcdef\n"][..], &["abcdef", "\n"], &["abc", "def"], &["abcdef"]] {
        assert_eq!(first(pieces, "\n"), too_large, "{pieces:?}");
    }
    for pieces in [&["abcde--=--"][..], &["abcde--=", "--"], &["abc", "de--=-", "-"]] {
        assert_eq!(first(pieces, "--=--"), [Ok(())], "{pieces:?}");
    }
    let mut r = chunks(&["abcdef\n"]);
    r.head_mut().max_content = Some(5);
    assert_eq!(r.iter_lines().next().unwrap().unwrap_err().kind(), ErrorKind::TooLarge);
}

/// Text first, bytes then: the bytes of a character that was begun are not lost.
#[test]
fn a_character_that_was_begun_is_there_for_others_too() {
    let text = "a\u{20ac}b\r\nc";
    let (utf8, wide) = (text.as_bytes().to_vec(), text.encode_utf16().flat_map(u16::to_be_bytes));
    for (charset, body, size) in [
        ("", utf8.clone(), 2),
        ("; charset=utf-8", utf8, 3),
        ("; charset=utf-16be", wide.collect(), 3),
    ] {
        let begun = || {
            let r = Response::builder()
                .header("Content-Type", format!("text/plain{charset}"))
                .body(body.clone())
                .build()
                .unwrap();
            assert_eq!(r.iter_content(size).decode_unicode().next().unwrap().unwrap(), "a");
            r
        };
        let rest: Vec<String> = begun().iter_lines().decode_unicode().map(Result::unwrap).collect();
        assert_eq!(rest, ["\u{20ac}b", "c"], "{charset}");
        let r = begun();
        let piece = r.iter_content(100).next().unwrap().unwrap();
        assert!(body.ends_with(&piece), "{charset}");
        assert_eq!(
            piece.len(),
            body.len() - if charset.contains("16") { 2 } else { 1 },
            "{charset}"
        );
    }
}
