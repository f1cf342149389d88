"""Clients that count: every post has a number, and afterwards each number must have arrived once. And the platform behind them."""

import asyncio
import collections
import itertools
import json
import re
import ssl
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "edge"))

from traffic import PREFACE, block, frame, status_of  # noqa: E402

HOST = "mastodon.example"
PATH = "/api/v1/statuses"


class Platform:
    """Answers every post after a moment, and remembers how often each number came."""

    def __init__(self, pause=0.01):
        self.pause = pause
        self.arrived = collections.Counter()
        self.port = 0

    async def start(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"\r\ncontent-length: (\d+)", head.lower())
                body = await reader.readexactly(int(length.group(1))) if length else b""
                for number in re.findall(rb"post (\d+)", body):
                    self.arrived[int(number)] += 1
                await asyncio.sleep(self.pause)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class Load:
    """Some clients of each kind, until told to stop. What goes wrong is kept, by its name."""

    def __init__(self, plain, tls, pause=0.01):
        self.plain, self.tls, self.pause = plain, tls, pause
        self.numbers = itertools.count(1)
        self.answered, self.faults = set(), []
        self.kinds = collections.Counter()
        self.stopping = False
        self.tasks = []

    def start(self, each=3):
        clients = (self.kept, lambda: self.kept(True), self.fresh, lambda: self.fresh(True), self.h2)
        self.tasks = [asyncio.ensure_future(self.forever(client)) for client in clients for _ in range(each)]
        return self

    async def stop(self):
        self.stopping = True
        await asyncio.wait_for(asyncio.gather(*self.tasks), 60)

    async def forever(self, client):
        while not self.stopping:
            try:
                await asyncio.wait_for(client(), 60)
            except asyncio.TimeoutError:
                self.faults.append("no answer within 60 s")
            except ConnectionRefusedError:
                self.faults.append("refused")
            except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, OSError) as fault:
                self.faults.append(f"cut off: {type(fault).__name__} {fault}")

    async def connect(self, secure, protocol="http/1.1"):
        if not secure:
            return await asyncio.open_connection("127.0.0.1", self.plain)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols([protocol])
        return await asyncio.open_connection("127.0.0.1", self.tls, ssl=context, server_hostname=HOST)

    def body(self):
        number = next(self.numbers)
        return number, json.dumps({"status": f"flu shots in the lobby, post {number}"}).encode()

    def saw(self, kind, number, status):
        self.kinds[kind] += 1
        if status == 200:
            self.answered.add(number)
        else:
            self.faults.append(f"{kind}: {status}")

    async def one(self, reader, writer, kind):
        """One post of HTTP/1.1; says whether the connection goes on."""
        number, body = self.body()
        writer.write(f"POST {PATH} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = re.search(rb"\r\ncontent-length: (\d+)", head)
        await reader.readexactly(int(length.group(1)) if length else 0)
        self.saw(kind, number, int(head.split(b" ", 2)[1]))
        return b"\r\nconnection: close" not in head

    async def kept(self, secure=False):
        reader, writer = await self.connect(secure)
        try:
            while not self.stopping and await self.one(reader, writer, f"kept{' tls' * secure}"):
                await asyncio.sleep(self.pause)
        finally:
            writer.close()

    async def fresh(self, secure=False):
        reader, writer = await self.connect(secure)
        try:
            await self.one(reader, writer, f"fresh{' tls' * secure}")
        finally:
            writer.close()
        await asyncio.sleep(self.pause)

    async def h2(self):
        """One stream after another, two at a time, until the server says that it goes."""
        reader, writer = await self.connect(True, "h2")
        try:
            writer.write(PREFACE)
            wanted, streams = {}, itertools.count(1, 2)

            def ask():
                number, body = self.body()
                stream = next(streams)
                wanted[stream] = number
                writer.write(frame(1, 4, stream, block((":method", "POST"), (":scheme", "https"), (":authority", HOST), (":path", PATH),
                                                       ("content-type", "application/json"))) + frame(0, 1, stream, body))

            ask()
            ask()
            going = False
            async for kind, flags, stream, payload in self.goaway(reader, writer):
                if kind == 7:
                    going = True
                elif kind == 1 and stream in wanted:
                    self.saw("h2", wanted[stream], status_of(payload))
                if kind in (0, 1) and flags & 1 and stream in wanted:
                    del wanted[stream]
                    if not going and not self.stopping:
                        await asyncio.sleep(self.pause)
                        ask()
                if not wanted and (going or self.stopping):
                    return
        finally:
            writer.close()

    async def goaway(self, reader, writer):
        """As `frames`, but what is under way when the server says that it goes is still read."""
        while True:
            head = await reader.readexactly(9)
            payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big") & 0x7FFFFFFF
            if kind == 4 and not flags & 1:
                writer.write(frame(4, 1, 0))
            elif kind == 6 and not flags & 1:
                writer.write(frame(6, 1, 0, payload))
            elif kind == 3:
                raise ConnectionResetError(f"stream {stream} was reset: {int.from_bytes(payload, 'big')}")
            yield kind, flags, stream, payload

    def result(self, platform, audit):
        """Everything that must hold, by its name."""
        lost = [number for number in self.answered if platform.arrived[number] == 0]
        doubled = [number for number, n in platform.arrived.items() if n > 1]
        unanswered = [number for number in platform.arrived if number not in self.answered]
        events = collections.Counter()
        with open(audit, encoding="utf-8") as lines:
            for line in lines:
                events[json.loads(line)["event"]] += 1
        faults = collections.Counter(self.faults)
        return {
            f"no connection is refused or cut off ({dict(faults)})": not faults,
            f"no post is lost ({len(lost)})": not lost,
            f"no post is doubled ({len(doubled)})": not doubled,
            f"every post that arrived was answered ({len(unanswered)})": not unanswered,
            f"every post has its decision and its outcome in the audit ({dict(events)}, {sum(platform.arrived.values())} arrived)":
                events["decision"] == events["outcome"] == sum(platform.arrived.values()),
            f"all kinds of clients were answered ({dict(self.kinds)})": len(self.kinds) == 5,
        }
