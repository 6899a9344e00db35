#!/usr/bin/env python3
"""Writes the inputs that fuzzing starts from: fuzz/corpus/TARGET/NAME, over what is there by that name.

They come from the lists below, and from the responses of kit/py/badserver.py. A crash that was fixed
gets a line here, in REGRESSIONS, so that its input stays.
"""
import base64
import gzip
import re
import sys
import zlib
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kit/py"))
import badserver  # noqa: E402
import certificates  # noqa: E402

LONGEST = 1024
OK = b"HTTP/1.1 200 OK\r\n"

# Eight times a sentence, by the reference programs.
BROTLI = bytes.fromhex("1b6701882c0e78d3d0955d9710bb172ba9cad092cc8cad415ce6f236c8199e9e0a7b830d387048206f24bc41a715ce1c1e27aa2938c2a9efd360")
ZSTD = bytes.fromhex("28b52ffd646800b50100d40254686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f672e200100c581aa2a03e421b1e6")

# Inputs that once failed: (target, name, bytes), and above each what was wrong.
REGRESSIONS = [
    # An empty list of codings beside a length left the connection open for another request.
    ("framing", "regression-empty-coding", b"\0Transfer-Encoding:\r\nContent-Length: 5"),
    ("framing", "regression-nameless-coding", b"\0Transfer-Encoding:; xchunked\r\nContent-Length: 5"),
    # A key encrypted by scrypt at a cost of zero was a panic.
    ("pem", "regression-scrypt-without-cost", b"""\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHjME4GCSqGSIb3DQEFDTBBMCAGCSsGAQQB2kcECzATBAgW2c6iBnfyggIBAAIB
AQIBATAdBglghkgBZQMEASoEEKDN5/yuhmJ2YIJZbS8W66sEgZBgTZ47F02CT+He
13UN5VfwQsM3EaQFO1uRY5NlK7tZUbvc8RXfe2u0kHSuJNSxi0DwWj2Kb36o1flk
i/ymKWPrYTrkLEZVow+BRdYlWYiBweHiZEbBLVN2Eak28iJ3r2xQEbAJG9vpn0X5
Cuox9L3ImAzvA88lGojCGzCECxiYG24AuPhg50llXSZLf4+FM2o=
-----END ENCRYPTED PRIVATE KEY-----
"""),
]


def from_badserver():
    """The bytes of each case that ends by itself, as far as they are of a response."""
    for path, case in badserver.CASES.items():
        data = b"".join(step if isinstance(step, bytes) else step[1] if step[0] == "drip" else b""
                        for step in case["steps"] if isinstance(step, (bytes, tuple)))
        name = path.strip("/").replace("/", "-")
        if not 0 < len(data) <= LONGEST:
            continue
        head, end, body = data.partition(b"\r\n\r\n")
        if path.startswith(("/status/", "/header/", "/info/", "/truncated/head", "/truncated/status", "/extra/", "/eof/")):
            yield "response_head", name, data
            yield "exchange", name, b"\0" + data
        if path.startswith(("/length/", "/te/", "/chunk/", "/reuse/")) and end:
            fields = re.sub(rb"^[^\r]*\r\n", b"", head, count=1)
            yield "framing", name, b"\0" + fields
            yield "exchange", name, b"\0" + data
        if path.startswith(("/chunk/", "/truncated/chunk")) and b"chunked" in head.lower():
            yield "chunked", name, b"\7" + body


def heads():
    for name, lines in {
        "plain": b"Server: x\r\nX-A:b\r\nx-a:  c  \r\nEmpty:\r\n",
        "folded": b"A: one\r\n  two\r\n\tthree\r\nB: x\r\n",
        "folded-empty": b"A:\r\n \r\n b\r\nC: d\r\n",
        "latin": b"A: caf\xe9\r\n",
        "many": b"A: b\r\n" * 40,
    }.items():
        yield "response_head", name, OK + lines + b"\r\n"
    yield "response_head", "bare-lf", b"HTTP/1.1 200 OK\nA: b\n\n"
    yield "response_head", "mixed-ends", b"HTTP/1.1 200 OK\nA: b\r\nC: d\n\r\n"
    yield "response_head", "blank-lines-first", b"\r\n\n\r\nHTTP/1.0 404 Not Found\r\n\r\n"
    yield "response_head", "interim", b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"\r\n"
    yield "response_head", "no-reason", b"HTTP/1.1 204\r\n\r\n"
    yield "response_head", "status-099", b"HTTP/1.1 099 Low\r\n\r\n"
    yield "response_head", "tls-alert", b"\x15\x03\x03\x00\x02\x02\x0a"
    yield "response_head", "http2-settings", b"\0\0\x12\4\0\0\0\0\0"


def chunks():
    for name, body in {
        "two": b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        "trailers": b"1\r\nx\r\n0\r\nX: y\r\nz: \r\n\r\nNEXT",
        "trailers-bare-lf": b"1\r\nx\r\n0\r\nX: y\nz: a\n\nNEXT",
        "extensions": b'5;a="b";c\r\nhello\r\n00006 \t\r\n world\r\n0;z\r\n\r\n',
        "upper-case": b"1F\r\n" + b"x" * 31 + b"\r\n0\r\n\r\n",
        "largest": b"ffffffffffffffff\r\nx",
        "too-large": b"10000000000000000\r\nx",
        "zeros": b"0" * 63 + b"1\r\nx\r\n0\r\n\r\n",
        "bare-cr": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
        "folded-trailer": b"0\r\nA: b\r\n c\r\n\r\n",
    }.items():
        for seed in (1, 7):
            yield "chunked", f"{name}-{seed}", bytes([seed]) + body


def framings():
    lines = [b"Content-Length: 5", b"Content-Length: 5, 5", b"Content-Length: 5\r\nContent-Length: 6",
             b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, gzip",
             b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"Transfer-Encoding: ,\r\nContent-Length: 5",
             b"Connection: keep-alive\r\nContent-Length: 5", b"Connection: a, close\r\nTransfer-Encoding: chunked"]
    for number, line in enumerate(lines):
        for choice in (0, 0b100000, 0b010000, 0b011010):
            yield "framing", f"{number}-{choice}", bytes([choice]) + line


def urls():
    for number, url in enumerate([
        "http://example.org/", "HTTPS://Example.ORG:443/a/../b?c=d#e", "http://user:pa%20ss@h:8080/x?y",
        "http://[::1]:80/", "http://[fe80::1]/", "http://127.1/", "http://0x7f.1/", "http://h", "http://h?q", "http://h#f",
        "http://bücher.example/ü?ü", "http://xn--bcher-kva.example/", "http://ＧＯ.com/", "http://a。b/", "http://h/a b\"<>`{}|\\^",
        "http://h/%0d%0aX:%20y", "http://h/\r\nX: y", "http://h/\t", "http://h:0/", "http://h:65536/", "http://a@b@c/",
        "http://a\\b/", "http:/h/", "http:h", "http:///h", "//h/", "h/x", "localhost:8080", "ftp://h/x", "mailto:a@b", "data:,x y",
        "a://b c/\u2028", "http://h/\u2028?\u0085", "http://h./", "http://.h/", "http://h..h/", " http://h/ ", "http://u@h/?token=x&a=1",
    ]):
        yield "url_target", f"url-{number:02}", b"u" + url.encode()
    for number, parts in enumerate([
        ["http://h/", "a", "b"], ["http://h/?x=1#f", "a b", "c&d=e", "", ""], ["http://h?", "ü", "\0\r\n\u2028", "a+b", "%20"],
    ]):
        yield "url_target", f"params-{number}", b"p" + "\u001f".join(parts).encode()
    for number, (url, query) in enumerate([
        ("http://h/a/../b?c#d", "e=f"), ("http://h?a&", "?b"), ("http://h/%2e%2e/./x//", "\u00fc #\""), ("http://h/a b", ""),
        ("http://[fe80::1%25eth0]:80/..", "a"), ("http://u:@h/\u00fc", "a&b"), ("HTTP://H:080/\\..\\x", "%"), ("http://h?", ""),
    ]):
        for choice in "ra":
            yield "url_target", f"raw-{choice}-{number}", f"{choice}{url}\u001f{query}".encode()
    for number, target in enumerate(["/", "*", "http://h/x", "h:443", "/a b", "/\r\nX: y", "", "/é", "/a?b#c", "/\x7f", "/\"<>`{}|\\^"]):
        yield "url_target", f"target-{number:02}", b"t" + target.encode()


def edits():
    def record(edit, name=b"", value=b""):
        return edit + name + b"\xff" + value

    for name, records in {
        "append": [record(b"GET"), record(b"a", b"X-A", b"1"), record(b"a", b"x-a", b"2"), record(b"a", b"Accept", b"*/*")],
        "insert": [record(b"post", b"body"), record(b"a", b"a", b"1"), record(b"a", b"b", b"2"), record(b"a", b"A", b"3"), record(b"i", b"A", b"4")],
        "remove": [record(b"PUT"), record(b"a", b"a", b"1"), record(b"a", b"b", b"2"), record(b"r", b"A"), record(b"r", b"A")],
        "update": [record(b"GET"), record(b"a", b"a", b"1"), record(b"a", b"b", b"2"), record(b"u", b"a", b"3"), record(b"u", b"c", b"4")],
        "host": [record(b"GET"), record(b"a", b"hOST", b"other:1"), record(b"a", b"X", b"a  b ")],
        "length": [record(b"POST", b"12345"), record(b"a", b"content-length", b"5")],
        "length-wrong": [record(b"POST", b"12345"), record(b"a", b"content-length", b"6")],
        "length-twice": [record(b"POST", b"12345"), record(b"a", b"content-length", b"5"), record(b"a", b"Content-Length", b"5")],
        "coding": [record(b"POST", b"12345"), record(b"a", b"Transfer-Encoding", b"Chunked")],
        "both": [record(b"POST", b"12345"), record(b"a", b"Transfer-Encoding", b"chunked"), record(b"a", b"Content-Length", b"5")],
        "crlf-value": [record(b"GET"), record(b"a", b"X", b"a\r\nY: z")],
        "crlf-name": [record(b"GET"), record(b"a", b"X: a\r\nY", b"z")],
        "odd-name": [record(b"GET"), record(b"a", b"X-!#$%&'*+.^_`|~", b"\t"), record(b"a", b"", b"")],
        "latin": [record(b"GET"), record(b"a", b"X", b"caf\xe9"), record(b"a", "é".encode(), b"")],
        "method": [record(b"mk col"), record(b"a", b"X", b"")],
        "compacted": [record(b"GET"), record(b"a", b"A", b"1")] + [record(b"i", b"B", b"x" * 400)] * 5,
    }.items():
        yield "headers", name, b"\xfe".join(records)


def forms():
    def field(name, value):
        return b"f" + name + b"\xff" + value

    def part(kind, *values):
        return kind + b"\xff".join(values)

    for name, records in {
        "fields": [b"", field(b"k", b"v"), field(b"k", b""), part(b"0", b"f", b"a.txt", b"content", b"text/plain")],
        "readers": [b"", part(b"1", b"a", b"b", b"c"), part(b"2", b"d", b"", b"e", b"", b"X-A", b"b"), part(b"3", b"f", b"g", b"chunks")],
        "escapes": [b"", part(b"0", b'a"\r\nX: y', b'"\\\r\n', b"\r\n--\r\n"), field(b'%22\\"', b"\r\n\r\n")],
        "own": [b"multipart/form-data; boundary=B", part(b"0", b"a", b"b", b"c\r\n-B"), part(b"3", b"a", b"b", b"x\r\n--C")],
        "own-in-part": [b"multipart/form-data; boundary=B", part(b"0", b"a", b"b", b"c\r\n--B--\r\n")],
        "own-in-stream": [b"multipart/form-data; boundary=B", part(b"1", b"a", b"b", b"c\r\n--B--\r\n")],
        "own-in-header": [b"multipart/form-data; boundary=B", part(b"0", b"a", b"b", b"", b"", b"--B", b"x")],
        "quoted": [b'multipart/mixed; a="\\";boundary=x"; boundary="a b"; c=d', part(b"0", b"a", b"b", b"c")],
        "none": [b"multipart/form-data; charset=utf-8 ; ", part(b"0", b"a", b"b", b"c")],
        "unclosed": [b'multipart/form-data; a="; boundary=x', part(b"0", b"a", b"b", b"c")],
        "twice": [b"multipart/form-data; boundary=x; BOUNDARY=y", part(b"0", b"a", b"b", b"c")],
        "pieces": [b"multipart/form-data; boundary*0=x; boundary*1=y", part(b"0", b"a", b"b", b"c")],
        "nameless": [b"multipart/form-data; a; boundary=x", part(b"0", b"a", b"b", b"c")],
        "injected": [b"", part(b"0", b"a", b"b", b"c", b"a/b\r\nX: y", b"X", b"a\r\n\r\nb")],
        "replaced": [b"", part(b"0", b"a", b"b", b"c", b"a/b", b"Content-Disposition", b"x"), part(b"0", b"a", b"", b"", b"a/b", b"content-TYPE", b"c/d")],
    }.items():
        yield "multipart", name, b"\xfe".join(records)


def set_cookies():
    def record(place, field, time=1):
        return bytes([place, time]) + field

    http, https, below, github, uk = 0, 1, 3, 8, 6
    for name, records in {
        "plain": [record(http, b"a=b"), record(http, b" c = d=e ; Path=/x"), record(http, b"foo"), record(http, b"=bar")],
        "domain": [record(below, b"a=b; Domain=a.example"), record(https, b"a=c; domain=.A.EXAMPLE"), record(http, b"a=d; Domain=b.example")],
        "suffixes": [record(uk, b"a=b; Domain=co.uk"), record(github, b"a=b; Domain=github.io"), record(10, b"a=b; Domain=localhost")],
        "addresses": [record(12, b"a=b; Domain=127.0.0.1"), record(12, b"a=b; Domain=0.0.1"), record(14, b"a=b; Domain=[::1]")],
        "paths": [record(32, b"a=b"), record(32, b"a=c; Path=/"), record(32, b"a=d; Path=x"), record(48, b"a=e; Path=/xy/")],
        "secure": [record(https, b"a=b; Secure"), record(http, b"a=c"), record(http, b"a=d; Secure"), record(16, b"a=e; Path=/x")],
        "prefixes": [record(https, b"__Host-a=b; Secure; Path=/"), record(https, b"__host-a=b; Secure"), record(https, b"__Secure-a=b; Secure"),
                     record(https, b"=__Secure-a; Secure"), record(http, b"__SECURE-a=b")],
        "ages": [record(http, b"a=b; Max-Age=3"), record(http, b"c=d; Max-Age=0", 5), record(http, b"e=f; Max-Age=99999999999999999999; Max-Age=-"),
                 record(http, b"g=h; Expires=Wed, 09 Jun 2100 10:18:14 GMT"), record(http, b"g=; Expires=Thu, 01 Jan 1970 00:00:00 GMT")],
        "same": [record(http, b"a=1"), record(http, b"b=2"), record(http, b"a=3"), record(http, b"a=; Max-Age=0"), record(http, b"a=4")],
        "controls": [record(http, b"a=b\0c"), record(http, b"a=b\r\nX: y"), record(http, b"a=b\tc"), record(http, b"a=b; c=\x7f"), record(http, b"\xff=\x80")],
        "attributes": [record(http, b"a=b; HttpOnly; SameSite=Lax; Partitioned; ; =; Path=/" + b"x" * 1025), record(http, b";"), record(http, b"")],
        "long": [record(http, b"a=" + b"x" * 4094), record(http, b"a=" + b"x" * 4096)],
    }.items():
        yield "set_cookie", name, b"\xfe".join(records)


def cookie_dates():
    for number, date in enumerate([
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "1994 november 6 8:9:7x",
        "06 Nov 1994 24:00:00", "29 Feb 1900 00:00:00", "29 Feb 2000 00:00:00", "31 Dec 9999 23:59:59", "1 Jan 1601 0:0:0", "31 Dec 1600 23:59:59",
        "1 Jan 69 0:0:0", "1 Jan 70 0:0:0", "01 02 03 04:05:06 jan", "0", "", "1994-11-06T08:49:37Z", "6nov6 6 6:6:6:6 NOVEMBER 1994z",
    ]):
        yield "cookie_date", f"date-{number:02}", date.encode()


def cookie_files():
    far = b"\tFALSE\t4102444800\t"
    for name, lines in {
        "plain": [b"# Netscape HTTP Cookie File", b"a.example\tFALSE\t/" + far + b"a\tb", b".a.example\tTRUE\t/x" + far + b"c\td e"],
        "http-only": [b"#HttpOnly_.a.example\tTRUE\t/" + far + b"a\tb", b"# a comment", b""],
        "session": [b"h\tFALSE\t/\tTRUE\t0\ta\tb", b"h\tFALSE\t/\tTRUE\t\tc\td"],
        "curl-empty": [b"h\tFALSE\t/" + far + b"a"],
        "nameless": [b"h\tFALSE\t/" + far + b"\tb"],
        "wget-port": [b"127.0.0.1:8080\tFALSE\t/" + far + b"a\tb"],
        "addresses": [b"::1\tFALSE\t/" + far + b"a\tb", b"[::1]\tTRUE\t/" + far + b"a\tb"],
        "tabs": [b"h\tFALSE\t/" + far + b"a\tb\tc"],
        "crlf": [b"h\tFALSE\t/" + far + b"a\tb\r", b"h\tFALSE\t/" + far + b"c\td\r\r"],
        "prefixes": [b"h\tFALSE\t/\tTRUE\t0\t__Host-a\tb", b"h\tFALSE\t/\tFALSE\t0\t__Secure-a\tb"],
        "suffix": [b".co.uk\tTRUE\t/" + far + b"a\tb", b"co.uk\tFALSE\t/" + far + b"a\tb"],
        "expired": [b"h\tFALSE\t/\tFALSE\t1\ta\tb", b"h\tFALSE\t/\tFALSE\t-1.5\ta\tb", b"h\tFALSE\t/\tFALSE\t99999999999999999999\ta\tb"],
        "same": [b"h\tFALSE\t/" + far + b"a\tb", b"H\tFALSE\t/" + far + b"a\tc"],
        "bytes": [b"h\tFALSE\t/" + far + b"\xff\t\x80", b"b\xc3\xbccher.example\tFALSE\t/\xff" + far + b"a\tb"],
        "malformed": [b"h", b"h\tno\t/" + far + b"a\tb", b"a b\tTRUE\t/" + far + b"a\tb", b"h\tTRUE\tx" + far + b"a\tb", b"h\tTRUE\t/" + far + b"a;\tb"],
    }.items():
        yield "cookies_txt", name, b"\n".join(lines)


def netrcs():
    for name, text in {
        "plain": b"machine h login u password p\nmachine i\n  login v\n  password q\ndefault login d password e\n",
        "account": b"machine h account a password p",
        "user": b"machine h user u password p",
        "quoted": b'machine "h" login "a user" password "a \\"word\\" \\\\"',
        "escaped": b"machine h login u\\ v password p\\",
        "comments": b"# one\n#two machine h\nmachine h # three\n#\nlogin #u # four\npassword #p #",
        "macro": b"macdef init\ncd /pub\nmachine h\n\nmachine h login u",
        "macro-crlf": b"machine h login u\r\nmacdef m\r\nbin\r\n\r\nmachine i",
        "macro-open": b"machine h login u macdef m\nbin",
        "twice": b"machine h login u machine H login v default login d default login e",
        "empty-entry": b"machine h default login d",
        "hosts": "\ufeffmachine bücher.example login ü machine ::1 password p machine 127.1 account a".encode(),
        "open-quote": b'machine h login "u',
        "malformed": b"machine h port 80 login u",
        "cut": b"machine h login",
    }.items():
        yield "netrc", name, text


def socks_replies():
    bound = b"\5\0\0\1\x7f\0\0\1\x1f\x90"
    for name, data in {
        "four": b"\0\0\x5a\0\0\0\0\0\0rest",
        "four-refused": b"\0\0\x5b\0\0\0\0\0\0",
        "four-is-five": b"\0\5\0",
        "five": b"\1\5\0" + bound + b"rest",
        "five-login": b"\3\5\2\1\0" + bound,
        "five-login-refused": b"\3\5\2\1\1",
        "five-no-login": b"\3\5\0" + bound,
        "five-none": b"\1\5\xff",
        "five-unasked": b"\1\5\2",
        "five-name": b"\1\5\0\5\0\0\3\5proxy\0\0",
        "five-no-name": b"\1\5\0\5\0\0\3\0\0\0",
        "five-ipv6": b"\1\5\0\5\0\0\4" + bytes(18),
        "five-refused": b"\1\5\0\5\5\0\1" + bytes(6),
        "five-unknown": b"\1\5\0\5\0\0\2" + bytes(6),
        "http": b"\1HTTP/1.1 400 Bad Request\r\n\r\n",
    }.items():
        yield "socks", name, data


def tunnels():
    digest = b'Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n'
    for name, data in {
        "open": b"HTTP/1.1 200 OK\r\n\r\n",
        "open-http-1.0": b"HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n",
        "open-with-body": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK",
        "open-after-hints": b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
        "refused": b"HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nno!!",
        "refused-chunked": b"HTTP/1.1 502 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno!\r\n0\r\n\r\n",
        "refused-cut": b"HTTP/1.1 502 No\r\nContent-Length: 9\r\n\r\nno",
        "refused-until-close": b"HTTP/1.0 403 No\r\n\r\nno",
        "asks-digest": b"HTTP/1.1 407 Who\r\n" + digest + b"Content-Length: 0\r\n\r\n",
        "asks-digest-closing": b"HTTP/1.1 407 Who\r\nConnection: close\r\n" + digest + b"\r\n",
        "asks-basic": b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
        "switches": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
        "two-lengths": b"HTTP/1.1 403 No\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nno",
        "ssh": b"SSH-2.0-x\r\n",
    }.items():
        yield "connect", name, data


def proxies():
    for number, (url, listed, target) in enumerate([
        ("http://u:p%40@proxy.example:3128/", "localhost, .example.org", "http://www.example.org/"),
        ("socks5h://[::1]", "10.0.0.0/8,::1,[fd00::]/8", "http://[fd00::1]:81/"),
        ("https://PROXY.example", "example.org:8080 *.example", "http://example.org:8080/"),
        ("socks4://u@127.1:80", "127.0.0.1:80,[::1]:80,0.0.0.0/0", "http://127.0.0.1/"),
        ("proxy:3128", "*", "http://h/"),
        ("ftp://h", "::ffff:10.0.0.1", "http://[::ffff:10.0.0.1]/"),
        ("http://u:a#b@h", "b\u00fccher.example.,EXAMPLE", "http://xn--bcher-kva.example./"),
    ]):
        yield "proxies", f"{number}", f"{url}\n{listed}\n{target}".encode()


def exchanges():
    for name, data in {
        "length": OK + b"Content-Length: 5\r\n\r\nhello",
        "length-short": OK + b"Content-Length: 6\r\n\r\nhello",
        "chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
        "until-close": OK + b"\r\nhello",
        "interim": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi",
    }.items():
        for choice in (0, 1, 2):
            yield "exchange", f"{name}-{choice}", bytes([choice]) + data


def codings():
    """Data that is whole, and the same with an error in it."""
    text = b"The quick brown fox jumps over the lazy dog. " * 8
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = raw.compress(text) + raw.flush()
    packed = gzip.compress(text, mtime=0)
    name = b"\x1f\x8b\x08\x0c\0\0\0\0\0\3\2\0abname\0" + packed[10:]
    for target, samples in {
        "decode_gzip": [packed, packed * 2 + b"rubbish", name, gzip.compress(b"", mtime=0)],
        "decode_deflate": [zlib.compress(text), raw, zlib.compress(text, 0), b"\3\0"],
        "decode_brotli": [BROTLI, badserver.BR, b"\3", b"\x80\2\x10abc\3"],
        "decode_zstd": [
            ZSTD, badserver.ZSTD, ZSTD * 2, b"\x5f\x2a\x4d\x18\3\0\0\0abc" + ZSTD,
            b"\x28\xb5\x2f\xfd\0\x68\x02\0\x10x\x11\0\0ab", (HERE / "../crates/bequest/src/response/decode/tests/few.zst").read_bytes(),
        ],
    }.items():
        for number, data in enumerate(samples):
            for seed in (0, 7):
                yield target, f"whole-{number}-{seed}", bytes([seed]) + data
            yield target, f"cut-{number}", b"\7" + data[:-3]
            yield target, f"broken-{number}", b"\7" + data[:-9] + bytes([data[-9:][0] ^ 64]) + data[-8:]


def texts():
    russian = "Вчера вечером мы долго гуляли."
    for number, (codec, text) in enumerate([
        ("utf-8", russian), ("utf-8-sig", russian), ("cp1251", russian), ("koi8_r", russian), ("cp855", russian),
        ("utf-16-le", "plain, é"), ("utf-32-be", "plain, é"), ("utf-16", "é\U0001f600"), ("cp1252", "d’après l’été"),
        ("shift_jis", "日本語のテキスト"), ("euc_jp", "日本語のテキスト"), ("iso2022_jp", "日本語のテキスト"),
        ("euc_kr", "한국어 텍스트"), ("johab", "한국어 漢字 ㄱ"), ("iso2022_kr", "한국어\n텍스트"), ("gb18030", "中文文本\U00020000"),
        ("hz", "中文~文本"), ("big5", "中文文本"), ("cp874", "ข้อความ"), ("cp1255", "טקסט"),
        ("koi8_r", "<meta charset='koi8-r'>" + russian), ("cp1251", "<?xml encoding=\"windows-1251\"?>" + russian),
    ]):
        yield "charset", f"{codec}-{number:02}", bytes([number, number % 5]) + text.encode(codec)
    for number, value in enumerate([
        "text/html", "TEXT/Html; Charset=\"utf-8\"", "text/plain;charset='utf-8';", "text/html; a=\"\\\";\"; charset=x",
        "application/vnd.x+json", "text/html; charset=\"utf-8", ";;=;charset", "text/html; charset=; charset=x", "a/b; charset=\"\\",
    ]):
        yield "content_type", f"{number}", value.encode()


def links():
    for number, fields in enumerate([
        '<https://api.github.com/users/k/repos?page=2>; rel="next", <https://api.github.com/users/k/repos?page=7>; rel="last"',
        '<c>; rel="next prev"; title="a, b; \\"c\\" <d>"; Type = text/html ; flag;x=',
        "</>; rel=up,<http:>;rel=odd\n<plain>", '<a>; rel="x', "<a>;;;=;,", "junk, <a> junk; rel=x, <b", "<>,", "<<>>", "<a>;",
        "<\u2603>; title*=UTF-8''%e2%98%83; rel=\u00e9", '<a>; rel="\\', "  < a >  ;  rel  =  next  ",
    ]):
        for seed in (0, 1):
            yield "links", f"{number}-{seed}", bytes([seed]) + fields.encode()


def auth_fields():
    challenges = [
        'Digest realm="a \\"b\\", c", nonce="n,=", qop="auth,auth-int", algorithm=SHA-256, opaque="o", userhash=true',
        'Basic realm="x", charset="UTF-8", Digest realm=y, nonce=a/b+c==, algorithm=MD5-sess, stale=TRUE',
        "Negotiate YWJj/+==, NTLM\nDigest realm=r, nonce=n, domain=\"/x http://h/y :::\"",
        'Newauth realm="apps", type=1, title="Login to \\"apps\\""', ",,,==\"", "Digest realm=my own, nonce=b", 'Digest realm="a',
        'Digest realm="a\\', 'realm=a, Digest nonce = "b"\tqop\t=\tauth', "Digest realm=\u00e9, nonce=\u00e9, charset=utf-8", "a b c, d=",
    ]
    infos = ['nextnonce="b,\\"", qop=auth, rspauth="", cnonce="c", nc=00000001', "NEXTNONCE=x", 'nextnonce="a\tb"', '=junk"', "nextnonce="]
    for number, fields in enumerate(challenges):
        for seed in (0, 1):
            yield "www_authenticate", f"{number}-{seed}", bytes([seed]) + fields.encode()
    for number, field in enumerate(infos):
        yield "authentication_info", f"{number}", field.encode()


def pem_texts():
    both, key = certificates.CERTIFICATE + certificates.PKCS8, certificates.PKCS8
    for name, text in {
        "certificate": certificates.CERTIFICATE,
        "both": both,
        "key-first": key + certificates.CERTIFICATE,
        "sec1": certificates.CERTIFICATE + certificates.SEC1,
        "encrypted": certificates.CERTIFICATE + certificates.PBKDF2,
        "scrypt": certificates.CERTIFICATE + certificates.SCRYPT,
        "old-encryption": certificates.CERTIFICATE + key.replace(b"-----\n", b"-----\nProc-Type: 4,ENCRYPTED\n", 1),
        "crl": certificates.CRL,
        "text-between": b"# one\r\n" + both.replace(b"\n", b"\r\n") + b"-----BEGIN NOTHING-----\n",
        "key-alone": key,
        "cut": both[:-40],
        "empty-section": b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    }.items():
        yield "pem", name, text


def pkcs12_stores():
    for name, text in certificates.PKCS12.items():
        yield "pkcs12", name, base64.b64decode(text)


def main():
    count = 0
    known = {file.stem for file in (HERE / "src/bin").glob("*.rs")}
    sources = (from_badserver(), heads(), chunks(), framings(), urls(), edits(), forms(), set_cookies(), cookie_dates(), cookie_files(), netrcs(), socks_replies(), tunnels(), proxies(), exchanges(), codings(), texts(), links(), auth_fields(), pem_texts(), pkcs12_stores(), REGRESSIONS)
    for source in sources:
        for target, name, data in source:
            if target not in known:
                continue
            folder = HERE / "corpus" / target
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
            count += 1
    print(f"{count} inputs")


if __name__ == "__main__":
    main()
