//! Real servers, started by the scripts of the repository's `kit` folder.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::UNIX_EPOCH;
use std::{env, fs};

/// A server, or a group of servers, that one script of the kit starts.
///
/// `kit/README.md` says what each is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Server {
    /// httpbin under gunicorn, over HTTP and HTTPS: `HTTPBIN_URL`.
    Httpbin,
    /// nginx, HTTP and many kinds of HTTPS: `NGINX_URL`.
    Nginx,
    /// Apache, for digest authentication and WebDAV: `APACHE_URL`.
    Apache,
    /// lighttpd, for digest authentication with SHA-256: `LIGHTTPD_URL`.
    Lighttpd,
    /// Caddy, a server written in Go: `CADDY_URL`.
    Caddy,
    /// nghttpd, which speaks HTTP/2 only: `NGHTTPD_URL`.
    Nghttp2,
    /// squid, tinyproxy and stunnel, the HTTP proxies: `SQUID_PROXY`.
    Proxy,
    /// Four SOCKS proxies: `SOCKS5`, an address without a scheme.
    Socks,
    /// Malformed, cut, slow and odd HTTP/1 responses: `BADSERVER_URL`.
    Badserver,
    /// The same over HTTP/2: `BADH2_URL`.
    Badh2,
    /// TLS servers that are wrong for one reason each: `BADTLS_URL`, a good one.
    Badtls,
    /// A TCP proxy before nginx that spoils connections on demand: `FAULT_URL`.
    Faultproxy,
    /// HAProxy before nginx and the bad server: `HAPROXY_URL`.
    Haproxy,
}

impl Server {
    const COUNT: usize = Self::Haproxy as usize + 1;

    /// The script's name, and the variable that [`Lab::url`] answers with.
    const fn script(self) -> (&'static str, &'static str) {
        match self {
            Self::Httpbin => ("httpbin", "HTTPBIN_URL"),
            Self::Nginx => ("nginx", "NGINX_URL"),
            Self::Apache => ("apache", "APACHE_URL"),
            Self::Lighttpd => ("lighttpd", "LIGHTTPD_URL"),
            Self::Caddy => ("caddy", "CADDY_URL"),
            Self::Nghttp2 => ("nghttp2", "NGHTTPD_URL"),
            Self::Proxy => ("proxy", "SQUID_PROXY"),
            Self::Socks => ("socks", "SOCKS5"),
            Self::Badserver => ("badserver", "BADSERVER_URL"),
            Self::Badh2 => ("badh2", "BADH2_URL"),
            Self::Badtls => ("badtls", "BADTLS_URL"),
            Self::Faultproxy => ("faultproxy", "FAULT_URL"),
            Self::Haproxy => ("haproxy", "HAPROXY_URL"),
        }
    }
}

/// The ports of a kit; two kits' first ports differ by at least as many.
const BLOCK: u16 = 200;
/// Where the blocks lie: above 21000, where a kit started by hand listens, and
/// below 32768, where the system starts to give out ports of its own accord.
const BLOCKS: std::ops::Range<u16> = 22_000..32_600;
/// How many blocks are tried when a port turns out to be taken after all.
const ATTEMPTS: usize = 5;

type Variables = HashMap<String, String>;

/// Servers of the kit that run for as long as this value lives.
///
/// They listen on ports nobody else uses, and keep their files in a folder of
/// their own, so that any number of labs can run side by side. They are stopped
/// when the value is dropped, and also when the process ends in any other way: a
/// watchdog process, `kit/hold.sh`, notices that.
///
/// The kit is the repository's `kit` folder, or the folder that the environment
/// variable `BEQUEST_KIT` names.
///
/// ```no_run
/// use testbed::{Lab, Server};
///
/// let lab = Lab::start(&[Server::Httpbin, Server::Nginx]);
/// println!("{}/get", lab.url(Server::Httpbin));
/// println!("{} is trusted by {}", lab.var("NGINX_TLS_URL"), lab.ca_file().display());
/// ```
pub struct Lab {
    base: u16,
    state: PathBuf,
    ca: PathBuf,
    /// By server; a failure is kept too, so that it isn't waited for again.
    started: [OnceLock<Result<Variables, String>>; Server::COUNT],
    watchdog: Mutex<Watchdog>,
}

impl Lab {
    /// Starts these servers, in this order, and waits until each of them answers.
    ///
    /// # Panics
    ///
    /// When a server doesn't start: with what its script printed.
    #[track_caller]
    pub fn start(servers: &[Server]) -> Self {
        match Self::try_start(servers) {
            Ok(lab) => lab,
            Err(why) => panic!("{why}"),
        }
    }

    /// The lab that all tests of this process share, with at least these servers.
    ///
    /// Each server is started when it is first asked for. All are stopped when the
    /// process ends.
    ///
    /// # Panics
    ///
    /// As [`Lab::start`].
    #[track_caller]
    pub fn shared(servers: &[Server]) -> &'static Self {
        static SHARED: OnceLock<Result<Lab, String>> = OnceLock::new();
        let ready = match SHARED.get_or_init(|| Self::try_start(servers)) {
            Ok(lab) => lab.start_all(servers).map(|()| lab),
            Err(why) => Err(why.clone()),
        };
        match ready {
            Ok(lab) => lab,
            Err(why) => panic!("{why}"),
        }
    }

    /// Where a server is: its plain HTTP URL where it has one, without a slash at the end.
    ///
    /// # Panics
    ///
    /// When this lab hasn't started the server.
    #[track_caller]
    pub fn url(&self, server: Server) -> &str {
        self.var(server.script().1)
    }

    /// A variable that the scripts of the started servers export, such as `NGINX_TLS_URL`.
    ///
    /// # Panics
    ///
    /// When none of them exports it.
    #[track_caller]
    pub fn var(&self, name: &str) -> &str {
        match self.variables().find_map(|known| known.get(name)) {
            Some(value) => value,
            None => {
                let known: Vec<_> = self.variables().flat_map(HashMap::keys).collect();
                panic!("no started server exports {name}; known: {known:?}")
            }
        }
    }

    /// The certificate, in PEM, to trust for every HTTPS server of the lab.
    pub fn ca_file(&self) -> &Path {
        &self.ca
    }

    /// The folder of this lab's own: logs are in `log`, certificates in `certs`.
    pub fn state_dir(&self) -> &Path {
        &self.state
    }

    fn variables(&self) -> impl Iterator<Item = &Variables> {
        self.started.iter().filter_map(|slot| slot.get()?.as_ref().ok())
    }

    fn try_start(servers: &[Server]) -> Result<Self, String> {
        let kit = env::var_os("BEQUEST_KIT")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kit"), PathBuf::from);
        let mut last = String::new();
        for _ in 0..ATTEMPTS {
            let lab = Self::open(&kit)?;
            match lab.start_all(servers) {
                Ok(()) => return Ok(lab),
                Err(why) if tells_of_taken_port(&why) => last = why,
                Err(why) => return Err(why),
            }
        }
        Err(last)
    }

    /// A lab without servers, on a block of ports that are all free.
    fn open(kit: &Path) -> Result<Self, String> {
        static SERIAL: AtomicUsize = AtomicUsize::new(0);
        let blocks = usize::from((BLOCKS.end - BLOCKS.start) / BLOCK);
        for _ in 0..blocks {
            // Processes that start together begin their search in different places.
            let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
            let block = (process::id() as usize * 7 + serial) % blocks;
            let base = BLOCKS.start + BLOCK * u16::try_from(block).expect("there are fewer blocks");
            // A name that no earlier process of this number can have left behind.
            let now = UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos());
            let name = format!("bequest-lab-{}-{serial}-{now}", process::id());
            let state = env::temp_dir().join(name);
            let Some(watchdog) = Watchdog::new(kit, base, &state)? else {
                continue;
            };
            if (base..base + BLOCK).all(is_free) {
                return Ok(Self {
                    base,
                    ca: state.join("certs/ca.pem"),
                    state,
                    started: [const { OnceLock::new() }; Server::COUNT],
                    watchdog: Mutex::new(watchdog),
                });
            }
        }
        Err(format!("no {BLOCK} free ports in a row between {BLOCKS:?}"))
    }

    fn start_all(&self, servers: &[Server]) -> Result<(), String> {
        servers.iter().try_for_each(|server| {
            let slot = &self.started[*server as usize];
            let outcome = match slot.get() {
                Some(outcome) => outcome,
                None => {
                    // Whoever waited for the lock may find the server started.
                    let mut watchdog = self.watchdog.lock().unwrap_or_else(PoisonError::into_inner);
                    slot.get_or_init(|| watchdog.start(server.script().0, &self.state))
                }
            };
            outcome.as_ref().map(|_| ()).map_err(String::clone)
        })
    }
}

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab")
            .field("base", &self.base)
            .field("state", &self.state)
            .field("started", &self.started)
            .finish_non_exhaustive()
    }
}

/// The process that starts the servers and stops them: `kit/hold.sh`.
///
/// It does the latter when its standard input ends, which the system sees to even
/// where this process is killed.
struct Watchdog {
    child: Child,
    /// Only [`Drop`] takes it.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Watchdog {
    /// A watchdog that owns a block of ports; none when another one has it.
    fn new(kit: &Path, base: u16, state: &Path) -> Result<Option<Self>, String> {
        let script = kit.join("hold.sh");
        let mut child = Command::new(&script)
            .env("KIT_BASE", base.to_string())
            .env("KIT_STATE", state)
            .env_remove("GUNICORN_CMD_ARGS")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C at a terminal ends the tests, but not what cleans up.
            .process_group(0)
            .spawn()
            .map_err(|why| format!("{} can't be run: {why}", script.display()))?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let mut errors = child.stderr.take().expect("it is a pipe");
        let mut watchdog = Self { child, input, output };
        match watchdog.answer().as_deref() {
            Ok("ready") => Ok(Some(watchdog)),
            Ok("taken") => Ok(None),
            other => {
                drop(watchdog);
                let mut text = String::new();
                let _ = errors.read_to_string(&mut text);
                Err(format!("{} failed ({other:?}): {text}", script.display()))
            }
        }
    }

    fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        line.truncate(line.trim_end().len());
        Ok(line)
    }

    /// Has a script start its servers; what it exports, or what it complained of.
    fn start(&mut self, script: &str, state: &Path) -> Result<Variables, String> {
        let input = self.input.as_mut().expect("only `drop` takes it");
        let answer = writeln!(input, "{script}").and_then(|()| self.answer());
        let read = |end| fs::read_to_string(state.join(format!("{script}.{end}")));
        let output = read("out").unwrap_or_default();
        if matches!(answer.as_deref(), Ok("ok")) {
            return Ok(exports(&output));
        }
        let errors = read("err").unwrap_or_else(|why| why.to_string());
        let answer = answer.unwrap_or_else(|why| why.to_string());
        Err(format!(
            "the kit's {script} did not start ({answer}):\n{errors}{output}\
             `kit/install.sh` installs the servers that the tests need"
        ))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The variables in lines such as `export A=1 B=2`.
fn exports(output: &str) -> Variables {
    output
        .lines()
        .filter_map(|line| line.strip_prefix("export "))
        .flat_map(str::split_whitespace)
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Whether somebody took a port after it had been found free.
fn tells_of_taken_port(output: &str) -> bool {
    let output = output.to_ascii_lowercase();
    ["is taken", "already in use", "connection in use"].iter().any(|sign| output.contains(sign))
}

fn is_free(port: u16) -> bool {
    let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port));
    // Any other failure on ::1 means that the machine has no IPv6.
    let v6_taken = v6.is_err_and(|why| why.kind() == io::ErrorKind::AddrInUse);
    !v6_taken && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
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
        let traces =
            panic.join().expect_err("it panics").downcast::<Traces>().expect("with traces");
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

        let [port, pid, state] = told.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            panic!("{told}")
        };
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
}
