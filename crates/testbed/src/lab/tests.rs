use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::*;

/// What a lab with nginx has of the machine.
struct Traces {
    port: u16,
    state: PathBuf,
    pid: u32,
}

impl Traces {
    fn of(lab: &Lab) -> Self {
        let (_, port) = lab.url(Server::Nginx).rsplit_once(':').expect("a URL with a port");
        let pid =
            fs::read_to_string(lab.state.join("run/nginx.pid")).expect("nginx has a pid file");
        Self {
            port: port.parse().expect("a port"),
            state: lab.state.clone(),
            pid: pid.split(' ').next().and_then(|pid| pid.parse().ok()).expect("a pid"),
        }
    }

    fn remaining(&self) -> Vec<String> {
        let mut remaining = live_processes_of_session(self.pid);
        if !is_free(self.port) {
            remaining.push(format!("port {}", self.port));
        }
        if self.state.exists() {
            remaining.push(self.state.display().to_string());
        }
        remaining
    }
}

/// The kit gives each server a session of its own, named after its first process.
fn live_processes_of_session(session: u32) -> Vec<String> {
    let session = session.to_string();
    let entries = fs::read_dir("/proc").expect("/proc can be listed");
    entries
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok())
        .filter(|stat| {
            // After the name in parentheses: state, parent, group, session.
            let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
            let mut fields = fields.split(' ');
            fields.next() != Some("Z") && fields.nth(2) == Some(session.as_str())
        })
        .collect()
}

fn whoami(lab: &Lab) -> String {
    let address = lab.url(Server::Nginx).strip_prefix("http://").expect("plain HTTP");
    let mut stream = TcpStream::connect(address).expect("nginx listens");
    write!(stream, "GET /whoami HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
        .expect("the request can be sent");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("the response is text");
    response
}

#[test]
fn serves_until_it_is_dropped() {
    let lab = Lab::start(&[Server::Nginx]);
    let response = whoami(&lab);
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    assert!(response.contains(r#""protocol":"HTTP/1.1""#), "{response}");
    assert!(lab.var("NGINX_TLS_URL").starts_with("https://localhost:"));
    assert!(fs::read_to_string(lab.ca_file()).expect("a file").contains("BEGIN CERTIFICATE"));
    assert!(format!("{lab:?}").contains("NGINX_URL"));

    let traces = Traces::of(&lab);
    assert!(!live_processes_of_session(traces.pid).is_empty());
    drop(lab);
    assert_eq!(traces.remaining(), Vec::<String>::new());
}

#[test]
fn labs_run_side_by_side_and_a_panic_stops_them() {
    let other = Lab::start(&[Server::Nginx]);
    let panic = std::thread::spawn(|| {
        let lab = Lab::start(&[Server::Nginx]);
        std::panic::panic_any(Traces::of(&lab));
    });
    let traces = panic.join().expect_err("it panics").downcast::<Traces>().expect("with traces");
    assert_ne!(traces.port, Traces::of(&other).port);
    assert_eq!(traces.remaining(), Vec::<String>::new());
    assert!(whoami(&other).contains("200 OK"));
}

#[test]
fn the_shared_lab_starts_each_server_once() {
    let labs = [(); 4].map(|()| std::thread::spawn(|| Lab::shared(&[Server::Nginx])));
    for lab in labs {
        let lab = lab.join().expect("it starts");
        assert!(std::ptr::eq(lab, Lab::shared(&[])));
        assert!(whoami(lab).contains("200 OK"));
    }
}

/// Says where the child of the next test writes what it has started.
const REPORT: &str = "BEQUEST_LAB_TEST_REPORT";

#[test]
fn a_killed_process_leaves_nothing() {
    if let Some(report) = env::var_os(REPORT) {
        return run_until_killed(Path::new(&report));
    }
    let report = env::temp_dir().join(format!("bequest-lab-report-{}", process::id()));
    let mut child = Command::new(env::current_exe().expect("this test's path"))
        .args(["--exact", "lab::tests::a_killed_process_leaves_nothing"])
        .env(REPORT, &report)
        .stdout(Stdio::null())
        .spawn()
        .expect("this test runs once more");
    let told = within(Duration::from_secs(30), || fs::read_to_string(&report).ok());
    child.kill().expect("it still runs");
    child.wait().expect("it is dead");
    let told = told.expect("the child has started its lab");
    fs::remove_file(&report).expect("the report can go");

    let [port, pid, state] = told.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{told}") };
    let traces = Traces {
        port: port.parse().expect("a port"),
        state: PathBuf::from(state),
        pid: pid.parse().expect("a pid"),
    };
    within(Duration::from_secs(10), || traces.remaining().is_empty().then_some(()));
    assert_eq!(traces.remaining(), Vec::<String>::new());
}

fn run_until_killed(report: &Path) {
    let traces = Traces::of(Lab::shared(&[Server::Nginx]));
    let draft = report.with_extension("draft");
    fs::write(&draft, format!("{} {} {}", traces.port, traces.pid, traces.state.display()))
        .expect("the report can be written");
    fs::rename(&draft, report).expect("the report can be renamed");
    sleep(Duration::from_secs(60));
}

fn within<T>(time: Duration, mut check: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + time;
    loop {
        let found = check();
        if found.is_some() || Instant::now() > end {
            return found;
        }
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn reads_exports() {
    let got = exports("kit: a remark\nexport A=http://[::1]:1 B=x=y\nexport C=\n");
    let mut got: Vec<_> = got.iter().map(|(name, value)| format!("{name} {value}")).collect();
    got.sort();
    assert_eq!(got, ["A http://[::1]:1", "B x=y", "C "]);
}

#[test]
fn a_failure_names_the_remedy() {
    // a kit with its watchdog and without any server
    let kit = env::temp_dir().join(format!("bequest-lab-kit-{}", process::id()));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kit");
    fs::create_dir(&kit).expect("a new folder");
    for name in ["hold.sh", "lib.sh"] {
        symlink(source.join(name), kit.join(name)).expect("a new link");
    }
    let lab = Lab::open(&kit).expect("the watchdog is there");
    let why = lab.start_all(&[Server::Nginx]).expect_err("there is no nginx.sh");
    drop(lab);
    fs::remove_dir_all(&kit).expect("the folder can go");
    assert!(why.contains("nginx.sh") && why.contains("kit/install.sh"), "{why}");
}
