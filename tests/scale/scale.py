#!/usr/bin/env python3
"""How Postward grows: one, two and four nodes behind HAProxy, each machine a network namespace; what is lost when a node is; and what
connections take of its memory.

    tests/scale/scale.py [--seconds 10] [--nodes 1,2,4] [--share 0.1] [--parts grow,alone,lose,leave,keep] [--no-database]

grow    posts a second of so many nodes, each held to a share of a core, so that nodes and not this machine are what is full
alone   one node without that limit, clients straight at it: posts a second and processor time of a post, with and without the database
lose    a node is killed under load, and comes back: every post is answered, none is lost; those sent again are counted
leave   a node is asked to stop under load (an upgrade): the same
keep    memory of one node with 0, 100, 1,000 and 5,000 connections kept open over TLS

After each part every node's chain is verified, what arrived at the platform is held against what the audit says was forwarded, and the
database's rows against the files' lines. Prints Markdown tables and «scale: N passed, N failed, N skipped». Needs root, iproute2, HAProxy, nginx, wrk,
openssl, PostgreSQL for the database, and the program: POSTWARD_BIN, or what `cargo build --release` made.
"""

import argparse
import collections
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests/deploy")]

from database import Database  # noqa: E402
from said import Said  # noqa: E402
from town import ADDRESS, HOST, Balancer, Platform, Town, authority, end  # noqa: E402

BINARY = Path(os.environ.get("POSTWARD_BIN", ROOT / "target/release/postward")).resolve()
SETTINGS = """
[[listener]]
address = "@NODE@:8443"
tls = { ca = "ca.pem", ca-key = "ca.key" }
@PROXY@

[[route]]
hosts = ["edge.example.org"]
platform = "mastodon"
upstream = "https://platform.example.org"

[upstream]
extra-roots = "@ROOTS@"

[admin]
address = "@NODE@:9464"
allow-remote = true

[audit]
file = "audit.jsonl"
sync = "group"
node = "@NAME@"
@SINK@
[limits]
# All clients have one address here.
max-connections-per-address = 16_384
"""
LONG = 6
# Keys tell posts apart at the platform; one in ten identifies somebody invented and is blocked.
WRK = """
local thread_number = 0
setup = function(thread) thread:set("number", thread_number); thread_number = thread_number + 1 end
local n = 0
request = function()
   n = n + 1
   local text = n % 10 == 0 and "call back, her SSN is 987-65-4320, visit " or "flu shots are available in the lobby today, post "
   return wrk.format("POST", "/api/v1/statuses", { ["Host"] = "edge.example.org", ["Content-Type"] = "application/json",
      ["Idempotency-Key"] = "@MARK@-" .. number .. "-" .. n }, '{"status":"' .. text .. n .. '"}')
end
done = function(summary, latency)
   local e = summary.errors
   io.write(string.format("posts %d seconds %.3f errors %d median %.2f p99 %.2f\\n", summary.requests, summary.duration / 1e6,
      e.connect + e.read + e.write + e.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""


class Node:
    """One Postward."""

    def __init__(self, town, number, folder, ca, roots, sink="", proxy_protocol=True):
        self.town, self.number, self.name, self.address = town, number, f"node-{number}", ADDRESS[f"node-{number}"]
        self.folder = folder / self.name
        self.folder.mkdir(parents=True)
        self.audit = self.folder / "audit.jsonl"
        for name in ("ca.pem", "ca.key"):
            shutil.copy(ca / name, self.folder / name)
        words = {"NODE": self.address, "ROOTS": roots, "NAME": self.name, "SINK": sink, "PROXY": f'proxy-protocol = {{ from = ["{ADDRESS["balancer"]}"] }}' if proxy_protocol else ""}
        (self.folder / "postward.toml").write_text(re.sub("@([A-Z]+)@", lambda found: str(words[found[1]]), SETTINGS))
        self.process = None

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self.process = self.town.start(self.name, BINARY, "serve", "--config", self.folder / "postward.toml", stdout=log, stderr=log)
        return self

    def wait(self, seconds=120):
        until = time.monotonic() + seconds
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{self.name} did not start:\n{(self.folder / 'log').read_text()[-3000:]}")
            time.sleep(0.05)
        return self

    def is_ready(self):
        ran = subprocess.run(self.town.within(self.name, sys.executable, "-c", (
            "import sys,urllib.request as u\ntry: sys.exit(u.urlopen(sys.argv[1],timeout=5).status!=200)\nexcept OSError: sys.exit(1)"),
            f"http://{self.address}:9464/readyz"), capture_output=True)
        return ran.returncode == 0

    def memory(self):
        """Resident, in KiB."""
        return int(re.search(r"^VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text(), re.M)[1])

    def events(self):
        """How many posts it decided to let go on, and to block, and what became of them, as its files say."""
        count = collections.Counter()
        for file in sorted(self.folder.glob("audit*.jsonl")):
            for line in file.read_bytes().splitlines():
                try:
                    event = json.loads(line)
                except ValueError:
                    # Torn by a kill; `audit verify` names it.
                    count["torn"] += 1
                    continue
                count["lines"] += 1
                count["bytes"] += len(line) + 1
                count[event.get("verdict") or event.get("outcome") or event.get("event")] += 1
        return count

    def clients(self):
        """Whom its events name as clients."""
        return set(re.findall(r'"client":"([^"]*)"', self.audit.read_text(errors="replace")))

    def verify(self):
        files = sorted(self.folder.glob("audit-*.jsonl")) + [self.audit]
        return subprocess.run([BINARY, "audit", "verify", *files], capture_output=True, text=True, timeout=300)


class Scale:
    def __init__(self, town, options, said, folder):
        self.town, self.options, self.said, self.folder = town, options, said, folder
        self.certificates = authority(folder / "certificates")
        self.ca = folder / "hospital"
        subprocess.run([BINARY, "ca", "init", "--out", self.ca, "--host", HOST], check=True, capture_output=True)
        self.platform = Platform(town, self.certificates)
        self.database = None
        self.runs = 0
        if options.database:
            self.database = Database(town, self.certificates, ADDRESS["database"])
            if not self.database.usable():
                said.skip("the database", self.database.why)
                self.database = None

    def nodes(self, numbers, share=None, database=True):
        self.runs += 1
        folder = self.folder / f"run-{self.runs}"
        sink = self.database.fresh(f"run_{self.runs}") if self.database and database else ""
        for n in numbers:
            # Starting is not what is measured.
            self.town.groups[f"node-{n}"].limit(2)
        nodes = [Node(self.town, n, folder, self.ca, self.certificates / "ca.pem", sink, self.options.proxy_protocol).start() for n in numbers]
        for node in nodes:
            node.wait()
            if share and not self.town.groups[node.name].limit(share):
                self.said.skip("nodes held to a share of a core", "no control group can be made")
        self.before = len(self.platform.posts())
        return nodes

    def wrk(self, address, connections, seconds):
        mark = f"w{self.runs}x{time.monotonic_ns()}"
        script = self.folder / "posts.lua"
        script.write_text(WRK.replace("@MARK@", mark))
        hosts = self.folder / "hosts"
        text = hosts.read_text()
        hosts.write_text(re.sub(rf"^\S+ {HOST}$", f"{address[0]} {HOST}", text, flags=re.M))
        ran = subprocess.run(self.town.within("clients", "wrk", "-t", 1, "-c", connections, "-d", f"{seconds}s", "--timeout", "20s", "-s", script,
                                              f"https://{HOST}:{address[1]}/"), capture_output=True, text=True, timeout=seconds + 60,
                             preexec_fn=self.town.groups["clients"].enter)
        found = re.search(r"posts (\d+) seconds ([\d.]+) errors (\d+) median ([\d.]+) p99 ([\d.]+)", ran.stdout)
        if not found:
            told = "".join(file.read_text()[-1000:] for file in (self.folder / "haproxy.log", self.folder / "platform/said") if file.exists())
            raise SystemExit(f"wrk said nothing of its posts:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}{told}")
        return dict(zip(("posts", "seconds", "errors", "median", "p99"), map(float, found.groups())))

    def prove(self, what, nodes, killed=()):
        """Stops the nodes, and holds platform, files and database against each other."""
        if self.database:
            late = self.database.caught_up(nodes)
            self.said.check(f"{what}: the database has caught up" + (f", {late:.1f} s after the last post" if late is not None else ""), late is not None)
        for node in nodes:
            end(node.process)
        # nginx writes a line when an answer has gone; nothing is under way any more.
        arrived = collections.Counter(address for _, address in self.platform.posts()[self.before:])
        faults, lines = [], 0
        for node in nodes:
            events = node.events()
            lines += events["lines"]
            forwarded = events["forward"] + events["redact"]
            # An event may be written and its post not sent any more, where the client has gone (wrk ends so) or the node was killed.
            # Never the other way.
            least = 0 if node.number in killed else events["answered"]
            if not least <= arrived[node.address] <= forwarded:
                faults.append(f"{node.name}: {forwarded} forwarded in its audit, {least} answered, {arrived[node.address]} arrived from it")
            if node.number not in killed and events["answered"] + events["client-gone"] != forwarded:
                faults.append(f"{node.name}: {forwarded} forwarded, and what became of them: {dict(events)}")
            if not events["block"]:
                faults.append(f"{node.name}: nothing was blocked")
        self.said.check(f"{what}: every post at the platform has its event, node by node", faults)
        faults = []
        for node in nodes:
            ran = node.verify()
            if ran.returncode != 0:
                faults += [f"{node.name}: {line}" for line in (ran.stdout + ran.stderr).splitlines()[-4:]]
        self.said.check(f"{what}: each chain is whole", faults)
        if self.database:
            self.said.check(f"{what}: the database has each line of each chain once, and verifies", self.database.faults(BINARY, nodes, lines))
        return sum(node.events()["bytes"] for node in nodes) / posts(nodes)

    # --- parts -------------------------------------------------------------------------------------------------------------------

    def grow(self):
        share, seconds = self.options.share, self.options.seconds
        print(f"\nEach node held to {share:g} of a core; {len(self.options.nodes)} runs of {seconds:g} s, 64 connections over TLS.\n")
        print("| nodes | posts a second | to one node | median ms | 99 % ms | µs a post: nodes | balancer | database |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        first = None
        for count in self.options.nodes:
            nodes = self.nodes(range(1, count + 1), share)
            balancer = Balancer(self.town, ROOT / "docs/deploy.md", [node.number for node in nodes], self.options.proxy_protocol)
            try:
                self.settle()
                self.wrk((ADDRESS["balancer"], 443), 64, 2)
                names = [node.name for node in nodes]
                before = [self.town.seconds(*names), self.town.seconds("balancer"), self.town.seconds("database")]
                seen = self.wrk((ADDRESS["balancer"], 443), 64, seconds)
                after = [self.town.seconds(*names), self.town.seconds("balancer"), self.town.seconds("database")]
                rate = seen["posts"] / seen["seconds"]
                first = first or rate / count
                cost = ["-" if a is None else f"{(a - b) / seen['posts'] * 1e6:.0f}" for a, b in zip(after, before)]
                print(f"| {count} | {rate:.0f} | {rate / first:.2f} | {seen['median']:.1f} | {seen['p99']:.1f} | {cost[0]} | {cost[1]} | {cost[2] if self.database else '-'} |", flush=True)
                self.said.check(f"{count} nodes: no connection was refused or cut", seen["errors"] == 0)
                self.unlimited(nodes)
                self.prove(f"{count} nodes", nodes)
            finally:
                balancer.stop()

    def alone(self):
        print("\nOne node without a limit, clients straight at it, sharing this machine with them and with the platform.\n")
        print("| audit | connections | posts a second | median ms | 99 % ms | µs of the node's processor a post |\n| --- | ---: | ---: | ---: | ---: | ---: |")
        for database in ((False, True) if self.database else (False,)):
            nodes = self.nodes([1], None, database)
            for connections in (1, 64):
                self.wrk((ADDRESS["node-1"], 8443), connections, 1)
                before = self.town.seconds("node-1")
                seen = self.wrk((ADDRESS["node-1"], 8443), connections, self.options.seconds)
                after = self.town.seconds("node-1")
                cost = "-" if after is None else f"{(after - before) / seen['posts'] * 1e6:.0f}"
                print(f"| {'file and PostgreSQL' if database else 'file'} | {connections} | {seen['posts'] / seen['seconds']:.0f} | {seen['median']:.2f} | {seen['p99']:.2f} | {cost} |", flush=True)
            kept, self.database = self.database, self.database if database else None
            length = self.prove(f"one node alone, {'file and database' if database else 'file'}", nodes)
            self.database = kept
            print(f"{length:.0f} bytes of audit a post, {squeezed(nodes[0].audit):.0f} compressed"
                  + (f"; {self.database.bytes() / posts(nodes):.0f} bytes of the database" if self.database and database else "") + "\n", flush=True)

    def lose(self):
        self.missed("killed", 2)
        if max(self.options.nodes) > 2:
            self.missed("killed", max(self.options.nodes))

    def leave(self):
        self.missed("stopped", 2)

    def missed(self, how, count):
        """One of the nodes goes after a third of the time and comes back after two."""
        seconds, clients = max(self.options.seconds, 6), self.options.clients
        nodes = self.nodes(range(1, count + 1))
        balancer = Balancer(self.town, ROOT / "docs/deploy.md", [node.number for node in nodes], self.options.proxy_protocol)
        try:
            self.settle()
            crowd = self.town.start("clients", sys.executable, HERE / "clients.py", ADDRESS["balancer"], self.ca / "ca.pem", seconds, clients, self.options.pause, LONG if how == "stopped" else 0,
                                    stdout=subprocess.PIPE, text=True)
            time.sleep(seconds / 3)
            gone = nodes[0]
            if how == "killed":
                gone.process.kill()
                gone.process.wait()
            else:
                self.said.check(f"one of {count} nodes {how}: it ends in order", end(gone.process) == 0)
            time.sleep(seconds / 3)
            gone.start().wait()
            said, _ = crowd.communicate(timeout=seconds + 120)
            seen = json.loads(said)
            keys = collections.Counter(key for key, _ in self.platform.posts()[self.before:])
            answered = seen["status"].get("200", 0)
            what = f"one of {count} nodes {how}"
            print(f"\n{what}, under {seen['posts'] / seconds:.0f} posts a second of {clients} clients, and started again: {seen['posts']} posts, {seen['answered']} answered, "
                  f"{len(seen['lost'])} lost; {seen['refused']} connections could not be had and {seen['cut']} ended without an answer, so {seen['sent_again']} posts were sent again; "
                  f"{sum(1 for n in keys.values() if n > 1)} arrived twice (the first answer was cut off; their key says so); "
                  f"median {seen['ms']['median']} ms, 99 % {seen['ms']['99 %']} ms, longest {seen['ms']['longest']} ms", flush=True)
            self.said.check(f"{what}: every post was answered in the end", seen["lost"] == [] and seen["answered"] == seen["posts"])
            self.said.check(f"{what}: what clients were told was sent, arrived", answered <= len(keys))
            if self.options.proxy_protocol:
                self.said.check(f"{what}: the audit has the clients' address, as the balancer says it", [
                    f"{node.name}: {sorted(node.clients())}" for node in nodes if node.clients() - {ADDRESS["clients"]}])
            self.said.check(f"{what}: nothing that was blocked arrived", not set(seen["blocked"]) & set(keys))
            if how == "stopped":
                # Some of them were on the node that stopped, in the middle of their bodies.
                self.said.check(f"{what}: what was under way for seconds was answered", [] if seen["long"] == [200] * LONG else [str(seen["long"])])
                self.said.check(f"{what}: no post arrived twice", all(n == 1 for n in keys.values()))
            self.prove(what, nodes, {gone.number} if how == "killed" else ())
        finally:
            balancer.stop()

    def keep(self):
        print("\nOne node, connections kept open over TLS, each after one post.\n")
        print("| connections | resident MiB | more than without, KiB each | µs of processor each, for its handshake and its post |\n| ---: | ---: | ---: | ---: |")
        nodes = self.nodes([1], None, False)
        node = nodes[0]
        # What is set up once, at the first posts.
        self.wrk((node.address, 8443), 16, 1)
        rest = node.memory()
        print(f"| 0 | {rest / 1024:.1f} | | |", flush=True)
        for count in self.options.connections:
            before = self.town.seconds(node.name)
            kept = self.town.start("clients", sys.executable, HERE / "kept.py", node.address, 8443, self.ca / "ca.pem", count, stdout=subprocess.PIPE, text=True)
            line = kept.stdout.readline()
            self.said.check(f"{count} connections are kept", line.strip() == str(count))
            time.sleep(1)
            now = node.memory()
            cost = "-" if before is None else f"{(self.town.seconds(node.name) - before) / count * 1e6:.0f}"
            print(f"| {count:,} | {now / 1024:.1f} | {(now - rest) / count:.1f} | {cost} |", flush=True)
            end(kept, seconds=20)
            time.sleep(1)
        end(node.process)

    def settle(self):
        """HAProxy takes every server to be there until it has asked."""
        time.sleep(1)

    def unlimited(self, nodes):
        for node in nodes:
            self.town.groups[node.name].limit(2)


def posts(nodes):
    """How many these nodes decided on."""
    return max(1, sum(events["forward"] + events["redact"] + events["block"] for events in map(Node.events, nodes)))


def squeezed(file):
    """Bytes a post of this file takes once it is compressed, as a rotated one is."""
    text = file.read_bytes()
    return len(gzip.compress(text, 6)) / max(1, text.count(b'"event":"decision"'))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--nodes", type=lambda text: [int(each) for each in text.split(",")], default=[1, 2, 4])
    parser.add_argument("--share", type=float, default=0.1, help="of a core, of each node in `grow`")
    parser.add_argument("--connections", type=lambda text: [int(each) for each in text.split(",")], default=[100, 1000, 5000])
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between two posts of a client")
    parser.add_argument("--parts", type=lambda text: text.split(","), default=["grow", "alone", "lose", "leave", "keep"])
    parser.add_argument("--no-database", dest="database", action="store_false")
    parser.add_argument("--no-proxy-protocol", dest="proxy_protocol", action="store_false", help="clients have the balancer's address")
    return parser.parse_args()


def main():
    options, said = arguments(), Said()
    needs = [name for name in ("ip", "nsenter", "unshare", "haproxy", "nginx", "wrk", "openssl") if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    if os.getuid() != 0 or needs or subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True).returncode != 0:
        said.skip("nodes in network namespaces", "not root, or no namespaces may be made" if not needs else f"there is no {', '.join(needs)}")
    elif os.environ.get("POSTWARD_SCALE") != "inside":
        os.execvpe("unshare", ["unshare", "--mount", sys.executable, __file__, *sys.argv[1:]], os.environ | {"POSTWARD_SCALE": "inside"})
    else:
        folder = Path(tempfile.mkdtemp(prefix="postward-scale-"))
        folder.chmod(0o755)
        town = Town(folder)
        try:
            scale = Scale(town, options, said, folder)
            for part in options.parts:
                getattr(scale, part)()
        finally:
            town.close()
            shutil.rmtree(folder, ignore_errors=True)
    print(f"scale: {said.passed} passed, {said.failed} failed, {said.skipped} skipped")
    return 1 if said.failed else 0


if __name__ == "__main__":
    sys.exit(main())
