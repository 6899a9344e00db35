//! README's first example, run against a real httpbin: the code and its output are what README
//! says.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use bequest::{Adapter, BoxFuture, HttpAdapter, PreparedRequest, Response, Result, Settings};
use serde_json::Value;
use testbed::{Lab, Server};

const README: &str = include_str!("../../../README.md");
const SNIPPET: &str = include_str!("readme/snippet.rs");

/// Takes what is meant for httpbin.org to the one in the lab.
struct ToLab {
    lab: String,
    http: HttpAdapter,
}

impl Adapter for ToLab {
    fn send<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        let local = request.url.as_str().replace("https://httpbin.org", &self.lab);
        request.url = local.parse().unwrap();
        self.http.send(request, settings)
    }
}

/// Stands where README has bequest's.
struct Session;

impl Session {
    #[expect(clippy::new_ret_no_self, reason = "README's line must compile as it is")]
    fn new() -> bequest::Session {
        let lab = Lab::shared(&[Server::Httpbin]).url(Server::Httpbin).to_owned();
        let mut s = bequest::Session::new();
        s.mount("https://httpbin.org/", ToLab { lab, http: HttpAdapter::new() });
        s
    }
}

thread_local! {
    static PRINTED: RefCell<String> = const { RefCell::new(String::new()) };
}

macro_rules! println {
    ($($argument:tt)*) => {{
        let line = format!($($argument)*);
        PRINTED.with_borrow_mut(|printed| printed.extend([line.as_str(), "\n"]));
    }};
}

fn run_the_snippet() -> Result<()> {
    include!("readme/snippet.rs");
    Ok(())
}

fn block(language: &str) -> &'static str {
    let start = README.find(&format!("```{language}\n")).unwrap() + language.len() + 4;
    let length = README[start..].find("```").unwrap();
    &README[start..start + length]
}

#[test]
fn the_code_is_in_the_readme() {
    let lines = SNIPPET.trim().trim_start_matches('{').trim_end_matches('}').trim_matches('\n');
    let dedented: String = lines
        .lines()
        .map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line)))
        .collect();
    assert_eq!(block("rust").trim(), dedented.trim());
}

#[test]
fn the_output_is_in_the_readme() {
    run_the_snippet().unwrap();
    let lab = Lab::shared(&[Server::Httpbin]).url(Server::Httpbin).to_owned();
    let host = lab.strip_prefix("http://").unwrap().to_owned();
    let printed = PRINTED.take().replace(&lab, "https://httpbin.org").replace(&host, "httpbin.org");
    // How long it took is another time each time.
    let (printed, waited) = printed.trim_end().rsplit_once(" (wait ").unwrap();
    let waited: u32 = waited.strip_suffix("ms)").unwrap().parse().unwrap();
    assert!((300..1500).contains(&waited), "{waited}");
    assert_eq!(format!("{printed} (wait 300ms)\n"), block("text"));
}

#[test]
fn each_example_is_in_the_readme() {
    let start = README.find("| section | example |").unwrap();
    let table = &README[start..start + README[start..].find("\n\n").unwrap()];
    let named: BTreeSet<String> =
        table.split('`').skip(1).step_by(2).map(str::to_owned).chain(["tour".to_owned()]).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(named, files);
}

#[test]
fn each_document_is_in_the_readme() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(README.contains(&format!("](docs/{name})")), "README has no link to {name}");
    }
}
