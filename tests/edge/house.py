"""The real Postward in front of a stand-in platform, for load and endurance: what it is started with, what it uses, what it wrote down."""

import asyncio
import collections
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from doors import HOST, free_ports, postward

HERE = Path(__file__).resolve().parent

# What identifies somebody invented: blocked, and redacted. No platform may ever see one of these.
SECRETS = (b"987-65-4320", b"(212) 555-0142")
BLOCKED = "call back, her SSN is 987-65-4320, post %d"
REDACTED = "my patient's mother can be reached at (212) 555-0142 about his admission, post %d"
# A large answer is 64 of these.
PIECE = b"x" * 65536
CLEAN = "flu shots are available in the lobby today, post %d"


class House:
    """One Postward. `clock` is what most deadlines are set to, in seconds."""

    def __init__(self, folder, origin_port, clock=3, edit=lambda text: text):
        self.folder = Path(folder)
        self.folder.chmod(0o700)
        self.plain, self.tls, self.admin = free_ports(3)
        self.audit = self.folder / "audit.jsonl"
        self.log = self.folder / "said.txt"
        words = {"HOST": HOST, "ORIGIN": origin_port, "CLOCK": clock, "PLAIN": self.plain, "TLS": self.tls, "ADMIN": self.admin}
        text = edit(re.sub("@([A-Z]+)@", lambda found: str(words[found.group(1)]), (HERE / "house.toml").read_text()))
        self.config = self.folder / "postward.toml"
        self.config.write_text(text)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={HOST}",
             "-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1", "-keyout", self.folder / "edge.key", "-out", self.folder / "edge.pem"],
            check=True, capture_output=True, timeout=60)
        (self.folder / "edge.key").chmod(0o600)
        self.process = None

    async def start(self, environment=None):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [postward(), "serve", "--config", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        for _ in range(3000):
            if self.process.poll() is not None:
                break
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.admin)
                writer.close()
                return self
            except OSError:
                await asyncio.sleep(0.02)
        raise SystemExit(f"postward did not start:\n{self.log.read_text()[-3000:]}")

    def reload(self):
        """Files anew, as `systemctl reload` does."""
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        """Lets what is under way end."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=45)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def uses(self):
        """Resident memory in KiB, open files, threads, and seconds of processor time."""
        base = Path(f"/proc/{self.process.pid}")
        status = (base / "status").read_text()
        number = lambda name: int(re.search(rf"^{name}:\s+(\d+)", status, re.M).group(1))
        fields = (base / "stat").read_text().rpartition(")")[2].split()
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return number("VmRSS"), len(list((base / "fd").iterdir())), number("Threads"), seconds

    def events(self):
        """The audit: decisions by verdict, and outcomes by name."""
        verdicts, outcomes = collections.Counter(), collections.Counter()
        with self.audit.open(encoding="utf-8") as lines:
            for line in lines:
                if not line.endswith("\n"):
                    continue
                event = json.loads(line)
                if "verdict" in event:
                    verdicts[event["verdict"]] += 1
                if "outcome" in event:
                    outcomes[event["outcome"]] += 1
        return verdicts, outcomes

    def leaks(self):
        """Secrets in what Postward wrote down."""
        written = [self.log, self.audit]
        return [f"{secret.decode()} in {file.name}" for file in written for secret in SECRETS if file.exists() and secret in file.read_bytes()]


class StandIn:
    """A platform that counts what arrives and looks through it for what identifies anybody. It keeps nothing else."""

    def __init__(self):
        self.posts = self.messages = 0
        self.leaks = []
        self.port = 0
        self._server = None

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def stop(self):
        self._server.close()

    def _look(self, data):
        for secret in SECRETS:
            if secret in data and len(self.leaks) < 10:
                self.leaks.append(f"{secret.decode()} at the platform")

    async def _serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lower = head.lower()
                length = re.search(rb"\r\ncontent-length: (\d+)", lower)
                body = await reader.readexactly(int(length.group(1))) if length else b""
                if b"transfer-encoding: chunked" in lower:
                    body = await self._chunks(reader)
                self._look(head + body)
                if b"\r\nupgrade: websocket" in lower:
                    await self._socket(lower, head, reader, writer)
                    return
                self.posts += head.startswith(b"POST")
                pieces = 0 if head.startswith(b"HEAD") else 64 if b"/large" in head.split(b"\r\n")[0] else 1
                piece = PIECE if pieces > 1 else b'{"id":"1"}'
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (pieces * len(piece)))
                for _ in range(pieces):
                    writer.write(piece)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def _chunks(reader):
        body = b""
        while True:
            size = int((await reader.readline()).split(b";")[0], 16)
            body += (await reader.readexactly(size + 2))[:-2]
            if size == 0:
                return body

    async def _socket(self, lower, head, reader, writer):
        import base64
        import hashlib

        key = re.search(rb"\r\nsec-websocket-key: *([^\r]+)", head, re.I).group(1)
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n" % accept)
        while True:
            kind, payload = await read_frame(reader)
            self._look(payload)
            if kind == 8:
                writer.write(b"\x88\x00")
                await writer.drain()
                return
            if kind in (1, 2):
                self.messages += 1
                writer.write(b"\x81\x02ok")
                await writer.drain()


async def read_frame(reader):
    """One frame of a WebSocket: its kind and its payload, unmasked."""
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    elif length == 127:
        length = int.from_bytes(await reader.readexactly(8), "big")
    mask = await reader.readexactly(4) if second & 0x80 else b""
    payload = await reader.readexactly(length)
    if mask:
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return first & 15, payload


class Prober:
    """Somebody else, who posts every 200 ms over a connection of their own, and waits for each answer."""

    def __init__(self, port):
        self.port, self.times, self.failed = port, [], []
        self._task = asyncio.get_running_loop().create_task(self._probe())

    async def _probe(self):
        number = 0
        while True:
            number += 1
            began = time.monotonic()
            try:
                status = await asyncio.wait_for(post(self.port, CLEAN % number), 20)
                if status != 200:
                    self.failed.append(f"status {status}")
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError) as error:
                self.failed.append(type(error).__name__)
            self.times.append(time.monotonic() - began)
            await asyncio.sleep(0.2)

    def stop(self):
        self._task.cancel()
        times = sorted(self.times)
        middle = times[len(times) // 2] if times else 0
        return len(times), middle, times[-1] if times else 0, self.failed


async def post(port, text):
    """One post over a connection of its own, in the clear; gives the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        body = json.dumps({"status": text}).encode()
        writer.write(b"POST /api/v1/statuses HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                     % (HOST.encode(), len(body), body))
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.read()
        return int(head.split(b" ", 2)[1])
    finally:
        writer.close()
