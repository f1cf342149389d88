"""The upstream behind every door: reads strictly, answers plainly, and writes down what arrived.

Each case has a mark of eight letters in its path, so one origin serves all cases of all doors at once, over connections that the
doors keep and share: what one case leaves behind is seen in the next.
"""

import asyncio
import re
from collections import defaultdict
from dataclasses import dataclass, field

from readers import CHUNK, Fault, check_trailer, read_head

MARK = re.compile(rb"/(?:e|smuggled|next)/([a-z][0-9a-f]{7})")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nfine\n"
# More than all sockets on its way hold.
LARGE = 64 << 20


@dataclass
class Arrival:
    """One request that arrived whole, or what came in place of one."""

    path: bytes
    body: bytes = b""
    fault: str = ""
    names: list = field(default_factory=list)
    head: bytes = b""


class Origin:
    """Listens on loopback, on a port of the kernel's choice."""

    def __init__(self):
        self.arrivals = defaultdict(list)
        self.strays = []
        self.port = 0
        self._server = None

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def stop(self):
        self._server.close()

    async def _serve(self, reader, writer):
        before = b""
        try:
            while True:
                head_bytes = b""
                try:
                    head_bytes = await reader.readuntil(b"\r\n\r\n")
                except asyncio.IncompleteReadError as error:
                    # What a broken-off request leaves is acted upon by nobody; what is no head at all is a fault.
                    if error.partial and b"\n" in error.partial and not self._is_start(error.partial):
                        self._note(Arrival(b"", fault="not a head", head=before + error.partial))
                    return
                try:
                    head = read_head(head_bytes)
                except Fault as fault:
                    self._note(Arrival(b"", fault=str(fault), head=before + head_bytes))
                    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    return
                if head.all(b"expect"):
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                try:
                    body, trailers = await self._chunks(reader) if head.chunked else (await reader.readexactly(head.length), [])
                except asyncio.IncompleteReadError:
                    return
                except Fault as fault:
                    self._note(Arrival(head.target, fault=str(fault), head=head_bytes))
                    return
                names = [name.lower() for name, _ in head.headers] + trailers
                self._note(Arrival(head.target, body, names=names, head=head_bytes))
                before = head_bytes[:200] + b" ... "
                is_large = b"/large" in head.target
                answer = ANSWER.replace(b": 5", b": %d" % LARGE).replace(b"fine\n", b"") if is_large else ANSWER
                writer.write(answer.split(b"\r\n\r\n")[0] + b"\r\n\r\n" if head.method == b"HEAD" else answer)
                for _ in range(LARGE >> 16 if is_large else 0):
                    writer.write(b"f" * 65536)
                    await writer.drain()
                if b"close" in b",".join(head.all(b"connection")).lower() or head.version == b"HTTP/1.0":
                    return
                await writer.drain()
        except (ConnectionError, asyncio.LimitOverrunError, asyncio.CancelledError):
            # The door, or the whole run, is done with this connection.
            pass
        finally:
            writer.close()

    @staticmethod
    def _is_start(text):
        """Whether bytes without an end could have become a head."""
        lines = text.split(b"\n")[:-1]
        return all(line.endswith(b"\r") for line in lines) and lines[0].count(b" ") == 2

    @staticmethod
    async def _chunks(reader):
        body, trailers = [], []
        while True:
            line = CHUNK.fullmatch(await reader.readuntil(b"\n"))
            if not line:
                raise Fault("chunk line")
            size = int(line.group(1), 16)
            if size == 0:
                break
            body.append(await reader.readexactly(size))
            if await reader.readexactly(2) != b"\r\n":
                raise Fault("chunk end")
        while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
            check_trailer(line[:-2])
            trailers.append(line.partition(b":")[0].lower())
        return b"".join(body), trailers

    def _note(self, arrival):
        """Under the mark in its target, or in what came before where there is none."""
        marks = MARK.findall(arrival.path) or MARK.findall(arrival.head)
        if marks:
            self.arrivals[marks[-1].decode()].append(arrival)
        else:
            self.strays.append(arrival)
