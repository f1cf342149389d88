"""Clients of every kind for the soak: each loops until told to stop, and counts what it got.

HTTP/2 is written by hand: a table of headers of size 0 is asked for, so that an answer's status stands at the start of its block.
"""

import asyncio
import base64
import itertools
import json
import logging
import os
import random
import ssl

from doors import HOST, tls
from house import BLOCKED, CLEAN, REDACTED, read_frame

# Writing to a connection that Postward has ended is what some of these are for.
logging.getLogger("asyncio").setLevel(logging.ERROR)

# Short ones: a number of six digits is somebody's, and a clean post would be none.
NUMBERS = itertools.cycle(range(10_000))
KINDS = ((CLEAN, 200), (BLOCKED, 422), (REDACTED, 200))
# Huffman's code of digits: five bits for 0 to 2, six for the rest.
CODE = {format(digit, "05b"): digit for digit in range(3)} | {format(digit - 3 + 0x19, "06b"): digit for digit in range(3, 10)}


class Tally:
    """What all clients counted, and what went otherwise than it must."""

    def __init__(self):
        self.answers, self.wrong, self.cut, self.stop = {}, [], 0, False

    def saw(self, kind, status, want):
        self.answers[(kind, status)] = self.answers.get((kind, status), 0) + 1
        if status not in (want if isinstance(want, tuple) else (want,)) and len(self.wrong) < 20:
            self.wrong.append(f"{kind}: {status}, not {want}")


def a_post(size=0):
    text, want = random.choice(KINDS)
    body = json.dumps({"status": text % next(NUMBERS)})
    if size:
        # Words, for a letter repeated would be no text; what identifies stands behind them.
        body = json.dumps({"status": "word " * (size // 5) + text % next(NUMBERS)})
    return body.encode(), want


async def connect(house, secure, protocol="http/1.1"):
    if not secure:
        return await asyncio.open_connection("127.0.0.1", house.plain, limit=1 << 20)
    return await asyncio.open_connection("127.0.0.1", house.tls, ssl=tls(protocol), server_hostname=HOST, limit=1 << 20)


async def answer_of(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.split(b":")[1]))
    return int(head.split(b" ", 2)[1]), b"connection: close" in head.lower()


def head_of(length, path="/api/v1/statuses", more=""):
    return (f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n").encode()


async def http1(house, tally, secure):
    """A stock client: some posts over one connection, then another."""
    reader, writer = await connect(house, secure)
    try:
        for _ in range(random.randint(1, 40)):
            body, want = a_post()
            writer.write(head_of(len(body)) + body)
            status, over = await answer_of(reader)
            tally.saw("http/1.1", status, want)
            if over or tally.stop:
                return
            await asyncio.sleep(0.01)
    finally:
        writer.close()


async def large(house, tally, secure):
    """Long posts, and some too long to be read, which are answered once they have come."""
    size, wants = random.choice(((100_000, None), (700_000, None), (17 << 20, (413, 422))))
    body, want = a_post(size)
    reader, writer = await connect(house, secure)
    try:
        writer.write(head_of(len(body)) + body)
        status, _ = await answer_of(reader)
        tally.saw("large", status, wants or (want, 422))
    finally:
        writer.close()
    await asyncio.sleep(1)


async def slow(house, tally, secure):
    """Half a head, half a body, an answer not taken: each until Postward ends it, or for some seconds."""
    reader, writer = await connect(house, secure)
    body, _ = a_post()
    part = random.choice((b"", b"POST /api", head_of(len(body)), head_of(len(body)) + body[:20], head_of(0, "/large").replace(b"POST", b"GET") * 20))
    try:
        writer.write(part)
        await asyncio.wait_for(reader.read() if b"/large" not in part else asyncio.sleep(3), 8)
    except asyncio.TimeoutError:
        pass
    finally:
        writer.close()
    tally.saw("slow", 0, 0)


async def malformed(house, tally, secure):
    """Requests that read two ways, bodies that do not parse, and clients that vanish."""
    body, _ = a_post()
    cut = body[:-1]
    part, want = random.choice((
        (head_of(len(body), more="Transfer-Encoding: chunked\r\n") + body, 400),
        (head_of(len(body)).replace(b"Host:", b"Host :") + body, 400),
        (b"\x16\x03\x01 nonsense\r\n\r\n", 400),
        (head_of(len(cut)) + cut, (400, 422)),
        (head_of(9, more="Content-Encoding: gzip\r\n") + b"not gzip!", (400, 422)),
        (head_of(len(body) + 100) + body, None),
    ))
    reader, writer = await connect(house, secure)
    try:
        writer.write(part)
        if want:
            status, _ = await answer_of(reader)
            tally.saw("malformed", status, want)
    finally:
        writer.transport.abort()
    await asyncio.sleep(0.02)


async def websocket(house, tally, secure):
    """A socket of some messages, clean and found."""
    reader, writer = await connect(house, secure)
    key = base64.b64encode(os.urandom(16)).decode()
    try:
        writer.write((f"GET /api/v1/streaming HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
        head = await reader.readuntil(b"\r\n\r\n")
        tally.saw("websocket", int(head.split(b" ", 2)[1]), 101)
        if b" 101 " not in head.split(b"\r\n")[0]:
            return
        for _ in range(random.randint(1, 15)):
            # Nothing says which part of a message is a person's words, so one to be redacted cannot be, and is blocked.
            text, want = random.choice(KINDS)
            want = (1, 1001) if text is CLEAN else (1008, 1001)
            writer.write(masked(1, json.dumps({"status": text % next(NUMBERS)}).encode()))
            kind, payload = await read_frame(reader)
            # 1001: the platform has been silent for longer than its clock, which on a busy machine is no fault.
            tally.saw("message", int.from_bytes(payload[:2], "big") if kind == 8 else kind, want)
            if kind == 8:
                return
            await asyncio.sleep(0.02)
        writer.write(masked(8, b"\x03\xe8"))
        while (await read_frame(reader))[0] != 8:
            pass
    finally:
        writer.close()


def masked(kind, payload):
    mask = os.urandom(4)
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0xFE]) + len(payload).to_bytes(2, "big")
    return bytes([0x80 | kind]) + length + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def block(*headers):
    """Literals, never indexed, without Huffman."""
    out = b""
    for name, value in headers:
        out += b"\x10" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
    return out


def status_of(payload):
    while payload[0] & 0xE0 == 0x20:
        payload = payload[1:]
    if payload[0] & 0x80:
        return {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}[payload[0] & 0x7F]
    length = payload[1] & 0x7F
    digits = payload[2:2 + length]
    if not payload[1] & 0x80:
        return int(digits)
    bits, number = "".join(format(byte, "08b") for byte in digits), ""
    while len(number) < 3:
        code = bits[:5] if bits[:5] in CODE else bits[:6]
        number, bits = number + str(CODE[code]), bits[len(code):]
    return int(number)


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"\x00\x01\x00\x00\x00\x00")


async def frames(reader, writer):
    """What comes, with pings and settings answered."""
    while True:
        head = await reader.readexactly(9)
        payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
        if kind == 4 and not flags & 1:
            writer.write(frame(4, 1, 0))
        elif kind == 6 and not flags & 1:
            writer.write(frame(6, 1, 0, payload))
        elif kind == 7:
            return
        yield kind, flags, stream, payload


async def http2(house, tally, _secure):
    """Several streams at once over one connection, some taken back."""
    reader, writer = await connect(house, True, "h2")
    try:
        writer.write(PREFACE)
        wanted = {}
        for number in range(random.randint(1, 30)):
            stream = 2 * number + 1
            body, want = a_post()
            writer.write(frame(1, 4, stream, block((":method", "POST"), (":scheme", "https"), (":authority", HOST), (":path", "/api/v1/statuses"),
                                                   ("content-type", "application/json"))) + frame(0, 1, stream, body))
            if random.random() < 0.05:
                writer.write(frame(3, 0, stream, (8).to_bytes(4, "big")))
            else:
                wanted[stream] = want
        async for kind, _, stream, payload in frames(reader, writer):
            if kind == 1 and stream in wanted:
                tally.saw("http/2", status_of(payload), wanted.pop(stream))
            if not wanted:
                return
    finally:
        writer.close()


async def abuse(house, tally, _secure):
    """Floods of frames; whether Postward ends the connection or takes them, it must not grow."""
    reader, writer = await connect(house, True, "h2")
    head = block((":method", "POST"), (":scheme", "https"), (":authority", HOST), (":path", "/api/v1/statuses"))
    one = random.choice((
        lambda n: frame(6, 0, 0, b"12345678") * 50,
        lambda n: frame(4, 0, 0, b"\x00\x04\x00\x01\x00\x00") * 50,
        lambda n: frame(2, 0, 3, b"\x00\x00\x00\x00\x10") * 50,
        lambda n: frame(1, 4, 2 * n + 1, head) + frame(3, 0, 2 * n + 1, (8).to_bytes(4, "big")),
        lambda n: frame(1, 4, 2 * n + 1, head) + frame(8, 0, 2 * n + 1, (0x7FFFFFFF).to_bytes(4, "big")),
        lambda n: frame(1, 0, 1, head) if n == 0 else frame(9, 0, 1, block(("a", "b")) * 500),
    ))
    try:
        writer.write(PREFACE)
        for number in range(400):
            if writer.transport.is_closing():
                raise ConnectionResetError
            writer.write(one(number))
            await writer.drain()
            # Gives the loop a turn: a full buffer alone would make `drain` do so.
            await asyncio.sleep(0)
    except (ConnectionError, ssl.SSLError):
        tally.cut += 1
    finally:
        writer.transport.abort()
    await asyncio.sleep(0.5)


async def forever(client, house, tally, secure):
    """One client after another until the end. Being cut off is part of it; what was answered is what is counted."""
    while not tally.stop:
        try:
            await asyncio.wait_for(client(house, tally, secure), 60)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, OSError):
            tally.cut += 1
            await asyncio.sleep(0.05)
        except asyncio.TimeoutError:
            tally.wrong.append(f"{client.__name__}: no answer within 60 s")


MIX = ((http1, 4), (http2, 4), (websocket, 2), (large, 1), (slow, 8), (malformed, 2), (abuse, 1))
