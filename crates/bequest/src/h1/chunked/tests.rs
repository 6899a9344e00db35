use super::*;

/// Decodes `input` given in pieces of `piece` bytes; the data, the trailers and what was left.
fn decode(input: &[u8], piece: usize) -> Result<(Vec<u8>, Headers, usize)> {
    let limits = Limits::default();
    let mut decoder = ChunkedDecoder::new();
    let (mut data, mut at, mut end) = (Vec::new(), 0, 0);
    loop {
        let (taken, step) = decoder.step(&input[at..end], &limits)?;
        at += taken;
        match step {
            ChunkStep::Done => return Ok((data, decoder.trailers(&limits)?, input.len() - at)),
            ChunkStep::Data(left) if at < end => {
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(end - at);
                data.extend_from_slice(&input[at..at + count]);
                decoder.took(count as u64);
                at += count;
            }
            _ if end == input.len() => {
                return Err(Error::with(ErrorKind::IncompleteBody, "the input is over"));
            }
            _ => end = (end + piece).min(input.len()),
        }
    }
}

#[test]
fn data_and_trailers_in_pieces_of_any_size() {
    let input = b"5\r\nhello\r\n1;a=\"b\"\r\n,\r\n00006 \r\n world\r\n0\r\nX: y\r\nz: \r\n\r\nNEXT";
    for piece in 1..=input.len() {
        let (data, trailers, left) = decode(input, piece).unwrap();
        assert_eq!(data, b"hello, world");
        assert_eq!(trailers.to_string(), "X: y\r\nz: \r\n");
        assert!(left <= 4);
        assert!(decode(b"0\r\n\r\n", piece).unwrap().0.is_empty());
    }
    let upper = [b"1F\r\n".as_slice(), &[b'x'; 31], b"\r\n0\r\n\r\n"].concat();
    assert_eq!(decode(&upper, 7).unwrap().0.len(), 31);
}

#[test]
fn malformed_chunks_are_errors() {
    for bad in [
        &b"\r\n"[..],
        b"x\r\n",
        b"-1\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5 5\r\nhello\r\n",
        b"5\rhello\r\n0\r\n\r\n",
        b"5;a\rb\r\nhello\r\n",
        b"5\r\nhelloX\r\n0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhello\r\r\n0\r\n\r\n",
        b"6\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"10000000000000000\r\n",
        b"0\r\nbad trailer\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
    ] {
        let kind = decode(bad, 3).map(|(data, ..)| data).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::ChunkedEncoding), "{}", bad.escape_ascii());
    }
}

#[test]
fn many_chunks_are_not_long_extensions() {
    let input = [&b"1\r\nx\r\n".repeat(20_000)[..], b"0\r\n\r\n"].concat();
    assert_eq!(decode(&input, 1000).unwrap().0.len(), 20_000);
}

#[test]
fn endless_parts_are_refused() {
    let zeros = vec![b'0'; 100];
    let extensions = b"1;abcdefghijklmnopqrstuvwxyz\r\nx\r\n".repeat(1000);
    let trailers = [b"0\r\n".as_slice(), &b"A: b\r\n".repeat(20_000)].concat();
    for bad in [zeros, extensions, trailers] {
        let error = decode(&bad, 1024).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ChunkedEncoding);
    }
}

#[test]
fn the_largest_chunk_is_waited_for() {
    let error = decode(b"FFFFFFFFFFFFFFFF\r\nx", 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IncompleteBody);
}

#[test]
fn sizes_are_written_in_lower_case() {
    let sizes =
        [(0, "0\r\n"), (10, "a\r\n"), (65536, "10000\r\n"), (usize::MAX, "ffffffffffffffff\r\n")];
    for (length, expected) in sizes {
        assert_eq!(ChunkSize::new(length).as_bytes(), expected.as_bytes());
    }
}
