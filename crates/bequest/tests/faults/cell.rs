//! One cell of a table: a request that meets a fault, and what it ends with.

use std::fmt;
use std::io::Read as _;
use std::mem::discriminant;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bequest::{Body, Bytes, Error, ErrorKind, Phase, Proxies, Request, Timeout};
use testbed::{Authority, Handshake, RawServer, Script};

use super::support::{Client, Door, Reply, full, get, post, until};
use super::tables::Row;

const LIMIT: Duration = Duration::from_millis(300);
const TOTAL: Duration = Duration::from_millis(600);
const SOON: Duration = Duration::from_millis(1500);

const LARGE: usize = 16 << 20;
const SMALL: usize = 64 << 10;

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Which request it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Asks {
    Get,
    PostBytes,
    PostReader,
    Download,
}

const ALL: [Asks; 4] = [Asks::Get, Asks::PostBytes, Asks::PostReader, Asks::Download];

/// By which way, and which protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Over {
    Tcp,
    Tls,
    /// A proxy is asked for an http URL.
    Forwarded,
    /// TLS in a proxy's tunnel.
    Tunnelled,
    /// The same, to a proxy that speaks TLS itself.
    Secure,
    Socks,
}

impl Over {
    /// Whether the server speaks TLS.
    fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::Tunnelled | Self::Secure)
    }

    fn proxies(self, address: SocketAddr, authority: &Authority) -> Proxies {
        let all = |url: String| Proxies::new().all(url).unwrap();
        match self {
            Self::Tcp | Self::Tls => Proxies::none(),
            Self::Forwarded | Self::Tunnelled => all(format!("http://{address}")),
            Self::Secure => {
                all(format!("https://localhost:{}", address.port())).verify(authority.ca_file())
            }
            Self::Socks => all(format!("socks5://{address}")),
        }
    }
}

/// How a proxy says that the way is open.
const PASS: &str = "HTTP/1.1 200 OK\r\n\r\n";
const SOCKS_METHOD: [u8; 2] = [5, 0];
const SOCKS_PASS: [u8; 10] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    Fails(ErrorKind, Phase),
    /// The request succeeds on a second connection.
    Anew,
    /// There is no such thing.
    Never,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fails(kind, Phase::Connect(_)) => write!(f, "`{kind:?}` in Connect"),
            Self::Fails(kind, phase) => write!(f, "`{kind:?}` in {phase:?}"),
            Self::Anew => f.write_str("200, by a new connection"),
            Self::Never => f.write_str("–"),
        }
    }
}

/// What a server needs to know to play a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) asks: Asks,
    pub(crate) over: Over,
    /// How long the request's body is.
    pub(crate) length: usize,
}

impl Part {
    /// A proxy has been asked for the way, or greeted.
    pub(crate) fn asked(self) -> Script {
        match self.over {
            Over::Secure => Script::new().tls(Handshake::whole()).read_head(),
            Over::Socks => Script::new().read_body(3),
            _ => Script::new().read_head(),
        }
    }

    /// A SOCKS proxy has been told where to.
    pub(crate) fn greeted(self) -> Script {
        self.asked().send(SOCKS_METHOD).read_body(10)
    }

    /// The way to the server is open.
    pub(crate) fn way(self) -> Script {
        match self.over {
            Over::Tcp | Over::Tls | Over::Forwarded => Script::new(),
            Over::Tunnelled | Over::Secure => self.asked().send(PASS),
            Over::Socks => self.greeted().send(SOCKS_PASS),
        }
    }

    /// What the script has sent for that.
    fn sent_before(self) -> usize {
        match self.over {
            Over::Tcp | Over::Tls | Over::Forwarded => 0,
            Over::Tunnelled | Over::Secure => PASS.len(),
            Over::Socks => SOCKS_METHOD.len() + SOCKS_PASS.len(),
        }
    }

    /// A connection is made.
    pub(crate) fn open(self) -> Script {
        match self.over.is_tls() {
            false => self.way(),
            true => self.way().tls(Handshake::whole()),
        }
    }

    /// The request's head has been read.
    pub(crate) fn head(self) -> Script {
        self.open().read_head()
    }

    /// The whole request has been read.
    pub(crate) fn whole(self) -> Script {
        self.head().read_body(self.length)
    }

    /// A request before this one has been answered.
    pub(crate) fn used(self) -> Script {
        self.head().send(OK)
    }
}

/// A row, for one of the requests.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'a> {
    row: &'a Row,
    part: Part,
    outcome: Outcome,
}

impl<'a> Cell<'a> {
    pub(crate) fn all(rows: &'a [Row]) -> impl Iterator<Item = Self> {
        rows.iter().flat_map(|row| {
            let cells = ALL.into_iter().zip(row.outcomes);
            cells.flat_map(move |(asks, outcome)| {
                row.over.iter().filter_map(move |&over| Self::new(row, asks, over, outcome))
            })
        })
    }

    fn new(row: &'a Row, asks: Asks, over: Over, outcome: Outcome) -> Option<Self> {
        let length = match asks {
            Asks::Get | Asks::Download => 0,
            _ if row.meets_the_body() => LARGE,
            _ => SMALL,
        };
        let part = Part { asks, over, length };
        (outcome != Outcome::Never).then_some(Self { row, part, outcome })
    }

    /// Whether it is over without waiting for a timeout, and is about no large body.
    pub(crate) fn is_quick(&self) -> bool {
        use ErrorKind::{ConnectTimeout, Deadline, ReadTimeout, WriteTimeout};
        let timeouts = [ConnectTimeout, Deadline, ReadTimeout, WriteTimeout];
        let waits = matches!(self.outcome, Outcome::Fails(kind, _) if timeouts.contains(&kind));
        !waits && self.part.length != LARGE
    }

    /// What is wrong, in an error.
    pub(crate) fn play(&self, door: Door, authority: &Authority) -> Result<(), String> {
        let name = format!(
            "{}, {}, {:?} over {:?}",
            self.row.place, self.row.fault, self.part.asks, self.part.over
        );
        self.try_play(door, authority).map_err(|wrong| format!("{name}: {wrong}"))
    }

    fn try_play(&self, door: Door, authority: &Authority) -> Result<(), String> {
        let Some(fault) = self.row.play else { return self.connect(door, authority) };
        let answers = Script::new().read_head().send(OK);
        let then = match self.outcome {
            Outcome::Anew => self.part.whole().send(OK).forever(answers),
            _ => self.part.open().forever(answers),
        };
        let server = RawServer::certified(authority, vec![fault(self.part), then]);
        let url = match self.part.over {
            over if over.is_tls() => server.https_url("/"),
            Over::Forwarded => "http://origin.test/".to_owned(),
            _ => server.url("/"),
        };
        let client = self.client(door, server.addr(), authority);
        if self.row.is_kept() {
            fetch(&client, get(&url)).map_err(|error| format!("the first request: {error}"))?;
            self.idle(&server);
        }
        self.judge(&client, self.request(&url))?;
        match fetch(&client, get(&url)) {
            Ok(2) => {}
            other => return Err(format!("the next request: {other:?}")),
        }
        if server.connections() != 2 {
            return Err(format!("{} connections", server.connections()));
        }
        self.count_posts(&server)
    }

    /// Waits until the fault of an idle connection is there, and is looked for.
    fn idle(&self, server: &RawServer) {
        match (self.row.place, self.row.fault) {
            ("idle", "reset" | "truncate") => until("it is closed", || server.closed() == 1),
            ("idle", "drip") => {
                let before = self.part.sent_before() + OK.len();
                until("something is sent", || server.sent() > before);
            }
            _ => {}
        }
        let start = Instant::now();
        until("it has idled", || start.elapsed() > Duration::from_millis(10));
    }

    /// A POST arrives once at most, and where it succeeds.
    fn count_posts(&self, server: &RawServer) -> Result<(), String> {
        let posts = (0..server.connections())
            .map(|at| String::from_utf8_lossy(&server.received(at)).matches("POST ").count());
        let count: usize = posts.sum();
        let is_post = matches!(self.part.asks, Asks::PostBytes | Asks::PostReader);
        let least = usize::from(is_post && self.outcome == Outcome::Anew);
        match count {
            _ if !is_post && count > 0 => Err(format!("{count} POSTs")),
            _ if (least..=1).contains(&count) => Ok(()),
            _ => Err(format!("the POST arrived {count} times")),
        }
    }

    /// There is no server.
    fn connect(&self, door: Door, authority: &Authority) -> Result<(), String> {
        let (refused, full) = (full::refused(), full::listener());
        let address = if self.row.fault == "refuse" { refused.0 } else { full.0 };
        let scheme = if self.part.over.is_tls() { "https" } else { "http" };
        let client = self.client(door, address, authority);
        self.judge(&client, self.request(&format!("{scheme}://{address}/")))
    }

    fn request(&self, url: &str) -> Request {
        let length = self.part.length;
        let request = match self.part.asks {
            Asks::Get => get(url),
            Asks::PostBytes => post(url).body(Bytes::from(vec![b'x'; length])),
            Asks::PostReader => {
                let reader = std::io::repeat(b'x').take(length as u64);
                post(url).body(Body::reader(reader).with_length(length as u64))
            }
            Asks::Download => get(url).stream(true),
        };
        match self.outcome {
            Outcome::Fails(ErrorKind::Deadline, _) => {
                request.timeout(Timeout::from(LIMIT).total(TOTAL))
            }
            _ => request,
        }
    }

    fn client(&self, door: Door, address: SocketAddr, authority: &Authority) -> Client {
        let mut client = door.session();
        *client.timeout() = LIMIT.into();
        *client.verify() = authority.ca_file().into();
        *client.proxies() = self.part.over.proxies(address, authority);
        client
    }

    fn judge(&self, client: &Client, request: Request) -> Result<(), String> {
        let start = Instant::now();
        let result = fetch(client, request);
        let elapsed = start.elapsed();
        if elapsed > SOON {
            return Err(format!("{result:?} after {elapsed:?}"));
        }
        match (result, self.outcome) {
            (Ok(2), Outcome::Anew) => Ok(()),
            (Err(error), Outcome::Fails(kind, phase)) if is(&error, kind, phase) => {
                let least = match kind {
                    _ if !error.is_timeout() => Duration::ZERO,
                    ErrorKind::Deadline => TOTAL,
                    _ => LIMIT,
                };
                match elapsed < least {
                    true => Err(format!("{error} after {elapsed:?}, too early")),
                    false => Ok(()),
                }
            }
            (Err(error), _) => Err(format!(
                "{:?} in {:?}: {error}, not {}",
                error.kind(),
                error.phase(),
                self.outcome
            )),
            (Ok(length), _) => Err(format!("{length} bytes, not {}", self.outcome)),
        }
    }
}

fn is(error: &Error, kind: ErrorKind, phase: Phase) -> bool {
    let same = |found: Phase| discriminant(&found) == discriminant(&phase);
    error.kind() == kind && error.phase().is_some_and(same)
}

/// The length of the body, read in pieces if it is streamed.
fn fetch(client: &Client, request: Request) -> Result<usize, Error> {
    let reply = client.send(request)?;
    assert_eq!(reply.status(), 200);
    match reply {
        Reply::Blocking(response) if response.content_length() != Some(2) => {
            response.iter_content(1000).map(|piece| piece.map(|piece| piece.len())).sum()
        }
        reply => reply.content().map(|content| content.len()),
    }
}
