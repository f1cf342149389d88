"""What RFC 9113 and RFC 7541 ask of a server, section by section: the cases that h2spec (a Go program, not used here) made known, written
from the RFCs' own words. As there, a connection error is held by GOAWAY with the right code or by the connection's end, a stream error by
RST_STREAM, GOAWAY or the end. The strict judge asks the same cases for the code itself. Sections of RFC 7540 that RFC 9113 dropped are
named as such.

Each case is a name, a function of a greeted connection, and how often its request may arrive at the upstream: what is no request must not.
"""

from dataclasses import dataclass
from typing import Callable

from frames import (
    ACK, COMPRESSION_ERROR, CONTINUATION, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY, HEADERS,
    INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, PADDED, PING, PREFACE, PRIORITY, PROTOCOL_ERROR, PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS,
    STREAM_CLOSED, WINDOW_UPDATE, WITH_PRIORITY, Failed, block, frame, huffman, literal, number, request, settings, string, window,
)

GENERIC, FRAMES, PACKING, STRICT = "HTTP/2, what is right", "HTTP/2, RFC 9113", "HPACK, RFC 7541", "HTTP/2 and HPACK, strict: the error named, with its code"
CANCELLED = b"\0\0\0\x08"
LAST = END_STREAM | END_HEADERS


@dataclass(frozen=True)
class Case:
    family: str
    name: str
    run: Callable
    arrives: bool
    greets: bool = True


CASES = []


def case(family, name, arrives=True, greets=True):
    def take(run):
        CASES.append(Case(family, name, run, arrives, greets))
        return run

    return take


def rows(family, arrives=True):
    """Cases that only write something and await one thing."""

    def take(made):
        for name, write, hear in made():
            async def run(c, write=write, hear=hear):
                write(c)
                await hear(c)

            CASES.append(Case(family, name, run, arrives))
        return made

    return take


def priority(on, weight=15, exclusive=False):
    return (on | (0x80000000 if exclusive else 0)).to_bytes(4, "big") + bytes([weight])


def error(*codes):
    return lambda c: c.connection_error(*codes)


def reset(stream, *codes):
    return lambda c: c.stream_error(stream, *codes)


def alive(c):
    return c.alive()


def answered(c):
    return c.answered(1)


def whole(c):
    return c.whole(1)


# -- generic: what is right is served --------------------------------------------------------------------------------------------------


@rows(GENERIC)
def generic():
    head = lambda c: block(request(c.mark))  # noqa: E731
    yield "1 a preface and settings", lambda c: None, alive
    yield "2 PRIORITY on an idle stream", lambda c: (c.write(frame(PRIORITY, 0, 1, priority(0))), c.get(1)), answered
    yield "2 WINDOW_UPDATE on a half-closed stream", lambda c: (c.get(1), c.write(window(1, 1))), answered
    yield "2 PRIORITY on a half-closed stream", lambda c: (c.get(1), c.write(frame(PRIORITY, 0, 1, priority(0)))), answered
    yield "2 RST_STREAM on a half-closed stream", lambda c: (c.get(1), c.write(frame(RST_STREAM, 0, 1, CANCELLED))), alive
    yield "3.1 DATA", lambda c: (c.post(1), c.data(1, b"test")), answered
    yield "3.1 DATA in pieces", lambda c: (c.post(1), c.data(1, b"te", 0), c.data(1, b"st")), answered
    yield "3.1 DATA with padding", lambda c: (c.post(1), c.data(1, b"\x06test" + bytes(6), END_STREAM | PADDED)), answered
    yield "3.2 HEADERS", lambda c: c.get(1), answered
    yield "3.2 HEADERS with padding", lambda c: c.write(frame(HEADERS, LAST | PADDED, 1, b"\x06" + head(c) + bytes(6))), answered
    yield "3.2 HEADERS with a priority", lambda c: c.write(frame(HEADERS, LAST | WITH_PRIORITY, 1, priority(0) + head(c))), answered
    yield "3.3 PRIORITY of 1", lambda c: (c.write(frame(PRIORITY, 0, 1, priority(0, 0))), c.get(1)), answered
    yield "3.3 PRIORITY of 256", lambda c: (c.write(frame(PRIORITY, 0, 1, priority(0, 255))), c.get(1)), answered
    yield "3.3 PRIORITY with a dependency", lambda c: (c.write(frame(PRIORITY, 0, 3, priority(1))), c.get(3)), lambda c: c.answered(3)
    yield "3.3 PRIORITY, exclusive", lambda c: (c.write(frame(PRIORITY, 0, 3, priority(1, 255, True))), c.get(3)), lambda c: c.answered(3)
    yield "3.3 PRIORITY on an idle stream, HEADERS on a lower one", lambda c: (c.write(frame(PRIORITY, 0, 5, priority(0))), c.get(3)), lambda c: c.answered(3)
    yield "3.4 RST_STREAM", lambda c: (c.post(1), c.write(frame(RST_STREAM, 0, 1, CANCELLED))), alive
    yield "3.5 SETTINGS", lambda c: c.write(settings()), lambda c: c.settled()
    yield "3.7 PING", lambda c: None, alive
    yield "3.9 WINDOW_UPDATE of the connection", lambda c: (c.write(window(0, 1)), c.get(1)), answered
    yield "3.9 WINDOW_UPDATE of a stream", lambda c: (c.get(1), c.write(window(1, 1))), answered
    yield "3.10 one CONTINUATION", lambda c: split(c, 2), answered
    yield "3.10 many CONTINUATIONs", lambda c: split(c, 5), answered
    yield "4 GET", lambda c: c.get(1), whole
    yield "4 HEAD", lambda c: c.get(1, method="HEAD"), whole
    yield "4 POST", lambda c: (c.post(1), c.data(1, b"test")), whole
    yield "4 POST with trailers", lambda c: (c.post(1), c.data(1, b"test", 0), c.headers(1, [("x-sum", "1")])), whole
    for kind, words in ((0x40, "with indexing"), (0x00, "without indexing"), (0x10, "never indexed")):
        for coded in (False, True):
            for index, name in ((58, "user-agent"), (0, "x-test")):
                title = f"5 a literal {words}, {'indexed' if index else 'new'} name{', Huffman' if coded else ''}"
                field = literal(name, "test", kind, coded, index)
                yield title, lambda c, field=field: c.write(frame(HEADERS, LAST, 1, head(c) + field)), answered
    yield "5 an indexed field", lambda c: c.write(frame(HEADERS, LAST, 1, b"\x82" + block(request(c.mark, method=None)))), answered
    yield "5 a change of the table's size", lambda c: c.write(frame(HEADERS, LAST, 1, number(1024, 5, 0x20) + head(c))), answered
    yield "5 two changes of the table's size", lambda c: c.write(frame(HEADERS, LAST, 1, number(0, 5, 0x20) + number(4096, 5, 0x20) + head(c))), answered


def split(c, pieces, method="GET"):
    """One header block in HEADERS and CONTINUATION frames."""
    text = block(request(c.mark, method, more=[(f"x-{at}", "test") for at in range(pieces)]))
    size = -(-len(text) // pieces)
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    c.write(frame(HEADERS, END_STREAM, 1, parts[0]))
    for at, part in enumerate(parts[1:], 2):
        c.write(frame(CONTINUATION, END_HEADERS if at == len(parts) else 0, 1, part))


@case(GENERIC, "2 PRIORITY on a closed stream")
async def _(c):
    c.get(1)
    await c.whole(1)
    c.write(frame(PRIORITY, 0, 1, priority(0)))
    await c.alive()


@case(GENERIC, "3.8 GOAWAY")
async def _(c):
    c.write(frame(GOAWAY, 0, 0, bytes(8)))
    c.write(frame(PING, 0, 0, bytes(8)))
    # It may answer the PING, or end; an error it is not.
    while (got := await c.next()) is not None:
        if got.kind == PING:
            return
        if got.kind == GOAWAY and got.code:
            raise Failed(f"GOAWAY {got.code}")


# -- RFC 9113, 3 and 4: greeting, frames, header blocks --------------------------------------------------------------------------------


@case(FRAMES, "3.4 a preface is answered by settings", greets=False)
async def _(c):
    c.write(PREFACE + settings())
    got = await c.next()
    if got is None or got.kind != SETTINGS:
        raise Failed("not settings first")


@case(FRAMES, "3.4 a wrong preface", greets=False)
async def _(c):
    c.write(b"INVALID CONNECTION PREFACE\r\n\r\n" + bytes(64))
    await c.connection_error(PROTOCOL_ERROR)
    # Who does not speak HTTP/2 needs no GOAWAY (3.4).
    c.verdict = None


@rows(FRAMES)
def frames_as_such():
    yield "4.1 a frame of an unknown type", lambda c: c.write(frame(0xFF, 0, 0, bytes(8))), alive
    yield "4.1 flags that have no meaning", lambda c: c.write(frame(PING, 0x16, 0, bytes(8))), lambda c: heard_ping(c, bytes(8))
    yield "4.1 the reserved bit", lambda c: c.write(frame(PING, 0, 0x80000000, bytes(8))), lambda c: heard_ping(c, bytes(8))
    yield "4.2 DATA of 16,384 bytes", lambda c: (c.post(1), c.data(1, b"a" * 16384)), answered


async def heard_ping(c, payload):
    while (got := await c.next()) is not None:
        if got.kind == PING and got.flags & ACK:
            if got.payload != payload:
                raise Failed("another PING was answered")
            return
        if got.kind == GOAWAY:
            raise Failed(f"GOAWAY {got.code}")
    raise Failed("closed")


@rows(FRAMES, arrives=False)
def blocks():
    head = lambda c: block(request(c.mark))  # noqa: E731
    post = lambda c: block(request(c.mark, "POST"))  # noqa: E731
    large = b"".join(literal("x-large", "a" * 4000) for _ in range(5))
    yield "4.2 DATA longer than the largest frame", lambda c: (c.post(1), c.data(1, b"a" * 16385)), reset(1, FRAME_SIZE_ERROR)
    yield "4.2 HEADERS longer than the largest frame", lambda c: c.write(frame(HEADERS, LAST, 1, head(c) + large)), error(FRAME_SIZE_ERROR)
    yield "4.3 a block that cannot be unpacked", lambda c: c.write(frame(HEADERS, LAST, 1, b"\xff\xff\xff\xff\xff\xff\xff\xff")), error(COMPRESSION_ERROR)
    yield "4.3 PRIORITY within a block", lambda c: c.write(frame(HEADERS, END_STREAM, 1, head(c)), frame(PRIORITY, 0, 1, priority(0)), frame(CONTINUATION, END_HEADERS, 1, literal("x", "y"))), error(PROTOCOL_ERROR)
    yield "4.3 HEADERS of another stream within a block", lambda c: c.write(frame(HEADERS, END_STREAM, 1, head(c)), frame(HEADERS, LAST, 3, head(c))), error(PROTOCOL_ERROR)
    yield "5.1 idle: DATA", lambda c: c.data(1, b"test"), error(PROTOCOL_ERROR)
    yield "5.1 idle: RST_STREAM", lambda c: c.write(frame(RST_STREAM, 0, 1, CANCELLED)), error(PROTOCOL_ERROR)
    yield "5.1 idle: WINDOW_UPDATE", lambda c: c.write(window(1, 100)), error(PROTOCOL_ERROR)
    yield "5.1 idle: CONTINUATION", lambda c: c.write(frame(CONTINUATION, END_HEADERS, 1, head(c))), error(PROTOCOL_ERROR)
    yield "5.1.1 a stream of an even number", lambda c: c.get(2), error(PROTOCOL_ERROR)
    yield "5.3.1 (RFC 7540) HEADERS that depend on themselves", lambda c: c.write(frame(HEADERS, LAST | WITH_PRIORITY, 1, priority(1) + head(c))), reset(1, PROTOCOL_ERROR)
    yield "5.3.1 (RFC 7540) PRIORITY that depends on itself", lambda c: c.write(frame(PRIORITY, 0, 2, priority(2))), reset(2, PROTOCOL_ERROR)
    yield "5.5 an unknown frame within a block", lambda c: c.write(frame(HEADERS, END_STREAM, 1, head(c)), frame(0xFF, 0, 1, bytes(8))), error(PROTOCOL_ERROR)
    yield "6.1 DATA on stream 0", lambda c: c.data(0, b"test"), error(PROTOCOL_ERROR)
    yield "6.1 DATA with more padding than frame", lambda c: (c.post(1), c.write(frame(DATA, END_STREAM | PADDED, 1, b"\xfftest"))), error(PROTOCOL_ERROR)
    yield "6.2 HEADERS without an end, PRIORITY", lambda c: c.write(frame(HEADERS, END_STREAM, 1, head(c)), frame(PRIORITY, 0, 1, priority(0))), error(PROTOCOL_ERROR)
    yield "6.2 HEADERS without an end, HEADERS of another stream", lambda c: c.write(frame(HEADERS, END_STREAM, 1, head(c)), frame(HEADERS, LAST, 3, head(c))), error(PROTOCOL_ERROR)
    yield "6.2 HEADERS on stream 0", lambda c: c.get(0), error(PROTOCOL_ERROR)
    yield "6.2 HEADERS with more padding than frame", lambda c: c.write(frame(HEADERS, LAST | PADDED, 1, b"\xff" + head(c))), error(PROTOCOL_ERROR)
    yield "6.3 PRIORITY on stream 0", lambda c: c.write(frame(PRIORITY, 0, 0, priority(1))), error(PROTOCOL_ERROR)
    yield "6.3 PRIORITY of 4 bytes", lambda c: (c.post(1), c.write(frame(PRIORITY, 0, 1, bytes(4)))), reset(1, FRAME_SIZE_ERROR)
    yield "6.4 RST_STREAM on stream 0", lambda c: c.write(frame(RST_STREAM, 0, 0, CANCELLED)), error(PROTOCOL_ERROR)
    yield "6.4 RST_STREAM of an idle stream", lambda c: c.write(frame(RST_STREAM, 0, 1, CANCELLED)), error(PROTOCOL_ERROR)
    yield "6.4 RST_STREAM of 3 bytes", lambda c: (c.post(1), c.write(frame(RST_STREAM, 0, 1, bytes(3)))), error(FRAME_SIZE_ERROR)
    yield "6.5 SETTINGS with ACK and a payload", lambda c: c.write(frame(SETTINGS, ACK, 0, bytes(6))), error(FRAME_SIZE_ERROR)
    yield "6.5 SETTINGS on a stream", lambda c: c.write(frame(SETTINGS, 0, 1, bytes([0, 3, 0, 0, 0, 100]))), error(PROTOCOL_ERROR)
    yield "6.5 SETTINGS of 3 bytes", lambda c: c.write(frame(SETTINGS, 0, 0, bytes(3))), error(FRAME_SIZE_ERROR)
    yield "6.5.2 ENABLE_PUSH of 2", lambda c: c.write(settings((ENABLE_PUSH, 2))), error(PROTOCOL_ERROR)
    yield "6.5.2 INITIAL_WINDOW_SIZE of 2^31", lambda c: c.write(settings((INITIAL_WINDOW_SIZE, 1 << 31))), error(FLOW_CONTROL_ERROR)
    yield "6.5.2 MAX_FRAME_SIZE of 16,383", lambda c: c.write(settings((MAX_FRAME_SIZE, 16383))), error(PROTOCOL_ERROR)
    yield "6.5.2 MAX_FRAME_SIZE of 2^24", lambda c: c.write(settings((MAX_FRAME_SIZE, 1 << 24))), error(PROTOCOL_ERROR)
    yield "6.7 PING on a stream", lambda c: c.write(frame(PING, 0, 1, bytes(8))), error(PROTOCOL_ERROR)
    yield "6.7 PING of 6 bytes", lambda c: c.write(frame(PING, 0, 0, bytes(6))), error(FRAME_SIZE_ERROR)
    yield "6.8 GOAWAY on a stream", lambda c: c.write(frame(GOAWAY, 0, 1, bytes(8))), error(PROTOCOL_ERROR)
    yield "6.9 WINDOW_UPDATE by 0", lambda c: c.write(window(0, 0)), error(PROTOCOL_ERROR)
    yield "6.9 WINDOW_UPDATE of a stream by 0", lambda c: (c.post(1), c.write(window(1, 0))), reset(1, PROTOCOL_ERROR)
    yield "6.9 WINDOW_UPDATE of 3 bytes", lambda c: c.write(frame(WINDOW_UPDATE, 0, 0, bytes(3))), error(FRAME_SIZE_ERROR)
    yield "6.9.1 a window of the connection over 2^31-1", lambda c: c.write(window(0, 0x7FFFFFFF), window(0, 0x7FFFFFFF)), error(FLOW_CONTROL_ERROR)
    yield "6.9.1 a window of a stream over 2^31-1", lambda c: (c.post(1), c.write(window(1, 0x7FFFFFFF), window(1, 0x7FFFFFFF))), reset(1, FLOW_CONTROL_ERROR)
    yield "6.9.2 INITIAL_WINDOW_SIZE over the most", lambda c: c.write(settings((INITIAL_WINDOW_SIZE, 0x80000000))), error(FLOW_CONTROL_ERROR)
    yield "6.10 CONTINUATION, then DATA", lambda c: c.write(frame(HEADERS, 0, 1, post(c)), frame(CONTINUATION, 0, 1, literal("x", "y")), frame(DATA, END_STREAM, 1, b"test")), error(PROTOCOL_ERROR)
    yield "6.10 CONTINUATION on stream 0", lambda c: c.write(frame(HEADERS, END_STREAM, 1, head(c)), frame(CONTINUATION, END_HEADERS, 0, literal("x", "y"))), error(PROTOCOL_ERROR)
    yield "6.10 CONTINUATION after DATA", lambda c: (c.post(1), c.data(1, b"test", 0), c.write(frame(CONTINUATION, END_HEADERS, 1, literal("x", "y")))), error(PROTOCOL_ERROR)
    yield "8.1 a second HEADERS that does not end the stream", lambda c: (c.post(1), c.data(1, b"test", 0), c.headers(1, [("x-test", "ok")], END_HEADERS)), reset(1, PROTOCOL_ERROR)
    yield "8.4 PUSH_PROMISE", lambda c: c.write(frame(PUSH_PROMISE, END_HEADERS, 1, bytes([0, 0, 0, 2]) + head(c))), error(PROTOCOL_ERROR)


@rows(FRAMES)
def with_an_end():
    head = lambda c: block(request(c.mark))  # noqa: E731
    ended = lambda c: c.get(1)  # noqa: E731
    # HEADERS with the number of a stream that is over are late, or an unexpected number (5.1, 5.1.1): the RFC has a code for each. Of a
    # stream that never began, and by a later one never can, there is one.
    late = (STREAM_CLOSED, PROTOCOL_ERROR)
    yield "5.1 half-closed: DATA", lambda c: (ended(c), c.data(1, b"test")), reset(1, STREAM_CLOSED)
    yield "5.1 half-closed: HEADERS", lambda c: (ended(c), c.get(1)), reset(1, *late)
    yield "5.1 half-closed: CONTINUATION", lambda c: (ended(c), c.write(frame(CONTINUATION, END_HEADERS, 1, literal("x", "y")))), reset(1, *late)
    cancelled = lambda c: (c.post(1), c.write(frame(RST_STREAM, 0, 1, CANCELLED)))  # noqa: E731
    yield "5.1 closed by RST_STREAM: DATA", lambda c: (cancelled(c), c.data(1, b"test")), reset(1, STREAM_CLOSED)
    yield "5.1 closed by RST_STREAM: HEADERS", lambda c: (cancelled(c), c.get(1)), reset(1, *late)
    yield "5.1 closed by RST_STREAM: CONTINUATION", lambda c: (cancelled(c), c.write(frame(CONTINUATION, END_HEADERS, 1, literal("x", "y")))), reset(1, *late)
    yield "5.1.1 a stream of a lower number", lambda c: (c.get(5), c.get(3)), error(PROTOCOL_ERROR)
    yield "5.5 an unknown frame", lambda c: c.write(frame(0xFF, 0, 0, bytes(8))), alive
    yield "6.1 DATA on a stream that is not open", lambda c: (ended(c), c.data(1, b"test")), reset(1, STREAM_CLOSED)
    yield "6.5.2 an unknown setting", lambda c: c.write(settings((0xFF, 1))), alive
    yield "6.5.3 settings are taken in their order", lambda c: (c.write(settings((INITIAL_WINDOW_SIZE, 100), (INITIAL_WINDOW_SIZE, 1))), c.get(1)), lambda c: c.data_of(1, 1)
    yield "6.5.3 settings are acknowledged", lambda c: c.write(settings((ENABLE_PUSH, 0))), lambda c: c.settled()
    yield "6.7 PING", lambda c: None, alive
    yield "6.7 PING with ACK is not answered", lambda c: c.write(frame(PING, ACK, 0, b"unasked!")), alive
    yield "6.9.1 a window of one byte", lambda c: (c.write(settings((INITIAL_WINDOW_SIZE, 1))), c.get(1)), lambda c: c.data_of(1, 1)
    yield "6.10 CONTINUATIONs", lambda c: split(c, 3), answered
    yield "6.10 CONTINUATION after END_HEADERS", lambda c: c.write(frame(HEADERS, LAST, 1, head(c)), frame(CONTINUATION, END_HEADERS, 1, literal("x", "y"))), error(PROTOCOL_ERROR)
    yield "6.10 CONTINUATION after the last CONTINUATION", lambda c: c.write(frame(HEADERS, END_STREAM, 1, head(c)), frame(CONTINUATION, END_HEADERS, 1, literal("x", "y")), frame(CONTINUATION, END_HEADERS, 1, literal("x", "z"))), error(PROTOCOL_ERROR)
    yield "7 RST_STREAM with an unknown code", lambda c: (c.post(1), c.write(frame(RST_STREAM, 0, 1, b"\0\0\0\xff"))), alive


for late_name, late_write, late_codes in (
    ("DATA", lambda c: c.data(1, b"test"), (STREAM_CLOSED,)),
    ("HEADERS", lambda c: c.get(1), (STREAM_CLOSED, PROTOCOL_ERROR)),
    ("CONTINUATION", lambda c: c.write(frame(CONTINUATION, END_HEADERS, 1, literal("x", "y"))), (STREAM_CLOSED, PROTOCOL_ERROR)),
):

    @case(FRAMES, f"5.1 closed: {late_name}")
    async def _(c, write=late_write, codes=late_codes):
        c.get(1)
        await c.whole(1)
        write(c)
        await c.stream_error(1, *codes)


@case(FRAMES, "5.1.2 more streams than allowed", arrives=False)
async def _(c):
    if c.most_streams is None:
        raise Failed("sets no limit")
    for at in range(c.most_streams + 1):
        c.post(2 * at + 1)
    await c.stream_error(2 * c.most_streams + 1, PROTOCOL_ERROR, REFUSED_STREAM)


@case(FRAMES, "5.4.1 the connection ends after its error")
async def _(c):
    c.write(frame(PING, 0, 3, bytes(8)))
    await c.ended()


@case(FRAMES, "6.9.2 a window that grows while an answer waits")
async def _(c):
    c.write(settings((INITIAL_WINDOW_SIZE, 0)))
    c.get(1)
    await c.answered(1)
    c.write(settings((INITIAL_WINDOW_SIZE, 1)))
    await c.data_of(1, 1)


@case(FRAMES, "6.9.2 a window below zero")
async def _(c):
    c.write(settings((INITIAL_WINDOW_SIZE, 3)))
    c.get(1)
    await c.data_of(1, 3)
    c.write(settings((INITIAL_WINDOW_SIZE, 2)), window(1, 2))
    await c.data_of(1, 1)


@case(FRAMES, "7 GOAWAY with an unknown code")
async def _(c):
    c.write(frame(GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\xff"))
    c.write(frame(PING, 0, 0, bytes(8)))
    while (got := await c.next()) is not None:
        if got.kind == PING:
            return
        if got.kind == GOAWAY and got.code:
            raise Failed(f"GOAWAY {got.code}")


# -- RFC 9113, 8: what is no request ---------------------------------------------------------------------------------------------------


@rows(FRAMES, arrives=False)
def no_requests():
    get = lambda **changed: lambda c: c.get(1, **changed)  # noqa: E731
    more = lambda *headers: lambda c: c.get(1, more=headers)  # noqa: E731
    twice = lambda name, value: lambda c: c.headers(1, [(name, value), *request(c.mark)])  # noqa: E731
    malformed = lambda c: c.malformed(1)  # noqa: E731
    yield "8.2.1 a name with capitals", more(("X-TEST", "ok")), malformed
    yield "8.3 an unknown pseudo-header", twice(":test", "ok"), malformed
    yield "8.3 a pseudo-header of answers", twice(":status", "200"), malformed
    yield "8.3 a pseudo-header in trailers", lambda c: (c.get(1, flags=END_HEADERS, more=[("trailer", "x-test")]), c.headers(1, [(":method", "GET"), ("x-test", "ok")])), malformed
    yield "8.3 a pseudo-header behind the others", lambda c: c.headers(1, [*request(c.mark, path=None, method="GET")[:1], ("x", "y"), *request(c.mark)[1:]]), malformed
    yield "8.2.2 a header of the connection", more(("connection", "keep-alive")), malformed
    yield "8.2.2 TE other than trailers", more(("trailers", "test"), ("te", "trailers, deflate")), malformed
    yield "8.3.1 an empty :path", lambda c: c.headers(1, [(name, "" if name == ":path" else value) for name, value in request(c.mark)]), malformed
    yield "8.3.1 no :method", get(method=None), malformed
    yield "8.3.1 no :scheme", get(scheme=None), malformed
    yield "8.3.1 no :path", lambda c: c.headers(1, [pair for pair in request(c.mark) if pair[0] != ":path"]), malformed
    yield "8.3.1 :method twice", twice(":method", "GET"), malformed
    yield "8.3.1 :scheme twice", twice(":scheme", "https"), malformed
    yield "8.3.1 :path twice", twice(":path", "/"), malformed
    yield "8.1.1 a length that is not that of DATA", lambda c: (c.post(1, [("content-length", "1")]), c.data(1, b"test")), malformed
    yield "8.1.1 a length that is not that of two DATA", lambda c: (c.post(1, [("content-length", "1")]), c.data(1, b"test", 0), c.data(1, b"test")), malformed


# -- RFC 7541 --------------------------------------------------------------------------------------------------------------------------


@rows(PACKING, arrives=False)
def packing():
    def with_field(field, before=b""):
        return lambda c: c.write(frame(HEADERS, LAST, 1, before + block(request(c.mark)) + field))

    broken = error(COMPRESSION_ERROR)
    coded = huffman("test")
    yield "2.3.3 an index beyond the tables", with_field(number(70, 7, 0x80)), broken
    yield "2.3.3 a name's index beyond the tables", with_field(number(70, 6, 0x40) + string("test")), broken
    yield "4.2 a change of the table's size behind a field", with_field(number(100, 5, 0x20)), broken
    yield "5.2 Huffman padding of more than 7 bits", with_field(b"\x00" + string("x") + number(len(coded) + 1, 7, 0x80) + coded + b"\xff"), broken
    yield "5.2 Huffman padding of zeros", with_field(b"\x00" + string("x") + b"\x81\x18"), broken
    yield "5.2 Huffman's end of string", with_field(b"\x00" + string("x") + b"\x84" + b"\xff\xff\xff\xff"), broken
    yield "6.1 index 0", with_field(b"\x80"), broken
    yield "6.3 a table larger than allowed", with_field(b"", number(4097 * 16, 5, 0x20)), broken
