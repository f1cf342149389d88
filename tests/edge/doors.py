"""The three doors in front of the origin, each a process of its own in a folder of its own: Postward, nginx, HAProxy."""

import asyncio
import getpass
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
HOST = "edge.example.org"
FILES = {"postward": "postward.toml", "nginx": "nginx.conf", "haproxy": "haproxy.cfg"}
NAMES = {"postward": "Postward", "nginx": "nginx", "haproxy": "HAProxy"}


def postward():
    """POSTWARD_BIN, or what `cargo build` made."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    return Path(os.environ.get("POSTWARD_BIN", target / "debug" / "postward"))


def program(name):
    """Where a door's program is, or None. Debian keeps both peers where only root looks."""
    if name == "postward":
        return postward() if postward().exists() else None
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def version(name):
    """The number that the program itself tells."""
    command = {"postward": "--version", "nginx": "-v", "haproxy": "-v"}[name]
    done = subprocess.run([program(name), command], capture_output=True, text=True, timeout=30)
    found = re.search(r"\d+\.\d+(?:\.\d+)?", done.stdout + done.stderr)
    return found.group() if found else "?"


class NotStarted(Exception):
    """A proxy did not start."""


class Door:
    """One running proxy. `clock` is what every deadline is set to, in seconds."""

    def __init__(self, name, origin_port, folder, clock):
        self.name, self.clock = name, clock
        self.folder = Path(folder)
        self.folder.chmod(0o700)
        self.plain, self.tls, self.admin = free_ports(3)
        words = {
            "FOLDER": self.folder, "HOST": HOST, "ORIGIN": origin_port, "CLOCK": clock,
            "PLAIN": self.plain, "TLS": self.tls, "ADMIN": self.admin, "USER": getpass.getuser(),
        }
        self.config = self.folder / FILES[name]
        self.config.write_text(re.sub("@([A-Z]+)@", lambda found: str(words[found.group(1)]), (HERE / FILES[name]).read_text()))
        self.process = None

    async def start(self):
        command = {
            "postward": ["serve", "--config", self.config],
            "nginx": ["-p", self.folder, "-c", self.config],
            "haproxy": ["-db", "-q", "-f", self.config],
        }[self.name]
        self.log = self.folder / "said.txt"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([program(self.name), *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(1500):
            if self.process.poll() is not None:
                break
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.tls)
                writer.close()
                return self
            except OSError:
                await asyncio.sleep(0.02)
        self.stop()
        raise NotStarted(f"{self.name} did not start:\n{self.log.read_text()[-3000:]}")

    def stop(self):
        """As an operator would, but without patience for what is under way."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


async def open_door(stack, name, origin_port, folder, clock):
    """A running door, stopped when `stack` ends. A port that was free a moment ago may be another program's by now: then once more."""
    for attempt in range(3):
        door = Door(name, origin_port, own_folder(folder, name), clock)
        stack.callback(door.stop)
        try:
            return await door.start()
        except NotStarted as error:
            if attempt == 2:
                raise SystemExit(str(error)) from error


def open_folder(stack: ExitStack):
    """A folder with the certificate of every door; gone when `stack` ends."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postward-edge-", ignore_cleanup_errors=True)))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", folder / "edge.key", "-out", folder / "edge.pem"],
        check=True, capture_output=True, timeout=60,
    )
    both = folder / "both.pem"
    both.touch(mode=0o600)
    both.write_text((folder / "edge.pem").read_text() + (folder / "edge.key").read_text())
    (folder / "edge.key").chmod(0o600)
    return folder


def own_folder(folder, name):
    """A door's folder with copies of the certificate."""
    made = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder))
    for file in ("edge.pem", "edge.key", "both.pem"):
        shutil.copy2(folder / file, made)
    return made


def free_ports(count):
    """Ports that the kernel gave and nobody listens on."""
    with ExitStack() as stack:
        probes = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def tls(*protocols):
    """A client's TLS: whose certificate it is, is not what is tested here."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(list(protocols))
    return context
