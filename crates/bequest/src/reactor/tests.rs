use std::fs;
use std::future::{Future, pending, poll_fn, ready};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, ReadBuf};

use super::*;
use crate::error::{Error, ErrorKind, Result};

/// Called on another thread, it waits until this one is in a system call that waits (proc(5): the
/// state behind the name).
fn this_thread_sleeps() -> impl Fn() + Send + 'static {
    let stat = Path::new("/proc").join(fs::read_link("/proc/thread-self").unwrap()).join("stat");
    move || {
        let start = Instant::now();
        let is_asleep = || {
            let stat = fs::read_to_string(&stat).unwrap();
            stat.rsplit(')').next().unwrap().trim_start().starts_with('S')
        };
        while !is_asleep() {
            assert!(start.elapsed() < Duration::from_secs(10), "the thread does not wait");
            thread::yield_now();
        }
    }
}

/// A future that is woken by another thread, which gets its waker when it is first polled.
fn woken_by(act: impl FnOnce(Waker) + Send + 'static) -> impl Future<Output = Result<u32>> {
    let (mut act, mut polls) = (Some(act), 0);
    poll_fn(move |context| {
        polls += 1;
        match act.take() {
            Some(act) => {
                let waker = context.waker().clone();
                thread::spawn(move || act(waker));
                Poll::Pending
            }
            None => Poll::Ready(Ok(polls)),
        }
    })
}

fn connected() -> (Socket, std::net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let socket =
        block_on(async { connect(address, SocketOptions::default()).await.map_err(Error::from) })
            .unwrap();
    (socket, listener.accept().unwrap().0)
}

async fn read(socket: &mut Socket, room: &mut [u8]) -> Result<usize> {
    let mut room = ReadBuf::new(room);
    poll_fn(|context| Pin::new(&mut *socket).poll_read(context, &mut room)).await?;
    Ok(room.filled().len())
}

#[test]
fn another_thread_may_wake() {
    assert_eq!(block_on(woken_by(Waker::wake)).unwrap(), 2);
    let asleep = this_thread_sleeps();
    let slow = woken_by(move |waker| {
        asleep();
        waker.wake_by_ref();
        waker.wake();
    });
    assert_eq!(block_on(slow).unwrap(), 2);
}

#[test]
fn a_waker_that_is_late_wakes_nobody_else() {
    let (keep, kept) = mpsc::channel();
    let future = poll_fn(move |context| {
        keep.send(context.waker().clone()).unwrap();
        Poll::Ready(Ok(()))
    });
    block_on(future).unwrap();
    let old = kept.recv().unwrap();
    let mut polls = 0;
    let counting = poll_fn(|_| {
        polls += 1;
        old.wake_by_ref();
        Poll::<()>::Pending
    });
    let deadline = Instant::now() + Duration::from_millis(50);
    assert_eq!(
        block_on(async { Ok(with_deadline(Some(deadline), counting).await) }).unwrap(),
        None
    );
    assert_eq!(polls, 2, "once at first and once for the deadline");
}

#[test]
fn deadlines_end_what_never_comes() {
    let started = Instant::now();
    let deadline = started + Duration::from_millis(50);
    let over = block_on(async { Ok(with_deadline(Some(deadline), pending::<()>()).await) });
    assert_eq!(over.unwrap(), None);
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(50) && took < Duration::from_millis(1500), "{took:?}");
    let past = block_on(async { Ok(with_deadline(Some(started), ready(1)).await) });
    assert_eq!(past.unwrap(), Some(1), "what is there needs no time");
}

#[test]
fn calls_nest() {
    let (mut outer, mut outer_peer) = connected();
    let (mut inner, mut inner_peer) = connected();
    let mut room = [0; 8];
    let total = block_on(async {
        let mut first = pin!(read(&mut outer, &mut room));
        // The outer read is registered when the inner call waits.
        assert!(poll_fn(|context| Poll::Ready(first.as_mut().poll(context))).await.is_pending());
        inner_peer.write_all(b"in").unwrap();
        let inside = block_on(async { read(&mut inner, &mut [0; 8]).await })?;
        outer_peer.write_all(b"outer").unwrap();
        Ok(inside + first.await?)
    });
    assert_eq!(total.unwrap(), 2 + 5);
    assert_eq!(current(), None, "nobody is entered any more");
}

#[test]
fn a_read_waits_for_data_and_sees_the_end() {
    let (mut socket, mut peer) = connected();
    let (asleep, (read_one, has_read)) = (this_thread_sleeps(), mpsc::channel());
    let writer = thread::spawn(move || {
        for part in [b"one".as_slice(), b"twotwo"] {
            asleep();
            peer.write_all(part).unwrap();
            // It may still look asleep.
            has_read.recv().unwrap();
        }
    });
    let mut room = [0; 4];
    let mut sizes = Vec::new();
    loop {
        let count = block_on(read(&mut socket, &mut room)).unwrap();
        sizes.push(count);
        read_one.send(()).ok();
        if count == 0 {
            break;
        }
    }
    assert_eq!(sizes, [3, 4, 2, 0]);
    writer.join().unwrap();
}

#[test]
fn a_read_with_a_deadline_times_out_and_can_go_on() {
    let (mut socket, mut peer) = connected();
    let mut room = [0; 8];
    for limit in [30, 60, 30] {
        let started = Instant::now();
        let limit = Duration::from_millis(limit);
        let read = read(&mut socket, &mut room);
        let result = block_on(async { Ok(with_deadline(Some(started + limit), read).await) });
        assert!(result.unwrap().is_none());
        let took = started.elapsed();
        assert!(took >= limit && took < limit + Duration::from_secs(1), "{took:?}");
    }
    peer.write_all(b"late").unwrap();
    assert_eq!(block_on(read(&mut socket, &mut room)).unwrap(), 4, "no limit is left behind");
}

#[test]
fn two_reads_at_once_wait_for_either() {
    let (mut one, mut one_peer) = connected();
    let (mut two, _two_peer) = connected();
    let (mut room_one, mut room_two) = ([0; 8], [0; 8]);
    let mut first = Box::pin(read(&mut one, &mut room_one));
    let mut second = Box::pin(read(&mut two, &mut room_two));
    let asleep = this_thread_sleeps();
    let writer = thread::spawn(move || {
        asleep();
        one_peer.write_all(b"x").unwrap();
        one_peer
    });
    let either = poll_fn(|context: &mut Context<'_>| {
        if let Poll::Ready(count) = second.as_mut().poll(context) {
            return Poll::Ready(count.map(|count| ("two", count)));
        }
        first.as_mut().poll(context).map(|count| count.map(|count| ("one", count)))
    });
    assert_eq!(block_on(either).unwrap(), ("one", 1));
    drop(writer.join().unwrap());
}

#[test]
fn a_refused_connection_is_an_error_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error =
        block_on(async { connect(address, SocketOptions::default()).await.map_err(Error::from) })
            .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("refused"), "{error}");
}

#[test]
fn names_are_looked_up_aside_when_somebody_will_give_up() {
    let look_up = |bounded| {
        block_on(async move {
            let found = resolve(None, "localhost.localdomain.invalid", None, 80, bounded);
            found.await.map_err(|cause| Error::new(ErrorKind::Resolve, cause))
        })
    };
    for bounded in [false, true] {
        assert!(look_up(bounded).is_err(), "RFC 6761 promises that there is no such name");
    }
}

/// Connects on the calling thread, and on tokio.
fn connect_both(address: SocketAddr, options: SocketOptions) -> Vec<std::io::Result<Socket>> {
    let mut sockets = vec![block_on(async { Ok(connect(address, options).await) }).unwrap()];
    #[cfg(feature = "async")]
    {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        sockets.push(runtime.block_on(connect(address, options)));
    }
    sockets
}

#[test]
fn sockets_have_their_options() {
    use rustix::net::sockopt;

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    for socket in connect_both(address, SocketOptions::default()) {
        let socket = socket.unwrap();
        assert!(sockopt::tcp_nodelay(&socket).unwrap());
        assert!(!sockopt::socket_keepalive(&socket).unwrap());
    }
    // What the kernel would not take is what is nearest.
    for (asked, has) in [(60, 60), (0, 1), (100_000, 32_767)] {
        let keepalive = Some(Duration::from_secs(asked));
        let options = SocketOptions { nodelay: false, keepalive, ..SocketOptions::default() };
        for socket in connect_both(address, options) {
            let socket = socket.unwrap();
            assert!(!sockopt::tcp_nodelay(&socket).unwrap());
            assert!(sockopt::socket_keepalive(&socket).unwrap());
            assert_eq!(sockopt::tcp_keepidle(&socket).unwrap(), Duration::from_secs(has));
            assert_eq!(sockopt::tcp_keepintvl(&socket).unwrap(), Duration::from_secs(has));
        }
    }
}

#[test]
fn sockets_have_their_local_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let from = |local: &str| SocketOptions {
        local: Some(local.parse().unwrap()),
        ..SocketOptions::default()
    };
    for socket in connect_both(address, from("127.0.0.1")) {
        let _open = socket.unwrap();
        assert_eq!(listener.accept().unwrap().1.ip(), address.ip());
    }
    // Of the documentation's: no machine has it.
    for socket in connect_both(address, from("192.0.2.1")) {
        let error = socket.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AddrNotAvailable);
        assert!(error.to_string().contains("from 192.0.2.1"), "{error}");
    }
}
