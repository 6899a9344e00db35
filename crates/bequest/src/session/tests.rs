use testbed::Testbed;

use super::*;

#[test]
fn a_session_keeps_its_connection() {
    let server = Testbed::start();
    let s = Session::new();
    for n in 1..=3 {
        let r = s.get(server.url("/get")).params([("n", n)]).send().unwrap();
        assert_eq!(r.status(), 200);
        let json: serde_json::Value = r.json().unwrap();
        assert_eq!(json["args"]["n"], n.to_string());
        assert_eq!(r.timings().connect.is_some(), n == 1);
    }
    assert_eq!(server.connections(), 1);
    let posted = s.post(server.url("/post")).form([("a", "b c")]).send().unwrap();
    let json: serde_json::Value = posted.json().unwrap();
    assert_eq!(json["form"]["a"], "b c");
    assert_eq!(server.connections(), 1);
    let secure = s.get(server.https_url("/get")).verify(server.ca_file()).send().unwrap();
    assert_eq!(secure.status(), 200);
    let error = s.get(server.https_url("/get")).send().unwrap_err();
    println!("{error}");
    assert_eq!(error.kind(), crate::error::ErrorKind::Tls);
}
