use std::future::poll_fn;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::*;
use crate::error::ErrorKind;
use crate::reactor::{Timer, block_on};

async fn after(limit: Duration) -> Instant {
    let at = Instant::now() + limit;
    let mut timer = Timer::new(at);
    poll_fn(|context| timer.poll_elapsed(context)).await;
    at
}

#[test]
fn members_finish_in_their_own_time() {
    let mut crowd = Crowd::new().unwrap();
    let limits = [60, 20, 40].map(Duration::from_millis);
    let members = limits.map(|limit| crowd.push(Box::pin(after(limit))));
    for expected in [members[1], members[2], members[0]] {
        let (member, at) = crowd.next().unwrap().unwrap();
        assert_eq!(member, expected);
        assert!(Instant::now() >= at);
    }
    assert!(crowd.next().unwrap().is_none());
    assert_eq!(crowd.len(), 0);
}

#[test]
fn a_member_is_polled_only_for_its_own_news() {
    let mut crowd = Crowd::new().unwrap();
    let quiet = Arc::new(Mutex::new((0, None)));
    let seen = Arc::clone(&quiet);
    crowd.push(Box::pin(poll_fn(move |context| {
        let (polls, waker) = &mut *seen.lock().unwrap();
        *polls += 1;
        *waker = Some(context.waker().clone());
        if *polls == 1 { Poll::Pending } else { Poll::Ready(()) }
    })));
    for _ in 0..100 {
        let busy = crowd.push(Box::pin(async {
            after(Duration::from_micros(100)).await;
        }));
        assert_eq!(crowd.next().unwrap().unwrap().0, busy);
    }
    assert_eq!(quiet.lock().unwrap().0, 1, "the others' news are not its own");
    quiet.lock().unwrap().1.take().unwrap().wake();
    assert_eq!(crowd.next().unwrap().unwrap().0, 0);
}

#[test]
fn another_thread_wakes_a_member() {
    let mut crowd = Crowd::new().unwrap();
    for n in 0..50 {
        let mut started = false;
        crowd.push(Box::pin(poll_fn(move |context| {
            if std::mem::replace(&mut started, true) {
                return Poll::Ready(n);
            }
            let waker = context.waker().clone();
            std::thread::spawn(move || waker.wake());
            Poll::Pending
        })));
    }
    let mut done: Vec<_> = std::iter::from_fn(|| crowd.next().unwrap()).map(|(_, n)| n).collect();
    done.sort_unstable();
    assert_eq!(done, (0..50).collect::<Vec<_>>());
}

/// Nobody may drive the crowd for long, while a source has news over and over.
#[test]
fn waking_often_is_waking_once() {
    let mut crowd = Crowd::new().unwrap();
    let kept = Arc::new(Mutex::new(None));
    let waker = Arc::clone(&kept);
    let mut polls = 0;
    crowd.push(Box::pin(poll_fn(move |context| {
        polls += 1;
        *waker.lock().unwrap() = Some(context.waker().clone());
        if polls == 3 { Poll::Ready(polls) } else { Poll::Pending }
    })));
    for _ in 0..2 {
        let busy = crowd.push(Box::pin(async {
            after(Duration::from_millis(1)).await;
            0
        }));
        assert_eq!(crowd.next().unwrap(), Some((busy, 0)));
        let waker = kept.lock().unwrap().clone().unwrap();
        (0..1000).for_each(|_| waker.wake_by_ref());
        assert_eq!(crowd.woken.lock().len(), 1);
    }
    assert_eq!(crowd.next().unwrap(), Some((0, 3)));
}

#[test]
fn what_nobody_will_wake_is_an_error() {
    let mut crowd = Crowd::<()>::new().unwrap();
    crowd.push(Box::pin(std::future::pending()));
    assert_eq!(crowd.next().unwrap_err().kind(), ErrorKind::Other);
}

/// The kernel says once that a peer has closed, perhaps along with the last data.
#[test]
fn an_end_is_known_for_good() {
    let mut watch = Watch::new().unwrap();
    let notifier = Notifier::new();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let socket = Arc::new(std::os::fd::OwnedFd::from(ours));
    watch.call(0);
    assert_eq!(watch.next_called(), Some(0));
    watch.register(&socket, rustix::event::PollFlags::IN).unwrap();
    theirs.write_all(b"x").unwrap();
    drop(theirs);
    let pipe = notifier.fall_asleep().unwrap().unwrap();
    watch.wait(pipe).unwrap();
    assert_eq!(watch.next_called(), Some(0));
    for _ in 0..3 {
        assert!(watch.take_known(&socket, rustix::event::PollFlags::IN));
        watch.register(&socket, rustix::event::PollFlags::IN).unwrap();
        assert_eq!(watch.next_called(), Some(0), "it is called without another wait");
    }
}

/// Nothing can be heard of a socket that somebody has waited for, and closed.
#[test]
fn what_is_closed_gives_no_hope() {
    let mut watch = Watch::new().unwrap();
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let socket = Arc::new(std::os::fd::OwnedFd::from(ours));
    watch.call(0);
    assert_eq!(watch.next_called(), Some(0));
    watch.register(&socket, rustix::event::PollFlags::IN).unwrap();
    assert!(watch.has_hope());
    drop(socket);
    assert!(!watch.has_hope());
}

#[test]
fn a_member_may_block_in_a_call_of_its_own() {
    let mut crowd = Crowd::new().unwrap();
    crowd.push(Box::pin(async {
        block_on(async { Ok(after(Duration::from_millis(5)).await) }).unwrap();
        after(Duration::from_millis(5)).await
    }));
    let (_, at) = crowd.next().unwrap().unwrap();
    assert!(Instant::now() >= at);
}

/// A descriptor is used again as soon as it is closed: its news are not the old one's.
#[test]
fn a_descriptors_number_may_be_anothers_meanwhile() {
    let mut watch = Watch::new().unwrap();
    let (notifier, pair) = (Notifier::new(), UnixStream::pair);
    for round in 0..5 {
        let (ours, mut theirs) = pair().unwrap();
        let socket = Arc::new(std::os::fd::OwnedFd::from(ours));
        watch.call(round);
        assert_eq!(watch.next_called(), Some(round));
        watch.register(&socket, rustix::event::PollFlags::IN).unwrap();
        assert_eq!(watch.told(&socket), None);
        theirs.write_all(b"x").unwrap();
        let pipe = notifier.fall_asleep().unwrap().unwrap();
        while watch.next_called() != Some(round) {
            watch.wait(pipe).unwrap();
        }
        assert!(watch.told(&socket).is_some());
        let mut take_known = || watch.take_known(&socket, rustix::event::PollFlags::IN);
        assert!(take_known(), "nobody has read yet");
        assert!(!take_known(), "the kernel was asked since");
    }
}
