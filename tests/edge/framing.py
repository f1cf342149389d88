"""HTTP/1: requests that could be read in two ways, and their neighbours that can be read in one only."""

from doors import HOST
from exchange import BODY, DECLINE, EITHER, FIRST, MARK, PASS, REFUSE, SAFE, Case

NEXT = b"GET /next/" + MARK + b" HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\n\r\n"
SMUGGLED = b"GET /smuggled/" + MARK + b" HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\n\r\n"
HOST_LINE = f"Host: {HOST}\r\n"
LENGTH = f"Content-Length: {len(BODY)}\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
SIZE = f"{len(BODY):x}"
TEXT = BODY.decode()
WHOLE = f"{SIZE}\r\n{TEXT}\r\n0\r\n\r\n"


def raw(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def post(headers, body=BODY, line="POST /e/IIIIIIII HTTP/1.1", host=HOST_LINE):
    return raw(f"{line}\r\n{host}Content-Type: text/plain\r\n") + raw(headers) + b"\r\n" + raw(body)


def get(line, headers=HOST_LINE):
    return raw(line) + b"\r\n" + raw(headers) + b"\r\n"


def target(path):
    return get(f"GET {path} HTTP/1.1")


def chunked(body):
    return post(CHUNKED, body)


def cases():
    """Every case, family by family."""
    made = []

    def add(family, *rows):
        for name, send, want, *more in rows:
            options = more[0] if more else {}
            pieces = send if isinstance(send, tuple) else (raw(send),)
            has_body = isinstance(send, tuple) or b"POST " in raw(send)[:30]
            made.append(Case(family, name, pieces, want, **{"body": BODY if has_body else b"", **options}))

    def row(words):
        return {"row": words}

    with_length = lambda more: post(LENGTH + more)  # noqa: E731
    add(
        "length and coding",
        ("both", with_length(CHUNKED), REFUSE, row("`Content-Length` with `Transfer-Encoding`")),
        ("coding, then length", post(CHUNKED + LENGTH, "0\r\n\r\n"), REFUSE),
        ("both, a request behind the chunks", post(f"Content-Length: {5 + len(SMUGGLED)}\r\n{CHUNKED}", b"0\r\n\r\n" + SMUGGLED), REFUSE),
        ("chunked twice, two lines", post(CHUNKED + CHUNKED, WHOLE), REFUSE, row("`Transfer-Encoding: chunked` twice")),
        ("chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n", WHOLE), REFUSE),
        ("gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", WHOLE), REFUSE, row("`gzip, chunked`")),
        ("gzip alone", post("Transfer-Encoding: gzip\r\n"), REFUSE),
        (",chunked", post("Transfer-Encoding: ,chunked\r\n", WHOLE), REFUSE, row("`,chunked`")),
        ("chunked,", post("Transfer-Encoding: chunked,\r\n", WHOLE), REFUSE),
        ("chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", WHOLE), REFUSE, row("`chunked, identity`")),
        ("identity, chunked", post("Transfer-Encoding: identity, chunked\r\n", WHOLE), REFUSE),
        ("identity", post("Transfer-Encoding: identity\r\n"), REFUSE),
        ("identity, and a length", post(f"Transfer-Encoding: identity\r\n{LENGTH}"), REFUSE),
        ("chunkedx", post("Transfer-Encoding: chunkedx\r\n", WHOLE), REFUSE),
        ("xchunked", post("Transfer-Encoding: xchunked\r\n", WHOLE), REFUSE),
        ("chunked with a parameter", post("Transfer-Encoding: chunked;a=b\r\n", WHOLE), REFUSE),
        ("chunked in quotes", post('Transfer-Encoding: "chunked"\r\n', WHOLE), REFUSE),
        ("an empty coding", post("Transfer-Encoding:\r\n", WHOLE), REFUSE),
        ("an empty coding, and a length", with_length("Transfer-Encoding:\r\n"), REFUSE),
        ("a vertical tab before chunked", post("Transfer-Encoding: \x0bchunked\r\n", WHOLE), REFUSE),
        ("a blank before the colon", post("Transfer-Encoding : chunked\r\n", WHOLE), REFUSE),
        ("a folded coding", post("Transfer-Encoding:\r\n chunked\r\n", WHOLE), EITHER),
        ("CHUNKED in capitals", post("Transfer-Encoding: CHUNKED\r\n", WHOLE), PASS),
        ("chunked with blanks round it", post("Transfer-Encoding: \t chunked \t\r\n", WHOLE), PASS),
        ("1.0 with chunks", post(CHUNKED, WHOLE, line="POST /e/IIIIIIII HTTP/1.0"), REFUSE, row("HTTP/1.0 with `Transfer-Encoding`")),
        ("1.0 with both", post(LENGTH + CHUNKED, line="POST /e/IIIIIIII HTTP/1.0"), REFUSE),
        ("a coding under an underscore", with_length("Transfer_Encoding: chunked\r\n"), EITHER, row("`Transfer_Encoding` beside a length")),
        ("a coding under a dot", with_length("Transfer.Encoding: chunked\r\n"), EITHER),
    )
    add(
        "lengths",
        ("one length", with_length(""), PASS),
        ("the same twice", with_length(LENGTH), EITHER, row("`Content-Length` twice, the same")),
        ("a list of the same", post(f"Content-Length: {len(BODY)}, {len(BODY)}\r\n"), EITHER, row("`Content-Length: 19, 19`")),
        ("two lengths", with_length("Content-Length: 3\r\n"), REFUSE, row("two lengths that differ")),
        ("two lengths, the longer last", post(f"Content-Length: 3\r\n{LENGTH}"), REFUSE),
        ("a list of two", post(f"Content-Length: 3, {len(BODY)}\r\n"), REFUSE),
        ("+19", post(f"Content-Length: +{len(BODY)}\r\n"), REFUSE, row("`Content-Length: +19`")),
        ("-1", post("Content-Length: -1\r\n"), REFUSE),
        ("0x13", post("Content-Length: 0x13\r\n"), REFUSE),
        ("19.0", post(f"Content-Length: {len(BODY)}.0\r\n"), REFUSE),
        ("1e1", post("Content-Length: 1e1\r\n", "flu shots "), REFUSE),
        ("1_9", post("Content-Length: 1_9\r\n"), REFUSE),
        ("1 9", post("Content-Length: 1 9\r\n"), REFUSE),
        ("19;a=b", post(f"Content-Length: {len(BODY)};a=b\r\n"), REFUSE),
        ("an empty length", post("Content-Length:\r\n"), REFUSE),
        ("a word", post("Content-Length: abc\r\n"), REFUSE),
        ("65 bits", post("Content-Length: 18446744073709551635\r\n"), REFUSE, row("a length of 65 bits")),
        ("NUL behind the digits", post(f"Content-Length: {len(BODY)}\0\r\n"), REFUSE),
        ("a vertical tab before them", post(f"Content-Length: \x0b{len(BODY)}\r\n"), REFUSE),
        ("digits of another script", post("Content-Length: \xd9\xa1\r\n"), REFUSE),
        ("a blank before the colon", post(f"Content-Length : {len(BODY)}\r\n"), REFUSE),
        ("under an underscore beside a true one", with_length("Content_Length: 3\r\n"), EITHER),
        ("leading zeros", post(f"Content-Length: 000{len(BODY)}\r\n"), EITHER),
        ("none: what follows is the next request", post("", b"") + NEXT, PASS, {"body": b"", "paths": (b"/e/", b"/next/")}),
        ("0: what follows is the next request", post("Content-Length: 0\r\n", b"") + NEXT, PASS, {"body": b"", "paths": (b"/e/", b"/next/")}),
        ("1.0 POST without a length", get("POST /e/IIIIIIII HTTP/1.0"), EITHER, {"body": b"", **row("HTTP/1.0 POST without a length")}),
        ("GET with a body", get("GET /e/IIIIIIII HTTP/1.1", HOST_LINE + LENGTH + "Content-Type: text/plain\r\n") + BODY, EITHER, {"body": BODY, **row("GET with a body")}),
        ("GET with chunks", get("GET /e/IIIIIIII HTTP/1.1", HOST_LINE + CHUNKED + "Content-Type: text/plain\r\n") + raw(WHOLE), EITHER, {"body": BODY}),
        ("HEAD with a request as body", get("HEAD /e/IIIIIIII HTTP/1.1", f"{HOST_LINE}Content-Type: text/plain\r\nContent-Length: {len(SMUGGLED)}\r\n") + SMUGGLED, EITHER, {"body": SMUGGLED}),
        ("OPTIONS with a request as body", get("OPTIONS /e/IIIIIIII HTTP/1.1", f"{HOST_LINE}Content-Type: text/plain\r\nContent-Length: {len(SMUGGLED)}\r\n") + SMUGGLED, EITHER, {"body": SMUGGLED}),
        ("DELETE with a request as body", get("DELETE /e/IIIIIIII HTTP/1.1", f"{HOST_LINE}Content-Type: text/plain\r\nContent-Length: {len(SMUGGLED)}\r\n") + SMUGGLED, EITHER, {"body": SMUGGLED}),
    )
    add(
        "chunks",
        ("one chunk", chunked(WHOLE), PASS),
        ("two chunks", chunked(f"3\r\n{TEXT[:3]}\r\n{len(BODY) - 3:x}\r\n{TEXT[3:]}\r\n0\r\n\r\n"), PASS),
        ("capital digits and zeros before them", chunked(f"000{SIZE.upper()}\r\n{TEXT}\r\n0000\r\n\r\n"), PASS),
        ("an extension", chunked(f"{SIZE};a=b\r\n{TEXT}\r\n0;z\r\n\r\n"), EITHER, row("a chunk's extension")),
        ("an extension in quotes", chunked(f'{SIZE};a="b c"\r\n{TEXT}\r\n0\r\n\r\n'), EITHER),
        ("LF after the size", chunked(f"{SIZE}\n{TEXT}\r\n0\r\n\r\n"), REFUSE, row("LF after a chunk's size")),
        ("LF in an extension", chunked(f"{SIZE};a\nb\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE, row("LF in a chunk's extension")),
        ("CR in an extension", chunked(f"{SIZE};a\rb\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE, row("CR in a chunk's extension")),
        ("NUL in an extension", chunked(f"{SIZE};a\0b\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE),
        ("LF after the data", chunked(f"{SIZE}\r\n{TEXT}\n0\r\n\r\n"), REFUSE, row("LF after a chunk's data")),
        ("CR alone after the size", chunked(f"{SIZE}\r{TEXT}\r\n0\r\n\r\n"), REFUSE),
        ("no end after the data", chunked(f"{SIZE}\r\n{TEXT}0\r\n\r\n"), REFUSE),
        ("longer than its size", chunked(f"{len(BODY) - 1:x}\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE),
        ("shorter than its size", chunked(f"{len(BODY) + 1:x}\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE),
        ("a sign", chunked(f"+{SIZE}\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE),
        ("minus", chunked(f"-1\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE),
        ("0x", chunked(f"0x{SIZE}\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE, row("`0x` in a chunk's size")),
        ("an underscore among the digits", chunked(f"1_3\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE),
        ("a blank before the size", chunked(f" {SIZE}\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE),
        ("a blank after the size", chunked(f"{SIZE} \r\n{TEXT}\r\n0\r\n\r\n"), EITHER, row("a blank after a chunk's size")),
        ("a letter that is no digit", chunked(f"{SIZE}g\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE),
        ("no size", chunked(f"\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE),
        ("no size, an extension", chunked(f";a\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE),
        ("65 bits", chunked(f"10000000000000013\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE, row("a chunk's size of 65 bits")),
        ("64 bits", chunked(f"ffffffffffffffff\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE),
        ("a list", chunked(f"{SIZE}, {SIZE}\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE),
        ("an extension of 20 kB", chunked(f"{SIZE};{'a' * 20_000}\r\n{TEXT}\r\n0\r\n\r\n"), REFUSE),
        ("a second request in an extension behind LF", chunked(b"0;\n" + SMUGGLED + b"\r\n\r\n"), REFUSE),
        ("a last chunk that ends in LF", chunked(f"{SIZE}\r\n{TEXT}\r\n0\n\n"), REFUSE),
        ("the next request behind them", chunked(WHOLE) + NEXT, PASS, {"paths": (b"/e/", b"/next/")}),
        ("garbage behind them", chunked(WHOLE) + b"X\r\n\r\n", FIRST),
        ("chunks in single bytes", (chunked(f"{SIZE}\r\n{TEXT[:4]}"), raw(f"{TEXT[4:]}\r"), raw("\n0\r\n"), raw("\r\n")), PASS),
    )
    trailer = lambda text: chunked(f"{SIZE}\r\n{TEXT}\r\n0\r\n{text}\r\n")  # noqa: E731
    add(
        "trailers",
        ("a checksum", trailer("X-Sum: 1\r\n"), PASS, row("a trailer")),
        ("a length", trailer("Content-Length: 3\r\n"), EITHER, {"forbidden": (b"content-length: 3", b"Content-Length: 3")}),
        ("a coding", trailer("Transfer-Encoding: chunked\r\n"), EITHER, {"forbidden": ()}),
        ("a host", trailer("Host: other.example.org\r\n"), EITHER, {"forbidden": (b"other.example.org",)}),
        ("an authorization", trailer("Authorization: Bearer x\r\n"), EITHER, {"forbidden": (b"authorization",)}),
        ("an address", trailer("X-Forwarded-For: 192.0.2.7\r\n"), EITHER, {"forbidden": (b"192.0.2.7",)}),
        ("a blank in its name", trailer("a b: c\r\n"), REFUSE),
        ("a blank before its colon", trailer("a : c\r\n"), REFUSE),
        ("no colon", trailer("a\r\n"), EITHER),
        ("folded", trailer("a: b\r\n c\r\n"), REFUSE),
        ("NUL", trailer("a: \0\r\n"), REFUSE),
        ("LF", trailer("a: b\nc: d\r\n"), REFUSE),
        ("CR", trailer("a: b\rc: d\r\n"), REFUSE),
        ("a request in their place", chunked(f"{SIZE}\r\n{TEXT}\r\n0\r\n".encode() + SMUGGLED), REFUSE, row("a request in place of trailers")),
        ("endless", trailer("a: b\r\n" * 20_000), REFUSE),
    )
    add(
        "line ends and bytes",
        ("LF alone after a header", with_length("A: b\nC: d\r\n"), EITHER, row("bare LF after a header")),
        ("LF alone after the request line", raw(f"GET /e/IIIIIIII HTTP/1.1\n{HOST_LINE}\r\n"), EITHER, {"body": b""}),
        ("LF alone after every line", raw(f"GET /e/IIIIIIII HTTP/1.1\nHost: {HOST}\n\n"), EITHER, {"body": b"", **row("LF alone throughout")}),
        ("LF in a value before a coding", with_length("A: b\nTransfer-Encoding: chunked\r\n"), REFUSE),
        ("CR alone in a value", with_length("A: b\rC: d\r\n"), REFUSE, row("bare CR in a header")),
        ("CR alone as a line end", raw(f"GET /e/IIIIIIII HTTP/1.1\rHost: {HOST}\r\r"), REFUSE),
        ("CR CR LF", with_length("A: b\r\r\nC: d\r\n"), REFUSE),
        ("CR in the request line", get("GET /e/IIIIIIII\r HTTP/1.1"), REFUSE),
        ("CR before the version's end", get("GET /e/IIIIIIII HTTP/1.1\r"), REFUSE),
        ("NUL in a value", with_length("A: b\0\r\n"), EITHER, row("NUL in a header")),
        ("NUL in a name", with_length("A\0: b\r\n"), EITHER),
        ("NUL in the target", target("/e/IIIIIIII\0"), REFUSE),
        ("NUL in the method", get("GE\0T /e/IIIIIIII HTTP/1.1"), REFUSE),
        ("a control byte in a value", with_length("A: \x01\r\n"), EITHER, row("another control byte in a header")),
        ("DEL in a value", with_length("A: \x7f\r\n"), EITHER),
        ("ESC in the target", target("/e/IIIIIIII\x1b"), REFUSE),
        ("bytes above ASCII in a value", with_length("A: \xe9\r\n"), EITHER),
        ("a tab in a value", with_length("A: b\tc\r\n"), PASS),
        ("an empty line before", b"\r\n" + with_length(""), EITHER),
        ("two empty lines before", b"\r\n\r\n" + with_length(""), EITHER),
        ("LF before", b"\n" + with_length(""), EITHER),
        ("garbage before", b"garbage\r\n" + with_length(""), REFUSE),
        ("a byte order mark before", b"\xef\xbb\xbf" + with_length(""), REFUSE),
        ("a TLS hello on top", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40 + b"\r\n\r\n", REFUSE, row("a TLS hello, garbage")),
    )
    add(
        "headers",
        ("folded", with_length("A: b\r\n c\r\n"), EITHER, row("a folded line")),
        ("folded by a tab", with_length("A: b\r\n\tc\r\n"), EITHER),
        ("folded before the first", get("GET /e/IIIIIIII HTTP/1.1", f" A: b\r\n{HOST_LINE}"), REFUSE, {"body": b""}),
        ("a blank line of blanks", with_length(" \r\n"), EITHER),
        ("a folded host", get("GET /e/IIIIIIII HTTP/1.1", f"Host:\r\n {HOST}\r\n"), EITHER, {"body": b""}),
        ("a blank before the colon", with_length("A : b\r\n"), REFUSE, row("a blank before the colon")),
        ("a tab before the colon", with_length("A\t: b\r\n"), REFUSE),
        ("no name", with_length(": b\r\n"), EITHER),
        ("no colon", with_length("A\r\n"), REFUSE),
        ("a blank in the name", with_length("A b: c\r\n"), EITHER),
        *((f"{byte} in the name", with_length(f"A{byte}: b\r\n"), EITHER) for byte in '()<>@,;\\"/[]?={}'),
        ("a byte above ASCII in the name", with_length("A\xe9: b\r\n"), EITHER),
        ("no blank after the colon", with_length("A:b\r\n"), PASS),
        ("an empty value", with_length("A:\r\n"), PASS),
        ("101 headers", with_length("A: b\r\n" * 98), EITHER, row("101 headers")),
        ("10,000 headers", with_length("A: b\r\n" * 10_000), REFUSE, row("10,000 headers")),
        ("one of 70 kB", with_length(f"A: {'b' * 70_000}\r\n"), REFUSE, row("a header of 70 kB")),
        ("500 kB in all", with_length(f"A: {'b' * 5000}\r\n" * 100), REFUSE),
        ("a name of 70 kB", with_length(f"{'a' * 70_000}: b\r\n"), REFUSE),
    )
    absolute = f"GET http://{HOST}/e/IIIIIIII HTTP/1.1"
    add(
        "host and target",
        ("no host", get("GET /e/IIIIIIII HTTP/1.1", ""), REFUSE, row("no `Host`")),
        ("two hosts", get("GET /e/IIIIIIII HTTP/1.1", HOST_LINE + "Host: other.example.org\r\n"), REFUSE, row("two `Host`")),
        ("the same host twice", get("GET /e/IIIIIIII HTTP/1.1", HOST_LINE * 2), REFUSE),
        ("an empty host", get("GET /e/IIIIIIII HTTP/1.1", "Host:\r\n"), REFUSE),
        ("a blank in the host", get("GET /e/IIIIIIII HTTP/1.1", f"Host: {HOST} x\r\n"), REFUSE),
        ("a host with a user", get("GET /e/IIIIIIII HTTP/1.1", f"Host: me@{HOST}\r\n"), REFUSE),
        ("a host with a path", get("GET /e/IIIIIIII HTTP/1.1", f"Host: {HOST}/a\r\n"), REFUSE),
        ("a list of hosts", get("GET /e/IIIIIIII HTTP/1.1", f"Host: {HOST}, other.example.org\r\n"), REFUSE),
        ("a host with a port that is none", get("GET /e/IIIIIIII HTTP/1.1", f"Host: {HOST}:x\r\n"), REFUSE),
        ("a host behind a blank name", get("GET /e/IIIIIIII HTTP/1.1", f"Host : {HOST}\r\n"), REFUSE),
        ("a whole URL, the same host", get(absolute), EITHER, {"body": b"", **row("a whole URL as target, and the same `Host`")}),
        ("a whole URL, another host", get(absolute, "Host: other.example.org\r\n"), EITHER, {"body": b"", "forbidden": (b"other.example.org",), **row("a whole URL as target, and another `Host`")}),
        ("a whole URL of another host", get("GET http://other.example.org/e/IIIIIIII HTTP/1.1"), EITHER, {"body": b"", "forbidden": (b"other.example.org",)}),
        ("a whole URL, no host", get(absolute, ""), REFUSE),
        ("a whole URL with a user", get(f"GET http://me@{HOST}/e/IIIIIIII HTTP/1.1"), REFUSE),
        ("a whole URL of another scheme", get(f"GET ftp://{HOST}/e/IIIIIIII HTTP/1.1"), DECLINE),
        ("a whole URL without a host", get("GET http:///e/IIIIIIII HTTP/1.1"), REFUSE),
        ("an authority", get(f"GET {HOST}:80 HTTP/1.1"), DECLINE),
        ("a relative target", target("e/IIIIIIII"), DECLINE, row("a relative target")),
        ("*", target("*"), DECLINE, row("`GET *`")),
        ("a fragment", target("/e/IIIIIIII#b"), EITHER, {"body": b"", "forbidden": (b"#",), **row("a fragment")}),
        ("a backslash", target("/e/IIIIIIII?\\"), EITHER, {"body": b""}),
        ("a byte above ASCII", target("/e/IIIIIIII?\xe9"), EITHER, {"body": b"", **row("a byte above ASCII in the target")}),
        ("a tab", target("/e/IIIIIIII\tb"), REFUSE),
        ("a blank", target("/e/IIIIIIII b"), REFUSE),
        ("a version in the target", target("/e/IIIIIIII HTTP/1.1"), REFUSE),
        ("a line end, escaped", target("/e/IIIIIIII?%0d%0aA:%20b"), EITHER, {"body": b""}),
        ("40 kB of it", target("/e/IIIIIIII?" + "a" * 40_000), REFUSE, row("a target of 40 kB")),
        ("500 kB of it, without an end", raw("GET /e/IIIIIIII?" + "a" * 500_000), REFUSE),
    )
    add(
        "methods and versions",
        ("HTTP/0.9", b"GET /e/IIIIIIII\r\n", REFUSE, row("HTTP/0.9")),
        ("2.0", get("GET /e/IIIIIIII HTTP/2.0"), REFUSE, row("HTTP/2.0 in the request line")),
        ("1.2", get("GET /e/IIIIIIII HTTP/1.2"), EITHER, {"body": b"", **row("HTTP/1.2")}),
        ("3.0", get("GET /e/IIIIIIII HTTP/3.0"), REFUSE),
        ("1.10", get("GET /e/IIIIIIII HTTP/1.10"), REFUSE),
        ("1", get("GET /e/IIIIIIII HTTP/1"), REFUSE),
        ("01.1", get("GET /e/IIIIIIII HTTP/01.1"), REFUSE),
        ("http/1.1", get("GET /e/IIIIIIII http/1.1"), REFUSE),
        ("another protocol", get("GET /e/IIIIIIII RTSP/1.0"), REFUSE),
        ("a blank behind the version", get("GET /e/IIIIIIII HTTP/1.1 "), EITHER, {"body": b""}),
        ("two blanks", get("GET  /e/IIIIIIII HTTP/1.1"), EITHER, {"body": b"", **row("two blanks in the request line")}),
        ("two blanks before the version", get("GET /e/IIIIIIII  HTTP/1.1"), EITHER, {"body": b""}),
        ("tabs", get("GET\t/e/IIIIIIII\tHTTP/1.1"), REFUSE),
        ("a blank before the method", get(" GET /e/IIIIIIII HTTP/1.1"), REFUSE),
        ("no method", get("/e/IIIIIIII HTTP/1.1"), REFUSE),
        ("a colon in the method", get("GET: /e/IIIIIIII HTTP/1.1"), REFUSE),
        ("small letters", get("get /e/IIIIIIII HTTP/1.1"), EITHER, {"body": b"", **row("small letters as a method")}),
        ("CONNECT", get(f"CONNECT {HOST}:443 HTTP/1.1"), DECLINE, row("CONNECT")),
        ("CONNECT with a path", get("CONNECT /e/IIIIIIII HTTP/1.1"), DECLINE),
        ("TRACE", get("TRACE /e/IIIIIIII HTTP/1.1"), DECLINE, row("TRACE")),
        ("an unknown one", get("BREW /e/IIIIIIII HTTP/1.1"), EITHER, {"body": b""}),
        ("PURGE", get("PURGE /e/IIIIIIII HTTP/1.1"), EITHER, {"body": b""}),
        ("a long one", get("A" * 5000 + " /e/IIIIIIII HTTP/1.1"), EITHER, {"body": b""}),
        ("1.0 with a length", post(LENGTH, line="POST /e/IIIIIIII HTTP/1.0"), PASS),
        ("1.0 GET", get("GET /e/IIIIIIII HTTP/1.0"), PASS),
    )
    expects = (post(LENGTH + "Expect: 100-continue\r\n", b""), BODY)
    add(
        "Expect, TE, Upgrade, Connection",
        ("100-continue, and the body after our word", expects, PASS),
        ("100-continue, and the body at once", with_length("Expect: 100-continue\r\n"), PASS),
        ("another expectation", with_length("Expect: 200-ok\r\n"), EITHER, row("`Expect` other than `100-continue`")),
        ("100-continue twice", with_length("Expect: 100-continue\r\nExpect: 100-continue\r\n"), EITHER),
        ("100-continue of 1.0", post(LENGTH + "Expect: 100-continue\r\n", line="POST /e/IIIIIIII HTTP/1.0"), EITHER),
        ("TE: trailers", with_length("TE: trailers\r\nConnection: TE\r\n"), PASS, {"forbidden": (b"te",)}),
        ("TE: gzip", with_length("TE: gzip, trailers\r\nConnection: TE\r\n"), PASS, {"forbidden": (b"gzip",)}),
        ("h2c", with_length("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: Upgrade, HTTP2-Settings\r\n"), PASS, {"forbidden": (b"h2c", b"http2-settings"), **row("`Upgrade: h2c`")}),
        ("h2c, settings not named", with_length("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: Upgrade\r\n"), PASS, {"forbidden": (b"h2c",)}),
        ("Upgrade: foo, and a request behind it", get("GET /e/IIIIIIII HTTP/1.1", HOST_LINE + "Connection: Upgrade\r\nUpgrade: foo\r\n") + NEXT, EITHER, {"body": b"", "paths": (b"/e/", b"/next/")}),
        ("a WebSocket that the upstream does not make, and a request behind it", get("GET /e/IIIIIIII HTTP/1.1", HOST_LINE + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") + NEXT, SAFE),
        ("a WebSocket with a body", with_length("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), EITHER),
        *(
            (f"Connection: {name}", with_length(f"{more}Connection: {name}\r\n"), EITHER, {**row("`Connection: content-length`")} if name == "content-length" else {})
            for name, more in (
                ("host", ""), ("content-length", ""), ("content-type", ""), ("transfer-encoding", ""),
                ("authorization", "Authorization: Bearer x\r\n"), ("cookie", "Cookie: a=b\r\n"), ("x-forwarded-for", ""),
            )
        ),
        ("Connection: x-own", with_length("X-Own: 1\r\nConnection: x-own\r\n"), PASS),
        ("Connection: close, a request behind it", with_length("Connection: close\r\n") + SMUGGLED, PASS),
        ("Keep-Alive", with_length("Keep-Alive: timeout=5\r\nConnection: keep-alive\r\n"), PASS, {"forbidden": (b"timeout=5",)}),
        ("Proxy-Connection", with_length("Proxy-Connection: keep-alive\r\n"), PASS),
    )
    claims = (
        "X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Server", "X-Client-IP", "True-Client-IP",
        "CF-Connecting-IP", "X-Cluster-Client-IP", "X-Originating-IP", "X-Remote-Addr", "X-Remote-User", "X-Authenticated-User",
        "X-Original-URL", "X-Rewrite-URL", "X_Forwarded_For", "Client-IP", "Via",
    )
    add(
        "clients' claims of identity",
        *((name, with_length(f"{name}: 192.0.2.7\r\n"), EITHER, {"forbidden": (b"192.0.2.7",)}) for name in claims),
    )
    add(
        "pipelining",
        ("three in a row", with_length("") + NEXT + NEXT, PASS, {"paths": (b"/e/", b"/next/", b"/next/")}),
        ("a fault behind a request", with_length("") + b"GET /smuggled/IIIIIIII HTTP/1.1\r\nHost : x\r\n\r\n" + SMUGGLED, FIRST),
        ("a smuggled one behind a fault", post("Content-Length: +1\r\n", b"x") + SMUGGLED, REFUSE),
    )
    return made
