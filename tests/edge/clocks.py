"""Clients that say nothing, little, or take nothing: when each door is done with them.

Every deadline of every door is set to the same few seconds. A case is held if its connection, or on HTTP/2 its stream, has ended when
several times that have passed; how long it took is shown, and judged by nothing else. All run at once.
"""

import asyncio
import socket
import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Callable

import doors
from doors import HOST
from frames import CONTINUATION, DATA, END_HEADERS, GOAWAY, HEADERS, PREFACE, RST_STREAM, Connection, Failed, block, frame, request
from origin import LARGE

FAMILY = "slow clients"
# What every deadline is set to, and when a door is given up, in seconds.
CLOCK = 2
PATIENCE = 14
DRIP = 0.3


@dataclass(frozen=True)
class Case:
    """`run` comes back when the door has ended it; what runs on is open for ever."""

    name: str
    run: Callable
    timed: bool = True


CASES = []


def case(name, timed=True):
    def take(run):
        CASES.append(Case(name, run, timed))
        return run

    return take


def measure_all(name, plain_port, tls_port, letter):
    """Every case at one door, at once: what each came to, in seconds. In a process of its own, whose clock nothing else holds up."""

    async def all_at_once():
        door = SimpleNamespace(name=name, plain=plain_port, tls=tls_port)
        contexts = {protocol: doors.tls(protocol) for protocol in ("http/1.1", "h2")}
        return await asyncio.gather(*(measure(door, contexts, one, f"{letter}{number:07x}") for number, one in enumerate(CASES)))

    return asyncio.run(all_at_once())


async def measure(door, contexts, one, mark):
    """Seconds until the door ended it, or None."""
    started = time.monotonic()
    try:
        await asyncio.wait_for(one.run(door, contexts, mark), PATIENCE)
    except asyncio.TimeoutError:
        return None
    except (OSError, Failed):
        pass
    return time.monotonic() - started


async def until_end(reader):
    try:
        while await reader.read(65536):
            pass
    except OSError:
        pass


async def plain(door, first, drip=b""):
    """Writes at once, then perhaps a byte now and then, and waits for the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.plain)
    await talk(reader, writer, first, drip)


async def under_tls(door, context, first, drip=b""):
    reader, writer = await asyncio.open_connection("127.0.0.1", door.tls, ssl=context, server_hostname=HOST)
    await talk(reader, writer, first, drip)


async def talk(reader, writer, first, drip):
    async def go_on():
        while drip:
            await asyncio.sleep(DRIP)
            writer.write(drip)
            await writer.drain()

    try:
        writer.write(first)
        dripping = asyncio.create_task(go_on())
        try:
            await until_end(reader)
        finally:
            dripping.cancel()
            await asyncio.gather(dripping, return_exceptions=True)
    finally:
        writer.close()


def post(mark, more, body=b""):
    return f"POST /e/{mark} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: text/plain\r\n{more}\r\n".encode() + body


@case("connects and is silent")
async def _(door, contexts, mark):
    await plain(door, b"")


@case("connects to TLS and sends no hello")
async def _(door, contexts, mark):
    reader, writer = await asyncio.open_connection("127.0.0.1", door.tls)
    await talk(reader, writer, b"", b"")


@case("sends half a TLS hello")
async def _(door, contexts, mark):
    reader, writer = await asyncio.open_connection("127.0.0.1", door.tls)
    await talk(reader, writer, b"\x16\x03\x01\x02\x00\x01\x00\x01", b"")


@case("shakes hands and is silent")
async def _(door, contexts, mark):
    await under_tls(door, contexts["http/1.1"], b"")


@case("shakes hands for HTTP/2 and is silent")
async def _(door, contexts, mark):
    await under_tls(door, contexts["h2"], b"")


@case("HTTP/2: half a preface")
async def _(door, contexts, mark):
    await under_tls(door, contexts["h2"], PREFACE[:10])


@case("HTTP/2: a preface and no settings")
async def _(door, contexts, mark):
    await under_tls(door, contexts["h2"], PREFACE)


@case("sends one letter")
async def _(door, contexts, mark):
    await plain(door, b"P")


@case("sends half a head")
async def _(door, contexts, mark):
    await plain(door, f"GET /e/{mark} HTTP/1.1\r\nHost: {HOST}\r\n".encode())


@case("sends a head byte by byte")
async def _(door, contexts, mark):
    await plain(door, f"GET /e/{mark} HTTP/1.1\r\nHost: {HOST}\r\nX: ".encode(), b"x")


@case("sends header after header")
async def _(door, contexts, mark):
    await plain(door, f"GET /e/{mark} HTTP/1.1\r\nHost: {HOST}\r\n".encode(), b"X: y\r\n")


@case("sends half a body")
async def _(door, contexts, mark):
    await plain(door, post(mark, "Content-Length: 1000\r\n", b"flu shots"))


@case("sends a body byte by byte")
async def _(door, contexts, mark):
    await plain(door, post(mark, "Content-Length: 1000\r\n", b"flu shots"), b"x")


@case("sends half a chunk")
async def _(door, contexts, mark):
    await plain(door, post(mark, "Transfer-Encoding: chunked\r\n", b"64\r\nflu shots"))


@case("sends chunks of a byte")
async def _(door, contexts, mark):
    await plain(door, post(mark, "Transfer-Encoding: chunked\r\n"), b"1\r\nx\r\n")


@case("sends trailers without end")
async def _(door, contexts, mark):
    await plain(door, post(mark, "Transfer-Encoding: chunked\r\n", b"3\r\nflu\r\n0\r\n"), b"x: y\r\n")


@case("is idle after an answer")
async def _(door, contexts, mark):
    await plain(door, f"GET /e/{mark} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())


@case("sends part of a second head")
async def _(door, contexts, mark):
    get = f"GET /e/{mark} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    await plain(door, get + b"GET /")


@case("takes nothing of its answer", timed=False)
async def _(door, contexts, mark):
    probe = socket.socket()
    probe.setblocking(False)
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_connect(probe, ("127.0.0.1", door.plain))
        await loop.sock_sendall(probe, f"GET /e/{mark}/large HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        # What is on its way is read only after that: a door that has ended shows it then, before the whole has come.
        await asyncio.sleep(PATIENCE * 0.7)
        length = 0
        try:
            while more := await asyncio.wait_for(loop.sock_recv(probe, 1 << 20), 2):
                length += len(more)
        except OSError:
            pass
        if length >= LARGE:
            await asyncio.sleep(PATIENCE)
    finally:
        probe.close()


async def greeted(door, contexts, mark):
    connection = await Connection.silent(door, contexts["h2"], mark)
    await connection.greet()
    return connection


async def until_over(connection, stream):
    """To the end of the stream or of the connection; an answer is an end."""
    while (got := await connection.next(PATIENCE + 5)) is not None:
        if got.kind == GOAWAY or (got.stream == stream and got.kind in (RST_STREAM, HEADERS)):
            return


@case("HTTP/2: is idle")
async def _(door, contexts, mark):
    connection = await greeted(door, contexts, mark)
    try:
        await until_over(connection, 0)
    finally:
        connection.close()


@case("HTTP/2: begins a block of headers")
async def _(door, contexts, mark):
    connection = await greeted(door, contexts, mark)
    try:
        connection.write(frame(HEADERS, 0, 1, block(request(mark))))
        await until_over(connection, 1)
    finally:
        connection.close()


@case("HTTP/2: goes on with it, a header at a time")
async def _(door, contexts, mark):
    connection = await greeted(door, contexts, mark)
    try:
        connection.write(frame(HEADERS, 0, 1, block(request(mark))))
        await dripping(connection, 1, frame(CONTINUATION, 0, 1, block([("x", "y")])))
    finally:
        connection.close()


@case("HTTP/2: sends half a body")
async def _(door, contexts, mark):
    connection = await greeted(door, contexts, mark)
    try:
        connection.post(1)
        connection.data(1, b"flu shots", 0)
        await until_over(connection, 1)
    finally:
        connection.close()


@case("HTTP/2: sends a body byte by byte")
async def _(door, contexts, mark):
    connection = await greeted(door, contexts, mark)
    try:
        connection.post(1)
        await dripping(connection, 1, frame(DATA, 0, 1, b"x"))
    finally:
        connection.close()


async def dripping(connection, stream, drip):
    async def go_on():
        while True:
            await asyncio.sleep(DRIP)
            connection.write(drip)

    task = asyncio.create_task(go_on())
    try:
        await until_over(connection, stream)
    finally:
        task.cancel()


@case("HTTP/2: is gone without a word, a request open")
async def _(door, contexts, mark):
    connection = await greeted(door, contexts, mark)
    connection.answers_pings = False
    try:
        connection.post(1)
        await until_over(connection, 1)
    finally:
        connection.close()


@case("HTTP/2: opens no window for its answer")
async def _(door, contexts, mark):
    connection = await Connection.silent(door, contexts["h2"], mark)
    try:
        await connection.greet((4, 0))
        connection.get(1)
        while (got := await connection.next(PATIENCE + 5)) is not None:
            if got.kind == GOAWAY or (got.kind == RST_STREAM and got.stream == 1):
                return
    finally:
        connection.close()
