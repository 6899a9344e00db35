//! The other side: the testbed, behind relays that break connections.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use socket2::SockRef;
use testbed::Testbed;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::Outcome;
use crate::luck::Luck;

/// The argument with which this program is the server.
pub(crate) const ROLE: &str = "serve";

/// Where it is.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// Without TLS, and with it; no slash at the end.
    pub(crate) urls: [String; 2],
    /// The same without relays, so that nothing breaks.
    pub(crate) plain: [String; 2],
    pub(crate) ca: String,
}

/// The process of the server; it ends with this value.
pub(crate) struct Server {
    child: Child,
    site: Site,
}

impl Server {
    pub(crate) fn start(seed: u64) -> Outcome<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args([ROLE, &seed.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let mut line =
            || -> Outcome<String> { Ok(lines.next().ok_or("the server did not start")??) };
        let said = (|| {
            let (urls, plain) = ([line()?, line()?], [line()?, line()?]);
            Outcome::Ok(Site { urls, plain, ca: line()? })
        })();
        Ok(Self { child, site: said? })
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Until nobody holds the other end of standard input.
pub(crate) fn serve(seed: u64) -> Outcome {
    let testbed = Testbed::start();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    for (nth, to) in [testbed.addr(), testbed.https_addr()].into_iter().enumerate() {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let port = listener.local_addr()?.port();
        println!(
            "{}",
            [format!("http://127.0.0.1:{port}"), format!("https://localhost:{port}")][nth]
        );
        runtime.spawn(accept(listener, to, Luck::new(seed + nth as u64)));
    }
    let plain = [testbed.url(""), testbed.https_url("")];
    plain.iter().for_each(|url| println!("{}", url.trim_end_matches('/')));
    println!("{}", testbed.ca_file().display());
    let _ = std::io::stdin().read(&mut [0]);
    Ok(())
}

async fn accept(listener: TcpListener, to: SocketAddr, mut luck: Luck) {
    while let Ok((from, _)) = listener.accept().await {
        let fate = Fate::draw(&mut luck);
        tokio::spawn(async move { relay(from, to, fate).await });
    }
}

#[derive(Clone, Copy, Debug)]
enum End {
    Close,
    Reset,
    Silence,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug)]
struct Fate {
    end: End,
    /// After so many bytes, or so long.
    bytes: usize,
    life: Duration,
}

impl Fate {
    fn draw(luck: &mut Luck) -> Self {
        let end = match luck.below(10) {
            0..5 => End::Close,
            5..9 => End::Reset,
            _ => End::Silence,
        };
        // Most of them die young: in a handshake, in a head, in a body, between two requests.
        let most = [3_000, 30_000, 1_000_000][usize::try_from(luck.below(3)).unwrap_or_default()];
        let bytes = usize::try_from(luck.below(most)).unwrap_or_default();
        Self { end, bytes, life: Duration::from_millis(luck.below(1_000)) }
    }
}

/// Passes bytes on both ways, until an end.
async fn relay(mut client: TcpStream, to: SocketAddr, fate: Fate) -> std::io::Result<()> {
    let mut server = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut up, mut down) = ([0; 16 * 1024], [0; 16 * 1024]);
    let (mut left, life) = (fate.bytes, sleep(fate.life));
    tokio::pin!(life);
    while left > 0 {
        let passed = tokio::select! {
            count = client.read(&mut up) => {
                let count = count?.min(left);
                server.write_all(&up[..count]).await?;
                count
            }
            count = server.read(&mut down) => {
                let count = count?.min(left);
                client.write_all(&down[..count]).await?;
                count
            }
            () = &mut life => break,
        };
        if passed == 0 {
            // One side has closed in its own right.
            return Ok(());
        }
        left -= passed;
    }
    match fate.end {
        End::Close => client.shutdown().await,
        End::Reset => SockRef::from(&client).set_linger(Some(Duration::ZERO)),
        End::Silence => {
            sleep(Duration::from_secs(2)).await;
            Ok(())
        }
    }
}
