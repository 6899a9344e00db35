use super::*;

fn shown(headers: &Headers) -> String {
    headers.to_string().replace("\r\n", "|")
}

#[test]
fn order_and_case_are_kept() {
    let headers = Headers::from([("zebra", "1"), ("Apple", "2"), ("zEBRA", "3")]);
    assert_eq!(shown(&headers), "zebra: 1|Apple: 2|zEBRA: 3|");
    assert_eq!(headers.get("ZEBRA"), Some("1"));
    assert_eq!(headers.get_all("Zebra").collect::<Vec<_>>(), ["1", "3"]);
    assert_eq!(headers.len(), 3);
}

#[test]
fn insert_replaces_in_place_and_drops_repeats() {
    let mut headers = Headers::from([("a", "1"), ("b", "2"), ("A", "3"), ("c", "4"), ("a", "5")]);
    headers.insert("A", 6);
    assert_eq!(shown(&headers), "A: 6|b: 2|c: 4|");
    headers.insert("d", b"7");
    assert_eq!(shown(&headers), "A: 6|b: 2|c: 4|d: 7|");
    headers.insert("c", String::from("8"));
    assert_eq!(shown(&headers), "A: 6|b: 2|c: 8|d: 7|");
}

#[test]
fn remove_takes_all_of_a_name() {
    let mut headers = Headers::from([("a", "1"), ("b", "2"), ("A", "3")]);
    assert!(headers.remove("a"));
    assert!(!headers.remove("a"));
    assert_eq!(shown(&headers), "b: 2|");
}

#[test]
fn update_overrides_in_place_and_adds_the_rest() {
    let mut session = Headers::from([("User-Agent", "us"), ("Accept", "*/*"), ("X", "1")]);
    session.update(&Headers::from([("x-new", "n"), ("accept", "a"), ("Accept", "b"), ("x", "2")]));
    assert_eq!(shown(&session), "User-Agent: us|accept: a|x: 2|x-new: n|Accept: b|");
}

#[test]
fn bytes_that_are_not_utf8_are_kept() {
    let headers = Headers::from([("x", b"caf\xe9".as_slice())]);
    assert_eq!(headers.get("x"), None);
    assert_eq!(headers.get_bytes("X"), Some(b"caf\xe9".as_slice()));
}

#[test]
fn text_of_replaced_values_does_not_pile_up() {
    let mut headers = Headers::new();
    for n in 0..100_000_u32 {
        headers.insert("counter", n);
    }
    assert_eq!(shown(&headers), "counter: 99999|");
    assert!(headers.text.len() < 4096, "{}", headers.text.len());
    for n in 0..100_000_u32 {
        headers.remove("token");
        headers.append("token", n);
    }
    assert!(headers.text.len() < 4096, "{}", headers.text.len());
}

/// However the text came to be, what is written is the fields, in order.
#[test]
fn fields_are_written_in_order_from_any_text() {
    let written = |headers: &Headers| {
        let mut out = Vec::new();
        headers.write_to(&mut out);
        String::from_utf8(out).unwrap()
    };
    let mut headers = Headers::from([("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]);
    for change in [
        |_: &mut Headers| (),
        |h: &mut Headers| h.prepend("Host", "h"),
        |h: &mut Headers| h.insert("B", "changed"),
        |h: &mut Headers| assert!(h.remove("c")),
        |h: &mut Headers| h.append("e", ""),
        |h: &mut Headers| h.insert("a", "x"),
    ] {
        change(&mut headers);
        assert_eq!(written(&headers), headers.to_string());
        assert_eq!(written(&headers.clone_with_room(9, 9)), headers.to_string());
    }
    let odd = Headers::received(
        b"ab:cd\r\nef: gh\n".to_vec(),
        [(0..2, 3..5), (7..9, 11..13), (7..9, 0..0)].into_iter(),
    );
    assert_eq!(written(&odd), odd.to_string());
    assert_eq!(written(&Headers::new()), "");
}

#[test]
fn prepend_and_received() {
    let mut headers = Headers::received(b"ab: cd".to_vec(), [(0..2, 4..6)].into_iter());
    headers.prepend("Host", "h");
    assert_eq!(shown(&headers), "Host: h|ab: cd|");
}

#[test]
fn equality_ignores_the_case_of_names_only() {
    assert_eq!(Headers::from([("A", "b")]), Headers::from([("a", "b")]));
    assert_ne!(Headers::from([("A", "b")]), Headers::from([("a", "B")]));
    assert_ne!(Headers::from([("a", "1"), ("b", "2")]), Headers::from([("b", "2"), ("a", "1")]));
}

#[test]
fn debug_masks_credentials() {
    let headers = Headers::from([("Authorization", "Basic c2VjcmV0"), ("Accept", "*/*")]);
    assert_eq!(format!("{headers:?}"), r#"{"Authorization": "***", "Accept": "*/*"}"#);
}

#[test]
fn header_map_both_ways() {
    let headers = Headers::from([("X-One", "1"), ("x-two", "2"), ("X-One", "3")]);
    let map = HeaderMap::try_from(&headers).unwrap();
    assert_eq!(map.get_all("x-one").iter().collect::<Vec<_>>(), ["1", "3"]);
    assert_eq!(Headers::from(map).get_all("X-ONE").collect::<Vec<_>>(), ["1", "3"]);
    let bad = Headers::from([("a b", "1")]);
    assert_eq!(HeaderMap::try_from(bad).unwrap_err().kind(), ErrorKind::InvalidHeader);
}
