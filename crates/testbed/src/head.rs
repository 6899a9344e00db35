//! The head of a request, just as its bytes came.

use hyper::Request;

/// A request head: its bytes, and their parts in the order and case received.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// Every byte from the method to the blank line, which is included.
    pub(crate) bytes: Vec<u8>,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// Takes a head apart.
    ///
    /// This accepts anything: refusing a malformed request is the server's task.
    pub(crate) fn parse(bytes: Vec<u8>) -> Self {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let request_line = latin1(lines.next().unwrap_or_default());
        let mut words = request_line.split_whitespace();
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default().to_owned();
        let headers = lines.filter_map(header).collect();
        Self { bytes, method, target, headers }
    }

    /// The head of an HTTP/2 request, as if it had come by HTTP/1.1: its authority is Host, which
    /// stands first.
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let uri = request.uri();
        let target = uri.path_and_query().map_or("", |target| target.as_str()).to_owned();
        let host = uri.authority().map(|host| ("host".to_owned(), host.as_str().into()));
        let fields = request.headers().iter();
        let fields =
            fields.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().into()));
        let headers: Vec<(String, Vec<u8>)> = host.into_iter().chain(fields).collect();
        let method = request.method().as_str().to_owned();
        let mut bytes = format!("{method} {target} HTTP/2.0\r\n").into_bytes();
        for (name, value) in &headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        bytes.extend(b"\r\n");
        Self { bytes, method, target, headers }
    }

    /// The values of a header, in the order received.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// The first value of a header, read as Latin-1.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.values(name).next().map(latin1)
    }
}

/// Reads bytes as ISO 8859-1, which never fails and loses nothing.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn header(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = latin1(&line[..colon]);
    Some((name, line[colon + 1..].trim_ascii().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_case_and_duplicates() {
        let head = Head::parse(
            b"PURGE /a?b HTTP/1.1\r\nhOST:  x \r\nB: 1\r\na:2:3\r\nb: \xe9\r\n\r\n".to_vec(),
        );
        assert_eq!(head.method, "PURGE");
        assert_eq!(head.target, "/a?b");
        let names: Vec<_> = head.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["hOST", "B", "a", "b"]);
        assert_eq!(head.value("Host").as_deref(), Some("x"));
        assert_eq!(head.value("A").as_deref(), Some("2:3"));
        assert_eq!(head.values("b").collect::<Vec<_>>(), [&b"1"[..], &b"\xe9"[..]]);
    }
}
