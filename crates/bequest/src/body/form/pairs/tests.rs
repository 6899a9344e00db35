use std::collections::BTreeMap;

use serde::Serialize;

use super::*;

fn list(value: &impl Serialize) -> Vec<(String, String)> {
    match to_pairs(value).unwrap() {
        Pairs::List(pairs) => pairs,
        Pairs::Raw(text) => panic!("raw: {text}"),
    }
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

#[test]
fn pairs_maps_and_structs() {
    #[derive(Serialize)]
    struct Query<'a> {
        q: &'a str,
        page: u8,
        all: bool,
        missing: Option<u8>,
        tags: [&'a str; 2],
    }
    assert_eq!(list(&[("k", "v1"), ("k", "v2")]), pairs(&[("k", "v1"), ("k", "v2")]));
    assert_eq!(list(&vec![("k", 1.5)]), pairs(&[("k", "1.5")]));
    assert_eq!(list(&(("a", 1), ("b", "x"))), pairs(&[("a", "1"), ("b", "x")]));
    assert_eq!(
        list(&BTreeMap::from([("b", vec![1, 2]), ("a", vec![])])),
        pairs(&[("b", "1"), ("b", "2")])
    );
    let query = Query { q: "x", page: 2, all: true, missing: None, tags: ["a", "b"] };
    let expected = [("q", "x"), ("page", "2"), ("all", "true"), ("tags", "a"), ("tags", "b")];
    assert_eq!(list(&query), pairs(&expected));
    assert_eq!(list(&[("a", None), ("b", Some(""))]), pairs(&[("b", "")]));
    assert_eq!(list(&()), []);
}

#[test]
fn text_is_used_as_it_is() {
    assert_eq!(to_pairs(&"a=b&c").unwrap(), Pairs::Raw("a=b&c".to_owned()));
}

#[test]
fn what_is_not_pairs_is_refused() {
    let refused = |result: Result<Pairs>| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        error.to_string()
    };
    assert!(refused(to_pairs(&5)).contains("a single value"));
    assert!(refused(to_pairs(&["a", "b"])).contains("not a pair"));
    assert!(refused(to_pairs(&[("a", "b", "c")])).contains("more than two"));
    assert!(refused(to_pairs(&[("a",)])).contains("fewer than two"));
    assert!(refused(to_pairs(&[("a", [[1]])])).contains("list within a list"));
    assert!(refused(to_pairs(&[("a", BTreeMap::from([("b", 1)]))])).contains("map within"));
}
