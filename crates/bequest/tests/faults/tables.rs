//! The tables of docs/faults.md, and what a server does in each row.

use std::io::Write as _;
use std::time::Duration;

use bequest::ErrorKind::{
    ChunkedEncoding, Connect, ConnectTimeout, ContentDecoding, Deadline, Disconnected,
    IncompleteBody, InvalidResponse, Proxy, ReadTimeout, Tls, WriteTimeout,
};
use bequest::Phase;
use testbed::{Handshake, Script};

use super::cell::{OK, Outcome, Over, Part};

/// A fault at a place, and what each of the four requests ends with.
pub(crate) struct Row {
    pub(crate) place: &'static str,
    pub(crate) fault: &'static str,
    pub(crate) outcomes: [Outcome; 4],
    pub(crate) over: &'static [Over],
    /// What the first connection meets; none without a server.
    pub(crate) play: Option<fn(Part) -> Script>,
}

impl Row {
    /// Whether the connection has carried a request before.
    pub(crate) fn is_kept(&self) -> bool {
        self.place == "idle" || self.place.starts_with("kept")
    }

    /// Whether the fault comes while the body is being sent, so that it has to be a large one.
    pub(crate) fn meets_the_body(&self) -> bool {
        let places = ["head sent", "body half sent", "kept"];
        places.contains(&self.place) || (self.place, self.fault) == ("idle", "stall")
    }
}

type Play = fn(Part) -> Script;
type Rows = &'static [Row];

/// Directly, and through proxies.
const ALL: &[Over] =
    &[Over::Tcp, Over::Tls, Over::Forwarded, Over::Tunnelled, Over::Secure, Over::Socks];
const DIRECT: &[Over] = &[Over::Tcp, Over::Tls];
const TLS: &[Over] = &[Over::Tls, Over::Tunnelled];
const PROXIES: &[Over] = &[Over::Forwarded, Over::Tunnelled, Over::Secure, Over::Socks];
const SECURE: &[Over] = &[Over::Secure];
const TUNNELS: &[Over] = &[Over::Tunnelled, Over::Secure];
const SOCKS: &[Over] = &[Over::Socks];

const fn row(place: &'static str, fault: &'static str, play: Play, outcomes: [Outcome; 4]) -> Row {
    Row { place, fault, outcomes, over: ALL, play: Some(play) }
}

const fn tls(place: &'static str, fault: &'static str, play: Play, outcome: Outcome) -> Row {
    Row { place, fault, outcomes: [outcome; 4], over: TLS, play: Some(play) }
}

const fn way(
    place: &'static str,
    over: &'static [Over],
    fault: &'static str,
    play: Play,
    outcome: Outcome,
) -> Row {
    Row { place, fault, outcomes: [outcome; 4], over, play: Some(play) }
}

const fn connect(
    place: &'static str,
    over: &'static [Over],
    fault: &'static str,
    outcome: Outcome,
) -> Row {
    Row { place, fault, outcomes: [outcome; 4], over, play: None }
}

const fn fails(kind: bequest::ErrorKind, phase: Phase) -> Outcome {
    Outcome::Fails(kind, phase)
}

const NO_CONNECTION: Outcome = fails(Connect, Phase::Connect(None));
const NO_ANSWER: Outcome = fails(ConnectTimeout, Phase::Connect(None));
const NO_TLS: Outcome = fails(Tls, Phase::Tls);
const NO_TLS_IN_TIME: Outcome = fails(ConnectTimeout, Phase::Tls);
const NO_PROXY: Outcome = fails(Proxy, Phase::Connect(None));
const NO_PROXY_TLS: Outcome = fails(Proxy, Phase::Tls);
const NO_WAY: Outcome = fails(Proxy, Phase::Proxy);
const NO_WAY_IN_TIME: Outcome = fails(ConnectTimeout, Phase::Proxy);
const LOST_SENDING: Outcome = fails(Disconnected, Phase::Send);
const LOST: Outcome = fails(Disconnected, Phase::Wait);
const SILENT_SENDING: Outcome = fails(WriteTimeout, Phase::Send);
const SILENT: Outcome = fails(ReadTimeout, Phase::Wait);
const LATE_SENDING: Outcome = fails(Deadline, Phase::Send);
const LATE: Outcome = fails(Deadline, Phase::Wait);
const WRONG: Outcome = fails(InvalidResponse, Phase::Wait);
const BODY_LOST: Outcome = fails(IncompleteBody, Phase::Body);
const BODY_SILENT: Outcome = fails(ReadTimeout, Phase::Body);
const BODY_LATE: Outcome = fails(Deadline, Phase::Body);
const NO_CHUNK: Outcome = fails(ChunkedEncoding, Phase::Body);
const NO_CODING: Outcome = fails(ContentDecoding, Phase::Body);
const ANEW: Outcome = Outcome::Anew;
const NEVER: Outcome = Outcome::Never;

/// One outcome with something to send, another without.
const fn sending(body: Outcome, none: Outcome) -> [Outcome; 4] {
    [none, body, body, none]
}

/// By their headings in the document.
pub(crate) const TABLES: &[(&str, Rows)] = &[
    ("Connecting", CONNECTING),
    ("The TLS handshake", HANDSHAKE),
    ("Through a proxy", PROXY),
    ("On a new connection", NEW),
    ("On a connection that was used before", USED),
    ("Within TLS", WITHIN_TLS),
];

const CONNECTING: Rows = &[
    connect("connect", DIRECT, "refuse", NO_CONNECTION),
    connect("connect", DIRECT, "drop", NO_ANSWER),
];

const HANDSHAKE: Rows = &[
    tls("TLS handshake, begun", "reset", |p| cut(p.way(), 0).reset(), NO_TLS),
    tls("TLS handshake, begun", "stall", |p| cut(p.way(), 0).stall(), NO_TLS_IN_TIME),
    tls("TLS handshake, begun", "truncate", |p| cut(p.way(), 0).close(), NO_TLS),
    tls("TLS handshake, half way", "reset", |p| cut(p.way(), HALF).reset(), NO_TLS),
    tls("TLS handshake, half way", "stall", |p| cut(p.way(), HALF).stall(), NO_TLS_IN_TIME),
    tls("TLS handshake, half way", "truncate", |p| cut(p.way(), HALF).close(), NO_TLS),
    tls("TLS handshake, half way", "drip", |p| drips(p.way()), NO_TLS_IN_TIME),
    tls("TLS handshake, the first byte", "corrupt", |p| flips(p.way(), 0), NO_TLS),
    tls("TLS handshake, the server's random", "corrupt", |p| flips(p.way(), 20), NO_TLS),
    tls("TLS handshake, its encrypted part", "corrupt", |p| flips(p.way(), HALF), NO_TLS),
];

const TO_PROXY: &str = "TLS handshake with the proxy";
const ASKED: &str = "CONNECT sent";
const ANSWER: &str = "answer to CONNECT";
const GREETED: &str = "SOCKS greeting sent";
const REPLY: &str = "answer to the SOCKS request";
const IN_TUNNEL: &str = "TLS handshake in the tunnel";

const PROXY: Rows = &[
    connect("connect to the proxy", PROXIES, "refuse", NO_PROXY),
    connect("connect to the proxy", PROXIES, "drop", NO_ANSWER),
    way(TO_PROXY, SECURE, "reset", |_| cut(Script::new(), HALF).reset(), NO_PROXY_TLS),
    way(TO_PROXY, SECURE, "stall", |_| cut(Script::new(), HALF).stall(), NO_TLS_IN_TIME),
    way(TO_PROXY, SECURE, "truncate", |_| cut(Script::new(), HALF).close(), NO_PROXY_TLS),
    way(TO_PROXY, SECURE, "drip", |_| drips(Script::new()), NO_TLS_IN_TIME),
    way(TO_PROXY, SECURE, "corrupt", |_| flips(Script::new(), HALF), NO_PROXY_TLS),
    way(ASKED, TUNNELS, "reset", |p| p.asked().reset(), NO_WAY),
    way(ASKED, TUNNELS, "stall", |p| p.asked().stall(), NO_WAY_IN_TIME),
    way(ASKED, TUNNELS, "truncate", |p| p.asked().close(), NO_WAY),
    way(ANSWER, TUNNELS, "reset", |p| p.asked().send(HEAD).reset(), NO_WAY),
    way(ANSWER, TUNNELS, "stall", |p| p.asked().send(HEAD).stall(), NO_WAY_IN_TIME),
    way(ANSWER, TUNNELS, "truncate", |p| p.asked().send(HEAD).close(), NO_WAY),
    way(ANSWER, TUNNELS, "drip", |p| drop_by_drop(p.asked(), HEAD, b"X: y\r\n"), NO_WAY_IN_TIME),
    way(ANSWER, TUNNELS, "corrupt", |p| p.asked().send(BAD_HEAD).wait_close(), NO_WAY),
    way(GREETED, SOCKS, "reset", |p| p.asked().reset(), NO_WAY),
    way(GREETED, SOCKS, "stall", |p| p.asked().stall(), NO_WAY_IN_TIME),
    way(GREETED, SOCKS, "truncate", |p| p.asked().close(), NO_WAY),
    way(REPLY, SOCKS, "reset", |p| half_passed(p).reset(), NO_WAY),
    way(REPLY, SOCKS, "stall", |p| half_passed(p).stall(), NO_WAY_IN_TIME),
    way(REPLY, SOCKS, "truncate", |p| half_passed(p).close(), NO_WAY),
    way(
        REPLY,
        SOCKS,
        "drip",
        |p| half_passed(p).drip([1, 0, 0, 0, 0, 0, 0], ms(60)),
        NO_WAY_IN_TIME,
    ),
    way(REPLY, SOCKS, "corrupt", |p| p.greeted().send(b"HTTP/1.1 400").wait_close(), NO_WAY),
    way(IN_TUNNEL, TUNNELS, "reset", |p| cut(p.way(), HALF).reset(), NO_TLS),
    way(IN_TUNNEL, TUNNELS, "stall", |p| cut(p.way(), HALF).stall(), NO_TLS_IN_TIME),
    way(IN_TUNNEL, TUNNELS, "truncate", |p| cut(p.way(), HALF).close(), NO_TLS),
    way(IN_TUNNEL, TUNNELS, "drip", |p| drips(p.way()), NO_TLS_IN_TIME),
    way(IN_TUNNEL, TUNNELS, "corrupt", |p| flips(p.way(), HALF), NO_TLS),
];

const NEW: Rows = &[
    row("head sent", "reset", |p| p.head().reset(), sending(LOST_SENDING, LOST)),
    row("head sent", "stall", |p| p.head().stall(), sending(SILENT_SENDING, SILENT)),
    row("head sent", "truncate", |p| p.head().close(), sending(LOST_SENDING, LOST)),
    row("head sent", "drip", |p| sips(p.head()), sending(LATE_SENDING, SILENT)),
    row("body half sent", "reset", |p| half(p).reset(), sending(LOST_SENDING, NEVER)),
    row("body half sent", "stall", |p| half(p).stall(), sending(SILENT_SENDING, NEVER)),
    row("body half sent", "truncate", |p| half(p).close(), sending(LOST_SENDING, NEVER)),
    row("body half sent", "drip", |p| sips(half(p)), sending(LATE_SENDING, NEVER)),
    row("response head", "reset", |p| p.whole().send(HEAD).reset(), [LOST; 4]),
    row("response head", "stall", |p| p.whole().send(HEAD).stall(), [SILENT; 4]),
    row("response head", "truncate", |p| p.whole().send(HEAD).close(), [LOST; 4]),
    row("response head", "drip", |p| drop_by_drop(p.whole(), HEAD, b"X: y\r\n"), [LATE; 4]),
    row("response head", "corrupt", |p| p.whole().send(BAD_HEAD).wait_close(), [WRONG; 4]),
    row("response body", "reset", |p| p.whole().send(BODY).reset(), [BODY_LOST; 4]),
    row("response body", "stall", |p| p.whole().send(BODY).stall(), [BODY_SILENT; 4]),
    row("response body", "truncate", |p| p.whole().send(BODY).close(), [BODY_LOST; 4]),
    row("response body", "drip", |p| drop_by_drop(p.whole(), BODY, b"x"), [BODY_LATE; 4]),
    row("chunk", "reset", |p| p.whole().send(CHUNK).reset(), [BODY_LOST; 4]),
    row("chunk", "stall", |p| p.whole().send(CHUNK).stall(), [BODY_SILENT; 4]),
    row("chunk", "truncate", |p| p.whole().send(CHUNK).close(), [BODY_LOST; 4]),
    row("chunk", "drip", |p| drop_by_drop(p.whole(), CHUNK, b"1\r\nx\r\n"), [BODY_LATE; 4]),
    row("chunk size", "corrupt", |p| p.whole().send(BAD_SIZE).wait_close(), [NO_CHUNK; 4]),
    row("coded body", "truncate", |p| p.whole().send(coded(true)).close(), [NO_CODING; 4]),
    row("coded body", "corrupt", |p| p.whole().send(coded(false)).close(), [NO_CODING; 4]),
    row("body until close", "reset", |p| p.whole().send(ENDLESS).reset(), [BODY_LOST; 4]),
    row("body until close", "stall", |p| p.whole().send(ENDLESS).stall(), [BODY_SILENT; 4]),
    row("body until close", "drip", |p| drop_by_drop(p.whole(), ENDLESS, b"x"), [BODY_LATE; 4]),
];

const USED: Rows = &[
    row("idle", "reset", |p| p.used().reset(), [ANEW; 4]),
    row("idle", "stall", |p| p.used().stall(), sending(SILENT_SENDING, SILENT)),
    row("idle", "truncate", |p| p.used().close(), [ANEW; 4]),
    row("idle", "drip", |p| p.used().drip(OK, ms(5)).wait_close(), [ANEW; 4]),
    row("kept", "reset", |p| p.used().read_head().reset(), sending(LOST_SENDING, ANEW)),
    row("kept", "stall", |p| p.used().read_head().stall(), sending(SILENT_SENDING, SILENT)),
    row("kept", "truncate", |p| p.used().read_head().close(), sending(LOST_SENDING, ANEW)),
    row("kept, a byte of the answer there", "truncate", |p| half_answered(p).close(), [LOST; 4]),
];

const WITHIN_TLS: Rows = &[
    tls("response head, TLS", "truncate", |p| p.whole().send(HEAD).cut(), LOST),
    tls("response body, TLS", "truncate", |p| p.whole().send(BODY).cut(), BODY_LOST),
    tls("body until close, TLS", "truncate", |p| p.whole().send(ENDLESS).cut(), BODY_LOST),
    tls("response head, TLS record", "corrupt", |p| spoils(p.whole()), LOST),
    tls("response body, TLS record", "corrupt", |p| spoils(begun(p)), BODY_LOST),
];

const HEAD: &str = "HTTP/1.1 200 OK\r\nX: y\r\n";
const BAD_HEAD: &str = "HTTP/1.1 200 OK\r\nX\0: y\r\nContent-Length: 2\r\n\r\nok";
const BODY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\npart";
const CHUNK: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n";
const BAD_SIZE: &str =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n!\r\npart\r\n0\r\n\r\n";
const ENDLESS: &str = "HTTP/1.1 200 OK\r\n\r\npart";

/// Within what a server sends in a handshake, behind its ServerHello.
const HALF: usize = 400;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn cut(way: Script, at: usize) -> Script {
    way.tls(Handshake::cut_at(at))
}

fn flips(way: Script, at: usize) -> Script {
    way.tls(Handshake::flipped_at(at)).wait_close()
}

fn drips(way: Script) -> Script {
    way.tls(Handshake::dripped_at(HALF, ms(20)))
}

/// A SOCKS proxy has begun to answer.
fn half_passed(part: Part) -> Script {
    part.greeted().send([5, 0, 0])
}

fn half(part: Part) -> Script {
    part.head().read_body(1 << 20)
}

/// Reads on, slowly.
fn sips(script: Script) -> Script {
    script.forever(Script::new().sleep(ms(20)).read_body(64 << 10))
}

fn drop_by_drop(script: Script, start: &str, each: &[u8]) -> Script {
    script.send(start).forever(Script::new().sleep(ms(20)).send(each))
}

fn half_answered(part: Part) -> Script {
    part.used().read_head().read_body(part.length).send("H")
}

fn spoils(script: Script) -> Script {
    script.send_spoiled(OK).wait_close()
}

/// The head is with the client, most likely: a record that came with a wrong one counts for nothing.
fn begun(part: Part) -> Script {
    part.whole().send(BODY).sleep(ms(100))
}

/// A body in gzip that lacks its end, or of which a bit is wrong.
fn coded(is_short: bool) -> Vec<u8> {
    let text: String = (0..10_000).map(|number| format!("{number} ")).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let mut body = encoder.finish().unwrap();
    let middle = body.len() / 2;
    match is_short {
        true => body.truncate(middle),
        false => body[middle] ^= 1,
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ";
    [format!("{head}{}\r\n\r\n", body.len()).into_bytes(), body].concat()
}
