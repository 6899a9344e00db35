//! What SOCKS proxies reply: taken as a plain reading of the RFCs takes it, however it is cut, and no
//! byte behind it.
#![no_main]

use bequest::fuzzing::socks;
use libfuzzer_sys::fuzz_target;

/// How long the replies are if they lead to a connection.
fn plain(is_five: bool, has_login: bool, replies: &[u8]) -> Option<usize> {
    if !is_five {
        return (replies.len() >= 8 && replies[..2] == [0, 90]).then_some(8);
    }
    let mut length = match replies {
        [5, 0, ..] => 2,
        [5, 2, _, 0, ..] if has_login => 4,
        _ => return None,
    };
    let reply = &replies[length..];
    length += match reply {
        [5, 0, _, 1, ..] => 10,
        [5, 0, _, 3, name, ..] => 7 + usize::from(*name),
        [5, 0, _, 4, ..] => 22,
        _ => return None,
    };
    (replies.len() >= length).then_some(length)
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, replies)) = input.split_first() else { return };
    let (is_five, has_login) = (choice & 1 != 0, choice & 2 != 0);
    let at_once = usize::from(choice >> 2) + 1;
    let told =
        |at_once| socks(is_five, has_login, replies, at_once).map_err(|error| error.to_string());
    let whole = told(usize::MAX);
    let taken = whole.as_ref().ok().map(|(_, taken)| *taken);
    assert_eq!(taken, plain(is_five, has_login, replies), "{whole:?}");
    assert_eq!(told(1), whole);
    assert_eq!(told(at_once), whole);
    match whole {
        Ok((said, _)) => assert!(said.windows(11).any(|part| part == b"example.org")),
        Err(error) => assert!(!error.contains("password:") && !error.contains('\n'), "{error}"),
    }
});
