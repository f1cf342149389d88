"""HTTP/2 by hand: frames and headers as bytes, because no library would send what these cases send."""

import asyncio
import struct
from dataclasses import dataclass

import doors

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL,
 COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM) = range(12)
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = range(1, 6)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# Generous, as the machine may be busy: only what fails waits so long.
PATIENCE = 10


class Failed(Exception):
    """The door did otherwise than it must."""


@dataclass
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self):
        """The error code of a RST_STREAM or GOAWAY."""
        at = 4 if self.kind == GOAWAY else 0
        return struct.unpack_from(">I", self.payload, at)[0]


def frame(kind, flags, stream, payload=b"", length=None):
    return struct.pack(">I", len(payload) if length is None else length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def window(stream, by):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", by))


def number(value, bits, first=0):
    """An integer with a prefix of so many bits (RFC 7541, 5.1)."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    made, value = bytearray([first | most]), value - most
    while value >= 128:
        made.append(value % 128 | 128)
        value //= 128
    return bytes(made + bytes([value]))


# Huffman's code for the letters that the cases use (RFC 7541, appendix B): those of five, of six and of seven bits.
CODE = {letter: (code, 5) for code, letter in enumerate("012aceiost")}
CODE |= {letter: (0x14 + at, 6) for at, letter in enumerate(" %-./3456789=A_bdfghlmnpru")}
CODE |= {letter: (0x5C + at, 7) for at, letter in enumerate(":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz")}


def huffman(text):
    bits = "".join(f"{CODE[letter][0]:0{CODE[letter][1]}b}" for letter in text)
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def string(text, coded=False):
    text = text if isinstance(text, bytes) else text.encode("latin-1")
    if coded:
        text = huffman(text.decode())
    return number(len(text), 7, 0x80 if coded else 0) + text


def literal(name, value, kind=0x10, coded=False, index=0):
    """A literal header field: 0x40 with indexing, 0x00 without, 0x10 never; its name by index or as a string."""
    head = number(index, 6 if kind == 0x40 else 4, kind)
    return head + (b"" if index else string(name, coded)) + string(value, coded)


def block(headers):
    return b"".join(literal(name, value) for name, value in headers)


def request(mark, method="GET", path=None, more=(), **changed):
    """The four pseudo-headers and more; a keyword changes one, or leaves it out (None)."""
    pseudo = {"method": method, "scheme": "https", "path": path or f"/e/{mark}", "authority": doors.HOST, **changed}
    return [(f":{name}", value) for name, value in pseudo.items() if value is not None] + list(more)


def status_of(payload, flags):
    """The status at the start of an answer's block, as far as it needs no dynamic table; 0 otherwise."""
    if flags & PADDED:
        payload = payload[1 : len(payload) - payload[0]]
    if flags & WITH_PRIORITY:
        payload = payload[5:]
    while payload and payload[0] & 0xE0 == 0x20:
        payload = payload[1:] if payload[0] & 0x1F < 0x1F else payload[3:]
    if not payload:
        return 0
    first = payload[0]
    if first & 0x80:
        return {0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}.get(first, 0)
    # A literal whose name is the table's `:status` (8 to 14).
    if not 8 <= first & 0x0F <= 14 or len(payload) < 2:
        return 0
    length, text = payload[1] & 0x7F, payload[2 : 2 + (payload[1] & 0x7F)]
    if payload[1] & 0x80:
        bits, digits = "".join(f"{byte:08b}" for byte in text), ""
        table = {f"{code:0{n}b}": letter for letter, (code, n) in CODE.items() if letter.isdigit()}
        while len(digits) < 3:
            size = 5 if bits[:5] in table else 6
            digits, bits = digits + table[bits[:size]], bits[size:]
        return int(digits)
    return int(text) if length == 3 else 0


class Connection:
    """A connection whose frames are ours. Settings and pings of the door are answered where nothing else is said."""

    def __init__(self, reader, writer, mark):
        self.reader, self.writer, self.mark = reader, writer, mark
        self.most_streams = None
        self.answers_pings = True
        self.verdict = ""

    @classmethod
    async def silent(cls, door, context, mark):
        reader, writer = await asyncio.open_connection("127.0.0.1", door.tls, ssl=context, server_hostname=doors.HOST)
        if writer.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
            raise Failed("does not speak HTTP/2")
        return cls(reader, writer, mark)

    async def greet(self, *pairs):
        """Says hello, and hears the door's."""
        self.write(PREFACE + settings(*pairs))
        heard, acknowledged = False, False
        while not (heard and acknowledged):
            got = await self.next()
            if got is None:
                raise Failed("closed before its settings")
            heard |= got.kind == SETTINGS and not got.flags & ACK
            acknowledged |= got.kind == SETTINGS and bool(got.flags & ACK)
        return self

    def write(self, *pieces):
        try:
            self.writer.write(b"".join(pieces))
        except (ConnectionError, OSError):
            pass

    def headers(self, stream, headers, flags=END_STREAM | END_HEADERS):
        self.write(frame(HEADERS, flags, stream, block(headers)))

    def get(self, stream, flags=END_STREAM | END_HEADERS, **changed):
        self.headers(stream, request(self.mark, **changed), flags)

    def post(self, stream, more=(), **changed):
        """The head of a POST whose body follows."""
        self.headers(stream, request(self.mark, "POST", more=[("content-type", "text/plain"), *more], **changed), END_HEADERS)

    def data(self, stream, payload=b"", flags=END_STREAM):
        self.write(frame(DATA, flags, stream, payload))

    async def next(self, patience=PATIENCE):
        """The next frame; None at the connection's end."""
        try:
            head = await asyncio.wait_for(self.reader.readexactly(9), patience)
            length, kind, flags, stream = struct.unpack(">I", b"\0" + head[:3])[0], head[3], head[4], struct.unpack(">I", head[5:])[0]
            payload = await asyncio.wait_for(self.reader.readexactly(length), patience)
        except (asyncio.IncompleteReadError, ConnectionError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise Failed("nothing happened") from error
            return None
        except asyncio.TimeoutError as error:
            raise Failed("nothing happened") from error
        got = Frame(kind, flags, stream & 0x7FFFFFFF, payload)
        if kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload) - 5, 6):
                name, value = struct.unpack_from(">HI", payload, at)
                if name == MAX_CONCURRENT_STREAMS:
                    self.most_streams = value
            self.write(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK and self.answers_pings:
            self.write(frame(PING, ACK, 0, payload))
        return got

    async def connection_error(self, *codes):
        """The connection ends; `verdict` is what a strict judge says of how: with GOAWAY and one of these codes."""
        self.verdict = "closed without a word"
        while (got := await self.next()) is not None:
            if got.kind == GOAWAY and self._is_right(got, codes):
                return

    async def stream_error(self, stream, *codes):
        """The stream ends by one of these codes, or the connection does; `verdict` as above."""
        self.verdict = "closed without a word"
        while (got := await self.next()) is not None:
            if (got.kind == GOAWAY or (got.kind == RST_STREAM and got.stream == stream)) and self._is_right(got, codes):
                return

    def _is_right(self, got, codes):
        """As h2spec: a wrong code is no answer, but a connection that then ends has ended."""
        self.verdict = None if got.code in codes else f"{'GOAWAY' if got.kind == GOAWAY else 'RST_STREAM'} {got.code}"
        return self.verdict is None

    async def ended(self):
        while await self.next() is not None:
            pass

    async def malformed(self, stream):
        """A malformed request: reset, or answered 400, or the connection's end (RFC 9113, 8.1.1)."""
        self.verdict = "closed without a word"
        while (got := await self.next()) is not None:
            if (got.kind == GOAWAY or (got.kind == RST_STREAM and got.stream == stream)) and self._is_right(got, (PROTOCOL_ERROR,)):
                return
            if got.kind == HEADERS and got.stream == stream:
                if status_of(got.payload, got.flags) != 400:
                    raise Failed(f"answered {status_of(got.payload, got.flags)}")
                self.verdict = None
                return

    async def answered(self, stream, wanted=200):
        """An answer with that status; with any, for None."""
        while (got := await self.next()) is not None:
            if got.kind == HEADERS and got.stream == stream:
                status = status_of(got.payload, got.flags)
                if wanted is not None and status != wanted:
                    raise Failed(f"answered {status}")
                return status
            if got.kind == GOAWAY and got.code != NO_ERROR or (got.kind == RST_STREAM and got.stream == stream):
                raise Failed(f"{'GOAWAY' if got.kind == GOAWAY else 'RST_STREAM'} {got.code}")
        raise Failed("closed")

    async def whole(self, stream):
        """An answer to its end."""
        while (got := await self.next()) is not None:
            if got.stream == stream and got.kind in (HEADERS, DATA) and got.flags & END_STREAM:
                return
            if got.kind == GOAWAY and got.code != NO_ERROR or (got.kind == RST_STREAM and got.stream == stream):
                raise Failed(f"{'GOAWAY' if got.kind == GOAWAY else 'RST_STREAM'} {got.code}")
        raise Failed("closed")

    async def data_of(self, stream, length):
        """The next DATA that holds something, and it holds so much."""
        while (got := await self.next()) is not None:
            if got.kind == DATA and got.stream == stream and got.payload:
                if len(got.payload) != length:
                    raise Failed(f"DATA of {len(got.payload)}")
                return
            if got.kind in (GOAWAY, RST_STREAM):
                raise Failed(f"{'GOAWAY' if got.kind == GOAWAY else 'RST_STREAM'} {got.code}")
        raise Failed("closed")

    async def alive(self, payload=b"postward"):
        """A PING is answered: the connection has taken no harm."""
        self.write(frame(PING, 0, 0, payload))
        while (got := await self.next()) is not None:
            if got.kind == PING and got.flags & ACK:
                if got.payload != payload:
                    raise Failed("another PING was answered")
                return
            if got.kind == GOAWAY:
                raise Failed(f"GOAWAY {got.code}")
        raise Failed("closed")

    async def settled(self):
        while (got := await self.next()) is not None:
            if got.kind == SETTINGS and got.flags & ACK:
                return
            if got.kind == GOAWAY:
                raise Failed(f"GOAWAY {got.code}")
        raise Failed("closed")

    def close(self):
        self.writer.close()
