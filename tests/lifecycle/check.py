#!/usr/bin/env python3
"""What an operator does to the running program, under load: a new process takes over, systemd restarts it with its sockets, a
new process that cannot serve, one that is killed on the way. No connection may be refused, no post lost, doubled or unaudited.

    check.py BINARY [--rounds 3]

No systemd runs here: it is played, by a socket that hears what systemd would hear, and by sockets that are passed as systemd passes
them. Ends with «lifecycle: N passed, N failed».
"""

import argparse
import asyncio
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from load import HOST, Load, Platform

PATIENCE = 120


class Node:
    """One process."""

    def __init__(self, house, *options, config=None, environment=None, sockets=()):
        self.said = []
        environment = {**os.environ, **(environment or {})}
        line = [house.binary, "serve", "--log-format", "json", "--config", str(config or house.config), *options]
        if sockets:
            # As systemd does: from descriptor 3 on, for this process by its own number. High numbers first, so that none is in the way.
            high = [fcntl.fcntl(one.fileno(), fcntl.F_DUPFD, 40) for one in sockets]
            moves = " ".join(f"{3 + nth}<&{fd} {fd}<&-" for nth, fd in enumerate(high))
            line = ["bash", "-c", f'exec {moves}; LISTEN_PID=$$ exec "$@"', "bash", *line]
            environment["LISTEN_FDS"] = str(len(sockets))
            self.process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, pass_fds=high)
            for fd in high:
                os.close(fd)
        else:
            self.process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
        self.reading = asyncio.get_running_loop().run_in_executor(None, self._read)

    def _read(self):
        for line in self.process.stdout:
            self.said.append(line.decode(errors="replace"))

    async def hears(self, message):
        """Waits for a line of the log."""
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            for line in self.said:
                if f'"message":"{message}' in line:
                    return json.loads(line)
            if self.process.poll() is not None and self.reading.done():
                break
            await asyncio.sleep(0.01)
        raise SystemExit(f"«{message}» was not said but:\n{''.join(self.said)[-4000:]}")

    async def ends(self):
        """Waits for its end, and gives its exit code."""
        await asyncio.wait_for(self.reading, PATIENCE)
        return self.process.wait()

    def kill(self, number=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(number)


class House:
    """A configuration in a folder of its own."""

    def __init__(self, binary, folder, platform, ports):
        self.binary, self.folder = binary, Path(folder)
        self.plain, self.tls, self.admin = ports
        self.config, self.audit = self.folder / "postward.toml", self.folder / "audit" / "audit.jsonl"
        self.audit.parent.mkdir(mode=0o700)
        subprocess.run([binary, "ca", "init", "--out", self.folder, "--host", HOST], check=True, capture_output=True)
        self.text = f"""
policy = "policy.toml"
[[listener]]
name = "staff"
address = "127.0.0.1:{self.plain}"
[[listener]]
address = "127.0.0.1:{self.tls}"
tls = {{ ca = "ca.pem", ca-key = "ca.key" }}
[[route]]
hosts = ["{HOST}"]
platform = "mastodon"
upstream = "http://127.0.0.1:{platform.port}"
[admin]
address = "127.0.0.1:{self.admin}"
[audit]
file = "audit/audit.jsonl"
sync = "none"
[timeouts]
drain = "20 s"
audit = "60 s"
inspect = "60 s"
"""
        self.config.write_text(self.text)
        (self.folder / "policy.toml").write_text((Path(__file__).resolve().parents[2] / "config" / "policy.toml").read_text())

    def verified(self):
        return subprocess.run([self.binary, "audit", "verify", self.audit], capture_output=True, timeout=120).returncode == 0


def free_ports(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Checks:
    def __init__(self):
        self.passed, self.failed = 0, 0

    def hold(self, results, where=""):
        for name, holds in results.items():
            if holds:
                self.passed += 1
            else:
                self.failed += 1
            print(f"{'ok' if holds else 'failed'}: {where}{name}", flush=True)


async def handovers(binary, folder, checks, rounds):
    platform = await Platform().start()
    house = House(binary, folder, platform, free_ports(3))
    node = Node(house)
    await node.hears("ready")
    load = Load(house.plain, house.tls).start()
    await asyncio.sleep(0.5)
    exits, took = [], []
    for _ in range(rounds):
        before, began = node, time.monotonic()
        node = Node(house, "--take-over")
        ready = await node.hears("ready")
        took.append(time.monotonic() - began)
        checks.failed += not ready.get("took_over")
        exits.append(await before.ends())
        await asyncio.sleep(0.2)
    # One that cannot serve: the one before goes on, and says why.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = house.folder / "other.toml"
        other.write_text(house.text + f'[[listener]]\naddress = "127.0.0.1:{taken.getsockname()[1]}"\n')
        fails = Node(house, "--take-over", config=other)
        refused = await fails.ends()
        why = (await node.hears("another process was to take over and did not"))["why"]
    # One that is killed on the way.
    for pause in (0, 0.05, 0.2):
        killed = Node(house, "--take-over")
        n_before = sum("another process is to take over" in line for line in node.said)
        while sum("another process is to take over" in line for line in node.said) == n_before and killed.process.poll() is None:
            await asyncio.sleep(0.002)
        await asyncio.sleep(pause)
        if any('"message":"ready"' in line for line in killed.said):
            # It was quicker: then it serves.
            await node.ends()
            node = killed
            continue
        killed.kill()
        await killed.ends()
        await asyncio.sleep(0.3)
        if node.process.poll() is not None:
            checks.hold({f"who is killed {pause} s on the way leaves the other one serving": False})
    await asyncio.sleep(0.5)
    await load.stop()
    node.kill(signal.SIGTERM)
    code = await node.ends()
    checks.hold({
        f"{rounds} hand-overs, each in {min(took):.1f} to {max(took):.1f} s from start to serving; every old process ends with 0 ({exits})": not any(exits),
        f"a process that cannot serve says so (exit {refused}), and the other one why: {why}": refused != 0 and "cannot listen" in why,
        f"the last one stops with 0 ({code})": code == 0,
        "no socket is left behind": not list(house.audit.parent.glob(".*.handover")),
        "the chain is whole": house.verified(),
        **load.result(platform, house.audit),
    }, "hand-over: ")


class Systemd:
    """What systemd hears."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name.replace("@", "\0", 1))
        self.socket.setblocking(False)
        self.heard = []

    def listen(self):
        try:
            while True:
                self.heard.append((time.monotonic(), self.socket.recv(4096).decode()))
        except BlockingIOError:
            pass
        return [text for _, text in self.heard]

    async def hears(self, word, n=1):
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            if sum(word in text for text in self.listen()) >= n:
                return True
            await asyncio.sleep(0.02)
        return False


async def systemd(binary, folder, checks):
    """Notices, socket activation, and a restart under load with the sockets held by another."""
    platform = await Platform().start()
    sockets = [socket.create_server(("127.0.0.1", 0), backlog=1024) for _ in range(3)]
    house = House(binary, folder, platform, [one.getsockname()[1] for one in sockets])
    for nth, name in enumerate((str(house.folder / "notify"), f"@postward-check-{os.getpid()}")):
        ear = Systemd(name)
        environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "2000000", "LISTEN_FDNAMES": "staff:postward.socket:admin"}
        node = Node(house, environment=environment, sockets=sockets)
        results = {"READY=1 is said": await ear.hears("READY=1\nSTATUS=serving on 2 listeners")}
        results["and not before the log says so"] = any('"message":"ready"' in line for line in node.said)
        results["WATCHDOG=1 is said again and again"] = await ear.hears("WATCHDOG=1", 3)
        beats = [at for at, text in ear.heard if text == "WATCHDOG=1\n"]
        # At half the time that is allowed; a busy machine may be late, but not early.
        results["and at half its time"] = all(later - one > 0.7 for one, later in zip(beats, beats[1:]))
        node.kill(signal.SIGHUP)
        results["RELOADING=1 with its time, and READY=1 again"] = await ear.hears("READY=1", 2) and any(
            re.match(r"RELOADING=1\nMONOTONIC_USEC=\d+\n", text) for text in ear.listen())
        house.config.write_text(house.text + "nonsense = 1\n")
        node.kill(signal.SIGHUP)
        results["what is wrong with the files is in STATUS="] = await ear.hears("the files cannot be used", 1)
        house.config.write_text(house.text)
        node.kill(signal.SIGTERM)
        results["STOPPING=1 is said"] = await ear.hears("STOPPING=1")
        results["it ends with 0"] = await node.ends() == 0
        checks.hold(results, f"systemd, {'abstract' if nth else 'path'}: ")
    # Nobody is told anything where the data path stands still.
    ear = Systemd(str(house.folder / "notify-still"))
    node = Node(house, environment={"NOTIFY_SOCKET": str(house.folder / "notify-still"), "WATCHDOG_USEC": "1000000"}, sockets=sockets)
    await ear.hears("WATCHDOG=1")
    node.kill(signal.SIGSTOP)
    await asyncio.sleep(0.1)
    n_before = len(ear.listen())
    await asyncio.sleep(1.5)
    checks.hold({"one that stands still says nothing": len(ear.listen()) == n_before}, "systemd: ")
    node.kill(signal.SIGCONT)
    node.kill(signal.SIGTERM)
    await node.ends()
    # A restart: the sockets stay open, and who connects meanwhile waits.
    node = Node(house, sockets=sockets)
    await node.hears("ready")
    load = Load(house.plain, house.tls).start()
    await asyncio.sleep(0.5)
    for _ in range(2):
        node.kill(signal.SIGTERM)
        code = await node.ends()
        node = Node(house, sockets=sockets)
        await node.hears("ready")
        checks.hold({f"a restart ends with 0 ({code})": code == 0}, "activation: ")
        await asyncio.sleep(1)
    await load.stop()
    # And both together: what systemd passed is handed over.
    after = Node(house, "--take-over", sockets=sockets)
    await after.hears("ready")
    checks.hold({"a process with passed sockets hands over": await node.ends() == 0}, "activation: ")
    after.kill(signal.SIGTERM)
    await after.ends()
    checks.hold({"the chain is whole": house.verified(), **load.result(platform, house.audit)}, "activation: ")
    # Faults are said, with what to do.
    with socket.create_server(("127.0.0.1", 0)) as stranger, socket.socket(socket.AF_UNIX) as other:
        for passed, words in ((stranger, "no [[listener]] is configured for 127.0.0.1:"), (other, "is no TCP socket that listens")):
            node = Node(house, sockets=[sockets[0], passed])
            code, said = await node.ends(), "".join(node.said)
            checks.hold({f"a socket of nobody is refused: {words}": code == 1 and words in said and "help:" in said}, "activation: ")


async def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("binary")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--only", choices=("handovers", "systemd"))
    given = arguments.parse_args()
    checks = Checks()
    binary = str(Path(given.binary).resolve())
    if given.only != "systemd":
        with tempfile.TemporaryDirectory(prefix="postward-lifecycle-") as folder:
            await handovers(binary, folder, checks, given.rounds)
    if given.only != "handovers":
        with tempfile.TemporaryDirectory(prefix="postward-lifecycle-") as folder:
            await systemd(binary, folder, checks)
    print(f"lifecycle: {checks.passed} passed, {checks.failed} failed")
    raise SystemExit(bool(checks.failed))


asyncio.run(main())
