//! The verbs of WebDAV (RFC 4918), which have no method of their own in a client, on Apache.
// A failed expectation of a test is a panic.
#![allow(clippy::unwrap_used)]

mod support;

use bequest::{Body, Request};
use support::{Client, Door, Reply, doors, get};
use testbed::{Lab, Server};

doors![
    mkcol_makes_a_collection,
    files_are_copied_and_moved,
    propfind_lists,
    proppatch_keeps_a_property,
    a_lock_keeps_others_out,
    options_tells_the_verbs,
    a_body_of_unknown_length_is_put,
];

/// A collection of a test's own, without and with TLS. It is gone when the test has passed.
struct Folder {
    session: Client,
    url: String,
}

fn folders(door: Door, name: &str) -> impl Iterator<Item = Folder> {
    let lab = Lab::shared(&[Server::Apache]);
    ["APACHE_URL", "APACHE_TLS_URL"].into_iter().map(move |server| {
        let mut session = door.session();
        *session.verify() = lab.ca_file().into();
        let url = format!("{}/dav/{door:?}-{name}-{server}", lab.var(server));
        let folder = Folder { session, url };
        assert_eq!(folder.status(folder.request("MKCOL", "")), 201);
        folder
    })
}

impl Folder {
    fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.url)
    }

    fn request(&self, method: &str, name: &str) -> Request {
        Request::new(method, self.url(name))
    }

    fn send(&self, request: Request) -> Reply {
        self.session.send(request).unwrap()
    }

    fn status(&self, request: Request) -> u16 {
        self.send(request).status().as_u16()
    }

    fn put(&self, name: &str, content: &str) -> u16 {
        self.status(self.request("PUT", name).body(content))
    }

    /// What a file has in it, if it is there.
    fn content(&self, name: &str) -> Option<String> {
        let r = self.send(get(self.url(name)));
        match r.status().as_u16() {
            200 => Some(r.text().unwrap()),
            404 => None,
            other => panic!("{other} for {name}"),
        }
    }

    fn remove(self) {
        let r = self.send(self.request("DELETE", ""));
        assert_eq!(r.status(), 204);
        assert!(r.timings().connect.is_none(), "one connection served all");
        assert_eq!(self.status(self.request("DELETE", "")), 404);
    }
}

fn mkcol_makes_a_collection(door: Door) {
    for folder in folders(door, "mkcol") {
        assert_eq!(folder.status(folder.request("MKCOL", "new/")), 201);
        assert_eq!(folder.status(get(folder.url("new/"))), 200);
        assert_eq!(folder.status(folder.request("mkcol", "new/")), 405, "it is there already");
        assert_eq!(folder.status(folder.request("MKCOL", "a/b/")), 409, "there is no `a`");
        let r = folder.send(folder.request("MKCOL", "odd/").body("no XML"));
        assert_eq!(r.status(), 415, "nothing is said about such a body");
        assert_eq!(folder.content("odd/"), None);
        folder.remove();
    }
}

fn files_are_copied_and_moved(door: Door) {
    for folder in folders(door, "files") {
        assert_eq!(folder.put("a", "spam"), 201);
        assert_eq!(folder.put("a", "eggs"), 204, "it was there");
        let to = |method: &str, from: &str, to: &str| {
            folder.request(method, from).header("Destination", folder.url(to))
        };
        assert_eq!(folder.status(to("COPY", "a", "b")), 201);
        assert_eq!(folder.put("a", "ham"), 204);
        assert_eq!(folder.content("b").as_deref(), Some("eggs"), "a copy is its own");
        assert_eq!(folder.status(to("COPY", "a", "b").header("Overwrite", "F")), 412);
        assert_eq!(folder.status(to("MOVE", "a", "c")), 201);
        assert_eq!(folder.content("a"), None);
        assert_eq!(folder.content("c").as_deref(), Some("ham"));
        assert_eq!(folder.status(to("MOVE", "c", "b")), 204, "it replaced one");
        assert_eq!(folder.content("b").as_deref(), Some("ham"));
        assert_eq!(folder.status(to("COPY", "nothing", "d")), 404);
        folder.remove();
    }
}

fn propfind_lists(door: Door) {
    const NAMES: &str = "<?xml version=\"1.0\"?>\
        <propfind xmlns=\"DAV:\"><prop><getcontentlength/></prop></propfind>";
    for folder in folders(door, "propfind") {
        assert_eq!(folder.put("one", "1"), 201);
        assert_eq!(folder.put("two", "22"), 201);
        let find = |depth: &str| folder.request("PROPFIND", "").header("Depth", depth);
        let r = folder.send(find("1").body(NAMES).header("Content-Type", "application/xml"));
        assert_eq!((r.status().as_u16(), r.reason()), (207, "Multi-Status"));
        let told = r.text().unwrap();
        assert_eq!(told.matches("<D:response").count(), 3, "{told}");
        assert!(told.contains("getcontentlength>2</"), "{told}");
        let itself = folder.send(find("0")).text().unwrap();
        assert_eq!(itself.matches("<D:response").count(), 1, "{itself}");
        assert_eq!(folder.status(find("1").body("<no xml")), 400);
        assert_eq!(folder.status(folder.request("PROPFIND", "three")), 404);
        folder.remove();
    }
}

fn proppatch_keeps_a_property(door: Door) {
    const SET: &str = "<?xml version=\"1.0\"?><propertyupdate xmlns=\"DAV:\"><set><prop>\
        <colour xmlns=\"urn:example\">blue</colour></prop></set></propertyupdate>";
    for folder in folders(door, "proppatch") {
        assert_eq!(folder.put("knight", ""), 201);
        let r = folder.send(folder.request("PROPPATCH", "knight").body(SET));
        assert_eq!(r.status(), 207);
        assert!(r.text().unwrap().contains("HTTP/1.1 200 OK"));
        let r = folder.send(folder.request("PROPFIND", "knight").header("Depth", "0"));
        assert!(r.text().unwrap().contains(">blue</"));
        folder.remove();
    }
}

fn a_lock_keeps_others_out(door: Door) {
    const EXCLUSIVE: &str = "<?xml version=\"1.0\"?><lockinfo xmlns=\"DAV:\"><lockscope>\
        <exclusive/></lockscope><locktype><write/></locktype></lockinfo>";
    for folder in folders(door, "lock") {
        assert_eq!(folder.put("a", "free"), 201);
        let r = folder.send(folder.request("LOCK", "a").body(EXCLUSIVE));
        assert_eq!(r.status(), 200);
        let token = r.headers().get("lock-token").unwrap().to_owned();
        assert!(token.starts_with("<opaquelocktoken:"), "{token}");
        assert!(r.text().unwrap().contains("lockdiscovery"));

        assert_eq!(folder.status(folder.request("LOCK", "a").body(EXCLUSIVE)), 423);
        assert_eq!(folder.put("a", "stolen"), 423);
        assert_eq!(folder.status(folder.request("DELETE", "a")), 423);
        assert_eq!(folder.content("a").as_deref(), Some("free"));
        let holder = folder.request("PUT", "a").header("If", format!("({token})"));
        assert_eq!(folder.status(holder.body("mine")), 204);
        assert_eq!(folder.content("a").as_deref(), Some("mine"));

        let unlock = || folder.request("UNLOCK", "a").header("Lock-Token", &token);
        assert_eq!(folder.status(folder.request("UNLOCK", "a")), 400, "which one?");
        assert_eq!(folder.status(unlock()), 204);
        assert_eq!(folder.put("a", "free again"), 204);
        folder.remove();
    }
}

fn options_tells_the_verbs(door: Door) {
    for folder in folders(door, "options") {
        let r = folder.send(folder.request("OPTIONS", ""));
        assert_eq!(r.status(), 200);
        let allowed: Vec<&str> = r.headers().get_all("allow").collect();
        let allowed = allowed.join(",");
        for verb in ["OPTIONS", "DELETE", "PROPFIND", "PROPPATCH", "COPY", "MOVE", "LOCK"] {
            assert!(allowed.split(',').any(|known| known.trim() == verb), "{verb}: {allowed}");
        }
        let classes: Vec<&str> = r.headers().get_all("dav").collect();
        assert_eq!(classes.first(), Some(&"1,2"), "{classes:?}");
        folder.remove();
    }
}

fn a_body_of_unknown_length_is_put(door: Door) {
    for folder in folders(door, "chunked") {
        let chunks = Body::chunks(["hi", "there"]);
        assert_eq!(folder.status(folder.request("PUT", "chunks").body(chunks)), 201);
        assert_eq!(folder.content("chunks").as_deref(), Some("hithere"));
        let reader = Body::reader("from a reader".as_bytes());
        assert_eq!(folder.status(folder.request("PUT", "reader").body(reader)), 201);
        assert_eq!(folder.content("reader").as_deref(), Some("from a reader"));
        folder.remove();
    }
}
