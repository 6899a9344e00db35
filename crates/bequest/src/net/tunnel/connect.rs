//! CONNECT: a tunnel through an HTTP proxy (RFC 9110, section 9.3.6).

use std::io;

use http::{Method, StatusCode};

use super::{Gate, Refusal, approach, fill, write};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::h1::{
    self, ChunkStep, ChunkedDecoder, Framing, HeadReader, Limits, ResponseHead, frame_response,
};
use crate::headers::Headers;
use crate::net::buffer::Buffer;
use crate::net::dial::{Dialing, Undialed, timed_out};
use crate::net::pool::Origin;
use crate::net::proxy_server::{ProxyRequest, ProxyServer};
use crate::net::route::Route;
use crate::net::stream::Stream;
use crate::reactor::with_deadline;

/// The most that is kept of what a proxy says when it refuses.
const MOST_SAID: usize = 64 * 1024;

/// So much of a reason phrase is shown.
const MOST_SHOWN: usize = 80;

/// Has an HTTP proxy open a tunnel, and tells it who we are if it asks.
pub(super) async fn connect(
    origin: Origin<'_>,
    route: Route<'_>,
    dialing: &mut Dialing<'_>,
) -> Result<Gate, Undialed> {
    let proxy = &**route.proxy;
    let target = format!("{}:{}", origin.host, origin.port);
    let mut request =
        ProxyRequest { server: proxy, method: "CONNECT", target: &target, answered: 0 };
    let mut field = match &proxy.proof {
        Some(proof) => proof.at_once(&request)?,
        None => None,
    };
    let mut kept: Option<Gate> = None;
    loop {
        // What can't be sent is not worth a connection.
        let head = request_head(proxy, &target, field.as_deref())?;
        let mut gate = match kept.take() {
            Some(gate) => gate,
            None => approach(route, dialing).await?,
        };
        let asked = with_deadline(dialing.deadline, ask(&mut gate.stream, &head)).await;
        let answer = match asked {
            None => return Err(timed_out(Phase::Proxy).of_proxy(proxy).into()),
            // It has said that it would stay, and did not.
            Some(Err(Lost { answered: false, .. })) if gate.used => continue,
            Some(Err(lost)) => {
                return Err(lost.error.during(Phase::Proxy).of_proxy(proxy).into());
            }
            Some(Ok(answer)) => answer,
        };
        let Some((refusal, stays)) = answer else { return Ok(gate) };
        let is_asked = refusal.head.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        if is_asked
            && let Some(proof) = &proxy.proof
            && let Some(answer) = proof.answer(&request, &refusal.head.headers)?
        {
            request.answered += 1;
            field = Some(answer);
            kept = stays.then_some(Gate { used: true, ..gate });
            continue;
        }
        let error = refused(&refusal, field.is_some(), &target).of_proxy(proxy);
        return Err(Undialed { error, refusal: Some(Box::new(refusal)) });
    }
}

/// The request for a tunnel. Nothing of the request that will go through it is in there.
fn request_head(proxy: &ProxyServer, target: &str, field: Option<&[u8]>) -> Result<Vec<u8>> {
    let mut headers = Headers::from([("Host", target)]);
    if let Some(field) = field {
        headers.append("Proxy-Authorization", field);
    }
    headers.extend(proxy.own_fields()?);
    let mut head = Vec::new();
    h1::write_head(&mut head, "CONNECT", target, &headers)?;
    Ok(head)
}

/// How the talk with a proxy ended.
struct Lost {
    error: Error,
    /// Some of its answer had come, or the fault is in what it said.
    answered: bool,
}

impl Lost {
    fn said(error: Error) -> Self {
        Self { error, answered: true }
    }

    fn broken(error: io::Error, answered: bool) -> Self {
        let error = Error::with(ErrorKind::Proxy, "the connection was lost").because(error);
        Self { error, answered }
    }
}

/// Asks for a tunnel. `None` is one; a refusal comes with whether the proxy can be asked again on
/// this connection.
async fn ask(stream: &mut Stream, head: &[u8]) -> Result<Option<(Refusal, bool)>, Lost> {
    write(stream, head).await.map_err(|error| Lost::broken(error, false))?;
    let (limits, mut input) = (Limits::default(), Buffer::default());
    let head = read_head(stream, &mut input, &limits).await?;
    if head.status.is_success() {
        // TLS begins with what we say: nobody has spoken through the tunnel yet.
        if input.is_empty() && stream.is_clean() {
            return Ok(None);
        }
        let what = "it sent something through the tunnel before anything was asked";
        return Err(Lost::said(Error::with(ErrorKind::Proxy, what)));
    }
    let framing = frame_response(&Method::CONNECT, &head).map_err(Lost::said)?;
    let mut body = Vec::new();
    let whole = read_body(stream, &mut input, framing.framing, &mut body, &limits).await;
    let stays = framing.keep_alive && whole && input.is_empty() && stream.is_clean();
    Ok(Some((Refusal { head, body }, stays)))
}

async fn read_head(
    stream: &mut Stream,
    input: &mut Buffer,
    limits: &Limits,
) -> Result<ResponseHead, Lost> {
    let (mut reader, mut interim) = (HeadReader::default(), 0);
    loop {
        while let Some((head, taken)) = reader.read(input.filled(), limits).map_err(Lost::said)? {
            input.consume(taken);
            if !head.status.is_informational() || head.status == StatusCode::SWITCHING_PROTOCOLS {
                return Ok(head);
            }
            interim += 1;
            if interim > limits.interim {
                let what = format!("it sent more than {} interim responses", limits.interim);
                return Err(Lost::said(Error::with(ErrorKind::Proxy, what)));
            }
        }
        let answered = reader.has_begun(input.filled());
        match fill(stream, input).await {
            Ok(0) => {
                let what = match answered {
                    false => "it closed the connection without an answer",
                    true => "it closed the connection within the head of its answer",
                };
                let error = Error::with(ErrorKind::Proxy, what);
                let error = error.because(io::Error::from(io::ErrorKind::UnexpectedEof));
                return Err(Lost { error, answered });
            }
            Ok(_) => {}
            Err(error) => return Err(Lost::broken(error, answered)),
        }
    }
}

/// Reads what a proxy says about its refusal; whether that was all. It is for people: where it is
/// cut short or malformed, what there is must do.
async fn read_body(
    stream: &mut Stream,
    input: &mut Buffer,
    framing: Framing,
    body: &mut Vec<u8>,
    limits: &Limits,
) -> bool {
    let mut chunks = ChunkedDecoder::new();
    loop {
        let wanted = match framing {
            Framing::Length(length) => length.saturating_sub(body.len() as u64),
            Framing::UntilClose => u64::MAX,
            Framing::Chunked => match chunks.step(input.filled(), limits) {
                Ok((taken, step)) => {
                    input.consume(taken);
                    match step {
                        ChunkStep::Data(left) => left,
                        ChunkStep::More => {
                            if !matches!(fill(stream, input).await, Ok(1..)) {
                                return false;
                            }
                            continue;
                        }
                        ChunkStep::Done => 0,
                    }
                }
                Err(_) => return false,
            },
        };
        if wanted == 0 || body.len() >= MOST_SAID {
            return wanted == 0;
        }
        let filled = input.filled();
        let most = usize::try_from(wanted).unwrap_or(usize::MAX).min(MOST_SAID - body.len());
        let count = most.min(filled.len());
        body.extend_from_slice(&filled[..count]);
        input.consume(count);
        chunks.took(count as u64);
        if count == 0 && !matches!(fill(stream, input).await, Ok(1..)) {
            return false;
        }
    }
}

fn refused(refusal: &Refusal, told: bool, target: &str) -> Error {
    let ResponseHead { status, reason, .. } = &refusal.head;
    // Whatever it says, it says on one line.
    let reason: String = reason.chars().take(MOST_SHOWN).flat_map(char::escape_debug).collect();
    let said = format!("it opens no tunnel to {target}: {} {reason}", status.as_u16());
    let error = Error::with(ErrorKind::Proxy, said.trim_end().to_owned()).during(Phase::Proxy);
    match status.as_u16() {
        407 if told => error.remedied("check the user name and the password for the proxy"),
        407 => error.remedied(
            "say who asks: in the proxy's URL (`http://user:password@host`), or by `Proxies::auth`",
        ),
        _ => error,
    }
}
