use super::*;

/// A frame's header with a window of 1 KiB times two to `exponent`, and no more.
fn header(exponent: u8) -> Vec<u8> {
    [&MAGIC.to_le_bytes()[..], &[0, exponent << 3]].concat()
}

fn block(kind: u32, size: usize, last: bool) -> Vec<u8> {
    let header = (size as u32) << 3 | kind << 1 | u32::from(last);
    header.to_le_bytes()[..3].to_vec()
}

fn decode(sent: &[u8]) -> Result<Vec<u8>, String> {
    let (mut decoder, mut at, mut whole) = (Zstd::new(), 0, Vec::new());
    let mut out = vec![0; 64 * 1024];
    loop {
        let pushed = decoder.push(&sent[at..], &mut out).map_err(|Broken(what)| what)?;
        at += pushed.consumed;
        whole.extend_from_slice(&out[..pushed.produced]);
        if pushed.produced == 0 {
            assert_eq!(at, sent.len(), "all that there is is taken");
            return if decoder.is_whole() { Ok(whole) } else { Err("not whole".to_owned()) };
        }
    }
}

#[track_caller]
fn refused(sent: &[u8], why: &str) {
    let error = decode(sent).unwrap_err();
    assert!(error.contains(why), "{error}");
}

#[test]
fn blocks_of_each_simple_kind() {
    let raw = [header(0), block(0, 3, false), b"abc".to_vec()].concat();
    let sent = [raw, block(1, 1000, true), b"d".to_vec()].concat();
    assert_eq!(decode(&sent).unwrap(), ["abc", &"d".repeat(1000)].concat().as_bytes());
    let nothing = [header(0), block(0, 0, true)].concat();
    assert_eq!(decode(&nothing).unwrap(), b"");
    refused(&[header(0), block(3, 0, true)].concat(), "no kind");
    refused(&[header(0), block(0, 1025, true)].concat(), "larger than blocks");
    refused(&[header(0), block(1, 1025, true)].concat(), "larger than blocks");
    refused(&[header(10), block(1, 128 * 1024 + 1, true)].concat(), "larger than blocks");
    refused(&[header(0), block(2, 0, true)].concat(), "cut off");
}

#[test]
fn frames_follow_each_other_and_some_are_skipped() {
    let one = [header(0), block(1, 2, true), b"x".to_vec()].concat();
    let skipped = [&(SKIPPABLE + 15).to_le_bytes()[..], &3_u32.to_le_bytes(), b"abc"].concat();
    let empty = [SKIPPABLE.to_le_bytes(), [0; 4]].concat();
    assert_eq!(decode(&[&one[..], &one].concat()).unwrap(), b"xxxx");
    assert_eq!(decode(&[&skipped[..], &one, &empty, &one, &skipped].concat()).unwrap(), b"xxxx");
    assert_eq!(decode(&skipped).unwrap(), b"");
    refused(&skipped[..skipped.len() - 1], "not whole");
    refused(&[&one[..], b"rubbish"].concat(), "does not begin like one");
}

/// RFC 9659: larger windows are not for HTTP.
#[test]
fn windows_are_limited() {
    let frame = |exponent| [header(exponent), block(1, 1, true), b"x".to_vec()].concat();
    assert_eq!(decode(&frame(13)).unwrap(), b"x", "8 MB");
    refused(&frame(14), "larger than 8388608");
    refused(&[&MAGIC.to_le_bytes()[..], &[0, 13 << 3 | 1]].concat(), "larger than 8388608");
    // In one segment the window is the content.
    let single = |size: u32| [&MAGIC.to_le_bytes()[..], &[0xa0], &size.to_le_bytes()].concat();
    refused(&single((8 << 20) + 1), "larger than 8388608");
    refused(&single(8 << 20), "not whole");
}

#[test]
fn headers_are_held_to_what_they_say() {
    let frame = |descriptor: u8, fields: &[u8]| {
        let block = [block(1, 3, true), b"x".to_vec()].concat();
        [&MAGIC.to_le_bytes()[..], &[descriptor], fields, &block].concat()
    };
    assert_eq!(decode(&frame(0x20, &[3])).unwrap(), b"xxx");
    refused(&frame(0x80, &[0, 2, 0, 0, 0]), "longer than it says");
    refused(&frame(0x80, &[0, 4, 0, 0, 0]), "shorter than it says");
    assert_eq!(decode(&frame(0x80, &[0, 3, 0, 0, 0])).unwrap(), b"xxx");
    refused(&frame(0x40, &[0, 3, 0]), "shorter than it says");
    refused(&frame(0x08, &[0]), "reserved");
    refused(&frame(0x01, &[0, 9]), "dictionary");
    assert_eq!(decode(&frame(0x01, &[0, 0])).unwrap(), b"xxx", "dictionary 0 is none");

    let checksum = (XxHash64::oneshot(0, b"xxx") as u32).to_le_bytes();
    assert_eq!(decode(&[&frame(0x04, &[0])[..], &checksum].concat()).unwrap(), b"xxx");
    refused(&[&frame(0x04, &[0])[..], &[0; 4]].concat(), "checksum");
    refused(&frame(0x04, &[0]), "not whole");
}

/// Copies must stay within what was decoded, and within the window.
#[test]
fn copies_stay_within_the_window() {
    let mut window = Window::default();
    window.begin(1024);
    window.make_room(MOST_BLOCK);
    assert!(window.repeat(1, 1).is_err());
    window.push(b"abc");
    assert!(window.repeat(4, 1).is_err());
    assert!(window.repeat(0, 1).is_err());
    window.repeat(3, 7).unwrap();
    window.repeat(1, 40).unwrap();
    assert_eq!(window.since(0), [&b"abcabcabca"[..], &[b'a'; 40]].concat());
    window.fill(b'z', 2000);
    assert!(window.repeat(1025, 1).is_err());
    window.repeat(1024, 1024).unwrap();
}

/// However much goes through it, it holds its reach and a little.
#[test]
fn a_window_does_not_grow_beyond_its_reach() {
    for reach in [0, 1024, 1 << 20, 8 << 20] {
        let mut window = Window::default();
        window.begin(reach);
        let mut out = vec![0; MOST_BLOCK];
        for round in 0..200 {
            window.make_room(MOST_BLOCK);
            window.fill(round, MOST_BLOCK);
            assert_eq!(window.give(&mut out), MOST_BLOCK);
            assert!(out.iter().all(|byte| *byte == round));
            assert!(window.is_empty());
        }
        let most = reach + (reach / 4).max(2 * MOST_BLOCK) + window::CHUNK;
        assert!(window.capacity() <= most, "{reach}: {}", window.capacity());
        if reach > 0 {
            window.make_room(MOST_BLOCK);
            window.repeat(reach, 1).unwrap();
            let back = u8::try_from(reach.div_ceil(MOST_BLOCK)).unwrap();
            assert_eq!(window.since(window.end() - 1), [200 - back]);
        }
    }
}
