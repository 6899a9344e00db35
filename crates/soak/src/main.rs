//! Requests for as long as is asked for, through both doors, over connections that are broken at
//! random: each response must be right, each error one that may be, memory and descriptors stay as
//! they were, and what sessions count must add up.
//!
//! `soak SECONDS [SEED]`; `soak cancel COUNT [SEED]` makes so many requests that are given up. The
//! server is a second process of this program, so that what is measured
//! is the client alone. `docs/faults.md` says which errors there may be.
#![allow(clippy::print_stdout, reason = "standard output is what it is for")]

mod cancel;
mod client;
mod left;
mod luck;
mod server;
mod tally;
mod work;

use std::error::Error;
use std::time::{Duration, Instant};
use std::{env, process, thread};

use client::Client;
use left::Left;
use luck::Luck;
use server::Server;
use tally::Tally;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// How long is worked before it is looked at what is left.
const ROUND: Duration = Duration::from_secs(3);
/// Before this one, what is made once may still be made: threads, configurations, arenas.
const SETTLED: usize = 3;
const THREADS: u64 = 4;
const TASKS: u64 = 8;

fn main() -> Outcome {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["cancel", count] => cancel::cancel(count.parse()?, u64::from(process::id())),
        ["cancel", count, seed] => cancel::cancel(count.parse()?, seed.parse()?),
        [server::ROLE, seed] => server::serve(seed.parse()?),
        [seconds] => soak(seconds.parse()?, u64::from(process::id())),
        [seconds, seed] => soak(seconds.parse()?, seed.parse()?),
        _ => Err("usage: soak SECONDS [SEED] | soak cancel COUNT [SEED]".into()),
    }
}

fn soak(seconds: u64, seed: u64) -> Outcome {
    println!("soak: {seconds} s, seed {seed}");
    let server = Server::start(seed)?;
    let site = server.site().clone();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let doors = [Client::blocking(&site), Client::aio(&site)];
    let (tally, start, mut left) = (Tally::default(), Instant::now(), Left::default());
    let mut round = 0;
    while start.elapsed() < Duration::from_secs(seconds) || round < SETTLED + 2 {
        let until = Instant::now() + ROUND;
        let luck = |worker| Luck::new(seed ^ (round as u64 * 1000 + worker) << 20);
        let [blocking, aio] = &doors;
        thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|worker| {
                    let (site, tally, mut luck) = (&site, &tally, luck(worker));
                    scope.spawn(move || {
                        work::at_once(work::until(until, blocking, site, tally, &mut luck))
                    })
                })
                .collect();
            runtime.block_on(async {
                let tasks: Vec<_> = (THREADS..THREADS + TASKS)
                    .map(|worker| {
                        let (aio, site, tally) = (aio.clone(), site.clone(), tally.clone());
                        let mut luck = luck(worker);
                        tokio::spawn(async move {
                            work::until(until, &aio, &site, &tally, &mut luck).await
                        })
                    })
                    .collect();
                for task in tasks {
                    task.await??;
                }
                Outcome::Ok(())
            })?;
            for thread in threads {
                thread.join().map_err(|_| "a thread panicked")??;
            }
            Outcome::Ok(())
        })?;
        for client in &doors {
            client.settle(&tally)?;
        }
        left.look(round, round >= SETTLED)?;
        round += 1;
    }
    tally.report(start.elapsed());
    left.report();
    tally.is_worth_something()?;
    println!("soak: {round} rounds, all is well");
    Ok(())
}
