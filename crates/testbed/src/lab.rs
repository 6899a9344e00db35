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
    /// mitmproxy, a proxy that opens TLS by an authority of its own: `MITM_PROXY`.
    Mitmproxy,
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
    /// Two network namespaces, with addresses that drop and refuse: `NETNS`, the client's, for
    /// `ip netns exec`. Only root can have them.
    Netns,
}

impl Server {
    const COUNT: usize = Self::Netns as usize + 1;

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
            Self::Mitmproxy => ("mitmproxy", "MITM_PROXY"),
            Self::Badserver => ("badserver", "BADSERVER_URL"),
            Self::Badh2 => ("badh2", "BADH2_URL"),
            Self::Badtls => ("badtls", "BADTLS_URL"),
            Self::Faultproxy => ("faultproxy", "FAULT_URL"),
            Self::Haproxy => ("haproxy", "HAPROXY_URL"),
            Self::Netns => ("netns", "NETNS"),
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
mod tests;
