"""HTTP/2 requests that HTTP/1 cannot say, or says otherwise: smuggling on the way down (H2.CL, H2.TE), names and values with line ends.

A door may reset the stream, end the connection or answer 4xx; then nothing may have arrived. Or it passes the request on, where RFC
9113 leaves that open; then exactly one must have arrived, each byte of it readable in one way only.
"""

from dataclasses import dataclass

from doors import HOST
from exchange import BODY, EITHER, PASS, REFUSE
from frames import DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, block, frame, request, status_of

SMUGGLED = b"GET /smuggled/IIIIIIII HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\n\r\n"
# Bytes that mean something to some reader of HTTP/1, and their neighbours.
ODD = [*range(0x00, 0x21), *b"\"(),/:;<=>?@[\\]{}_.~", 0x7F, 0x80, 0x85, 0xA0, 0xFF]


@dataclass(frozen=True)
class Case:
    """A request as headers, a body, and perhaps trailers. `forbidden` must not arrive."""

    family: str
    name: str
    headers: tuple
    want: str
    body: bytes = BODY
    trailers: tuple = ()
    forbidden: tuple = ()
    transports: tuple = ("tls",)


def post(*more, method="POST", path="/e/IIIIIIII", **changed):
    return tuple(request("", method, path, [("content-type", "text/plain"), *more], **changed))


def cases():
    made = []

    def add(family, *rows):
        for name, headers, want, *more in rows:
            made.append(Case(family, name, tuple(headers), want, **(more[0] if more else {})))

    length = str(len(BODY))
    add(
        "HTTP/2 to HTTP/1: lengths and codings",
        ("a plain request", post(), PASS),
        ("its length", post(("content-length", length)), PASS),
        ("its length twice", post(("content-length", length), ("content-length", length)), EITHER),
        ("two lengths", post(("content-length", length), ("content-length", "3")), REFUSE),
        *((f"a length of {value!r}", post(("content-length", value)), REFUSE) for value in (
            "0", "3", "99", "-1", f"+{length}", f"{length}.0", f"0x{len(BODY):x}", f"{length} {length}", f"{length},{length}x", "", "a",
            "18446744073709551635", f"{length}\x0b",
        )),
        ("H2.CL: a request behind the length", post(("content-length", "0")), REFUSE, {"body": SMUGGLED}),
        ("H2.CL: a request behind the length of a GET", post(("content-length", "0"), method="GET"), REFUSE, {"body": SMUGGLED}),
        ("no length, a request as body of a GET", post(method="GET"), EITHER, {"body": SMUGGLED}),
        ("no length, a request as body of a HEAD", post(method="HEAD"), EITHER, {"body": SMUGGLED}),
        ("H2.TE: chunked", post(("transfer-encoding", "chunked")), REFUSE, {"body": b"0\r\n\r\n" + SMUGGLED}),
        *((f"H2.TE: {value!r}", post(("transfer-encoding", value)), REFUSE, {"body": b"0\r\n\r\n" + SMUGGLED}) for value in (
            "Chunked", "identity", "chunked, identity", "gzip, chunked", "", "x", " chunked", "chunked\t",
        )),
        *((f"H2.TE under {name!r}", post((name, "chunked")), EITHER, {"body": b"0\r\n\r\n" + SMUGGLED}) for name in (
            "transfer_encoding", "transfer.encoding", "x-transfer-encoding", "transferencoding",
        )),
        *((f"H2.TE under {name!r}", post((name, "chunked")), REFUSE, {"body": b"0\r\n\r\n" + SMUGGLED}) for name in (
            "transfer-encoding ", " transfer-encoding", "transfer-encoding\t", "Transfer-Encoding", "transfer-encoding\r", "\ntransfer-encoding",
            "transfer-encoding:", "transfer-encoding\0", "x: y\r\ntransfer-encoding", "transfer-encoding: chunked\r\nx",
        )),
        *((f"a hop's own: {name}: {value}", post((name, value)), REFUSE) for name, value in (
            ("connection", "close"), ("connection", "content-length"), ("keep-alive", "5"), ("proxy-connection", "close"), ("upgrade", "h2c"),
            ("te", "gzip"), ("te", "chunked"),
        )),
        ("te: trailers", post(("te", "trailers")), PASS, {"forbidden": (b"te",)}),
        ("http2-settings", post(("http2-settings", "AAMAAABk")), EITHER, {"forbidden": (b"http2-settings",)}),
        ("100-continue", post(("expect", "100-continue"), ("content-length", length)), PASS),
    )
    authority = lambda value: post(authority=value)  # noqa: E731
    add(
        "HTTP/2 to HTTP/1: pseudo-headers",
        *((f"a path of {value!r}", post(path=value), want) for value, want in (
            ("e/IIIIIIII", REFUSE), ("*", REFUSE), (f"https://{HOST}/e/IIIIIIII", REFUSE), ("/e/IIIIIIII HTTP/1.1", REFUSE),
            ("/e/IIIIIIII HTTP/1.1\r\nHost: x", REFUSE), ("/e/IIIIIIII\r\n", REFUSE), ("/e/IIIIIIII?a b", REFUSE), ("/e/IIIIIIII\t", REFUSE),
            ("//e/IIIIIIII", EITHER), ("/e/IIIIIIII#b", EITHER), ("/e/IIIIIIII?\\", EITHER), ("/e/IIIIIIII?%00", EITHER),
        )),
        ("a request in the path", post(path="/e/IIIIIIII HTTP/1.1\r\nHost: x\r\n\r\nGET /smuggled/IIIIIIII"), REFUSE),
        *((f"a method of {value!r}", post(method=value), want) for value, want in (
            ("GET /smuggled/IIIIIIII HTTP/1.1\r\nX:", REFUSE), ("GET ", REFUSE), (" GET", REFUSE), ("GE T", REFUSE), ("", REFUSE), ("P\r\nST", REFUSE),
            ("POST\0", REFUSE), ("P:ST", REFUSE), ("post", EITHER), ("CONNECT", REFUSE), ("TRACE", REFUSE), ("BREW", EITHER),
        )),
        ("a CONNECT as such", (( ":method", "CONNECT"), (":authority", HOST)), REFUSE),
        ("a WebSocket by CONNECT", (*post(method="CONNECT"), (":protocol", "websocket")), REFUSE),
        *((f"a scheme of {value!r}", post(scheme=value), want) for value, want in (
            ("", REFUSE), ("ftp", EITHER), ("http", EITHER), ("https://x/?", REFUSE), ("ht\r\ntp", REFUSE), ("https ", REFUSE),
        )),
        *((f"an authority of {value!r}", authority(value), want) for value, want in (
            ("", REFUSE), (f"{HOST} x", REFUSE), (f"me@{HOST}", REFUSE), (f"{HOST}\r\nx: y", REFUSE), (f"{HOST}/a", REFUSE), (f"{HOST}:x", REFUSE),
            (f"{HOST}, other.example.org", REFUSE), (f"{HOST}\0", REFUSE), (f"{HOST}:443", EITHER), (HOST.upper(), EITHER),
        )),
        ("no authority, no host", authority(None), REFUSE),
        ("no authority, a host", (*authority(None), ("host", HOST)), PASS),
        ("the same host", post(("host", HOST)), EITHER),
        ("another host", post(("host", "other.example.org")), EITHER, {"forbidden": (b"other.example.org",)}),
        ("two hosts", post(("host", HOST), ("host", HOST)), EITHER),
        ("an authority twice", ((":authority", HOST), *post()), REFUSE),
        ("a second path", ((":path", "/smuggled/IIIIIIII"), *post()), REFUSE),
        ("a pseudo-header behind the others", (*post(), (":path", "/smuggled/IIIIIIII")), REFUSE),
        ("an unknown pseudo-header", ((":x", "y"), *post()), REFUSE),
        ("a status", ((":status", "200"), *post()), REFUSE),
        ("a pseudo-header with capitals", ((":Path", "/smuggled/IIIIIIII"), *post()), REFUSE),
        ("an empty name", post(("", "b")), REFUSE),
        ("a name of a colon", post((":", "b")), REFUSE),
        ("a name with capitals", post(("X-A", "b")), REFUSE),
    )
    line = "\r\n\r\nGET /smuggled/IIIIIIII HTTP/1.1\r\nHost: x\r\n\r\n"
    add(
        "HTTP/2 to HTTP/1: line ends within",
        ("a request in a value", post(("x", f"b{line}")), REFUSE),
        ("a request in a name", post((f"x: b{line}y", "b")), REFUSE),
        ("a header in a value", post(("x", "b\r\ntransfer-encoding: chunked")), REFUSE),
        ("a header in a value behind LF", post(("x", "b\ntransfer-encoding: chunked")), REFUSE),
        ("a header in a value behind CR", post(("x", "b\rtransfer-encoding: chunked")), REFUSE),
        ("a header in a cookie", post(("cookie", "a=b\r\nx: y")), REFUSE),
        ("a header in the host", post(("host", f"{HOST}\r\nx: y")), REFUSE),
        *((f"byte 0x{byte:02x} in a name", post((f"x{chr(byte)}y", "b")), REFUSE if byte < 0x21 or byte >= 0x7F or byte == 0x3A else EITHER) for byte in ODD),
        *((f"byte 0x{byte:02x} before a name", post((f"{chr(byte)}x", "b")), REFUSE if byte < 0x21 or byte >= 0x7F or byte == 0x3A else EITHER) for byte in ODD),
        *((f"byte 0x{byte:02x} behind a name", post((f"x{chr(byte)}", "b")), REFUSE if byte < 0x21 or byte >= 0x7F or byte == 0x3A else EITHER) for byte in ODD),
        *((f"byte 0x{byte:02x} in a value", post(("x", f"a{chr(byte)}b")), REFUSE if byte in (0, 10, 13) else EITHER) for byte in ODD),
        *((f"byte 0x{byte:02x} before a value", post(("x", f"{chr(byte)}b")), REFUSE if byte in (0, 10, 13) else EITHER) for byte in ODD),
        *((f"byte 0x{byte:02x} behind a value", post(("x", f"b{chr(byte)}")), REFUSE if byte in (0, 10, 13) else EITHER) for byte in ODD),
        *((f"byte 0x{byte:02x} in the path", post(path=f"/e/IIIIIIII?a{chr(byte)}b"), REFUSE if byte < 0x21 or byte == 0x7F else EITHER) for byte in ODD),
        *((f"byte 0x{byte:02x} in the method", post(method=f"PO{chr(byte)}ST"), REFUSE if byte < 0x21 or byte >= 0x7F or byte in b'"(),/:;<=>?@[\\]{}' else EITHER) for byte in ODD),
    )
    claims = ("x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip", "via", "x-remote-user", "x-original-url", "x_forwarded_for")
    add(
        "HTTP/2 to HTTP/1: trailers and claims",
        ("a trailer", post(), PASS, {"trailers": (("x-sum", "1"),)}),
        *((f"a trailer: {name!r}", post(), want, {"trailers": ((name, value),), "forbidden": forbidden}) for name, value, want, forbidden in (
            ("content-length", "3", EITHER, (b"content-length: 3",)), ("transfer-encoding", "chunked", EITHER, ()), ("host", "other.example.org", EITHER, (b"other.example.org",)),
            ("authorization", "Bearer x", EITHER, (b"authorization",)), ("x-forwarded-for", "192.0.2.7", EITHER, (b"192.0.2.7",)),
            ("x\r\ny", "b", REFUSE, ()), ("x", "b\r\ny: z", REFUSE, ()), ("x y", "b", REFUSE, ()), ("X", "b", REFUSE, ()), ("x\0", "b", REFUSE, ()),
            (":path", "/smuggled/IIIIIIII", REFUSE, ()), ("", "b", REFUSE, ()),
        )),
        *((f"a claim: {name}", post((name, "192.0.2.7")), EITHER, {"forbidden": (b"192.0.2.7",)}) for name in claims),
    )
    return made


async def run(connection, case):
    """Sends a case, and says what became of it: a status, or 0 for a reset and -1 for the connection's end."""
    fill = lambda text: text.replace("IIIIIIII", connection.mark)  # noqa: E731
    body = case.body.replace(b"IIIIIIII", connection.mark.encode())
    headers = block([(fill(name), fill(value)) for name, value in case.headers])
    connection.write(frame(HEADERS, END_HEADERS, 1, headers), frame(DATA, 0 if case.trailers else END_STREAM, 1, body))
    if case.trailers:
        trailers = block([(fill(name), fill(value)) for name, value in case.trailers])
        connection.write(frame(HEADERS, END_HEADERS | END_STREAM, 1, trailers))
    while (got := await connection.next()) is not None:
        if got.kind == HEADERS and got.stream == 1:
            status = status_of(got.payload, got.flags)
            # 100 Continue comes before the answer.
            if status != 100:
                return status
        if got.kind == RST_STREAM and got.stream == 1:
            return 0
        if got.kind == GOAWAY:
            return -1
    return -1


def judge(case, mark, fate, arrivals):
    """What is wrong with it, or None."""
    if any(arrival.fault for arrival in arrivals):
        return f"upstream could read it in two ways: {next(arrival.fault for arrival in arrivals if arrival.fault)}"
    if any(b"/smuggled/" in arrival.path for arrival in arrivals):
        return "a smuggled request arrived upstream"
    for arrival in arrivals:
        for word in case.forbidden:
            if word in arrival.names or (len(word) > 4 and word in arrival.head):
                return f"{word.decode()} arrived upstream"
    refused = fate <= 0 or fate >= 400
    shown = {0: "reset", -1: "ended"}.get(fate, str(fate))
    if case.want == REFUSE or (case.want == EITHER and refused):
        if arrivals:
            return f"was not refused: it arrived upstream ({shown})"
        return None if refused else f"was not refused: {shown}"
    if refused:
        return f"was not passed on: {shown}"
    if len(arrivals) != 1:
        return f"arrived {len(arrivals)} times upstream"
    return None if arrivals[0].body == case.body.replace(b"IIIIIIII", mark.encode()) else "arrived with another body"
