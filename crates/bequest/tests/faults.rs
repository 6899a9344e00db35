//! What a request ends with when the network or the server fails it: the tables of docs/faults.md,
//! a test for each of their cells.

#![allow(clippy::unwrap_used)] // A failed expectation of a test is a panic.

#[path = "faults/cell.rs"]
mod cell;
#[path = "faults/leaks.rs"]
mod leaks;
mod support;
#[path = "faults/tables.rs"]
mod tables;

use std::sync::{Mutex, MutexGuard, PoisonError};

use cell::Cell;
use support::{Door, doors, until};
use tables::{Row, TABLES};
use testbed::Authority;

/// Descriptors are the whole process's, and moments need a processor: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ORDER: Mutex<()> = Mutex::new(());
    ORDER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Plays all cells of a table, some at once; tells of all that went wrong.
#[track_caller]
fn table(door: Door, name: &str) {
    let _alone = alone();
    let (_, rows) = TABLES.iter().find(|(known, _)| *known == name).unwrap();
    let authority = Authority::new();
    // What a process opens once is open before it is counted.
    Cell::all(&rows[..1]).for_each(|cell| drop(cell.play(door, &authority)));
    let before = leaks::descriptors();
    let cells: Vec<_> = Cell::all(rows).collect();
    let wrong = leaks::each_of(&cells, |cell| cell.play(door, &authority).err());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    leaks::assert_descriptors(&before);
}

fn connecting(door: Door) {
    table(door, "Connecting");
}

fn the_tls_handshake(door: Door) {
    table(door, "The TLS handshake");
}

fn through_a_proxy(door: Door) {
    table(door, "Through a proxy");
}

fn on_a_new_connection(door: Door) {
    table(door, "On a new connection");
}

fn on_a_connection_that_was_used_before(door: Door) {
    table(door, "On a connection that was used before");
}

fn within_tls(door: Door) {
    table(door, "Within TLS");
}

/// However often something fails, nothing is kept of it.
fn memory_stays_flat(door: Door) {
    let _alone = alone();
    let authority = Authority::new();
    let rows = || TABLES.iter().flat_map(|(_, rows)| Cell::all(rows));
    let cells: Vec<_> = rows().filter(Cell::is_quick).collect();
    let round = || {
        let wrong = leaks::each_of(&cells, |cell| cell.play(door, &authority).err());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    };
    // What is made once: configurations, a runtime's threads.
    (0..2).for_each(|_| round());
    let (before, open) = (leaks::live_bytes(), leaks::descriptors());
    (0..4).for_each(|_| round());
    // A runtime frees what a task held shortly after that was done.
    let grown = || leaks::live_bytes() - before;
    let most = (4 * cells.len() * 32).cast_signed();
    until("memory is freed", || grown() <= most);
    leaks::assert_descriptors(&open);
}

doors! {
    memory_stays_flat,
    connecting,
    the_tls_handshake,
    through_a_proxy,
    on_a_new_connection,
    on_a_connection_that_was_used_before,
    within_tls,
}

/// The tables as the document has them.
fn written(rows: &[Row]) -> String {
    let mut text =
        "| place | fault | GET | POST bytes | POST reader | download |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for Row { place, fault, outcomes: [get, bytes, reader, download], .. } in rows {
        text += &format!("| {place} | {fault} | {get} | {bytes} | {reader} | {download} |\n");
    }
    text
}

#[test]
fn the_document_says_the_same() {
    let document = std::fs::read_to_string("../../docs/faults.md").unwrap();
    let mut sections = document.split("\n## ").skip(1);
    for (name, rows) in TABLES {
        let (heading, section) = sections.next().unwrap().split_once('\n').unwrap();
        assert_eq!(heading, *name);
        let is_row = |line: &&str| line.starts_with('|');
        let table: String = section.split_inclusive('\n').filter(is_row).collect();
        let written = written(rows);
        for (said, done) in table.lines().zip(written.lines()) {
            assert_eq!(said, done, "docs/faults.md and tests/faults/tables.rs differ");
        }
        assert_eq!(table, written);
    }
    assert_eq!(sections.next(), None);
}
