"""The house the clients live in: the real `postward` between them and the stand-in, and what it wrote down."""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def binary():
    """POSTWARD_BIN, or what `cargo build` made."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    chosen = Path(os.environ.get("POSTWARD_BIN", target / "debug" / "postward"))
    if not chosen.exists():
        raise FileNotFoundError(f"no binary at {chosen}: run `cargo build`, or say where it is with POSTWARD_BIN")
    return chosen


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postward:
    """One running proxy in a folder of its own, with the shipped rules, policy and platforms, and debug logs on."""

    def __init__(self, folder, upstreams, extra_roots, more="", policy=None):
        self.folder, self.more = folder, more
        self.port, self.admin_port = free_port(), free_port()
        self.audit_file, self.log_file, self.config = folder / "audit.jsonl", folder / "log.txt", folder / "postward.toml"
        self.process = None
        self.n_read = 0
        # As a careful hospital makes it: good for the routed names and no other.
        named = [argument for hosts, _, _ in upstreams for host in hosts for argument in ("--host", host)]
        run("ca", "init", "--out", folder, *named)
        self.ca_file = folder / "ca.pem"
        routes = "".join(
            f'\n[[route]]\nhosts = {json.dumps(hosts)}\nplatform = "{platform}"\nupstream = "{upstream}"\n'
            for hosts, platform, upstream in upstreams
        )
        if policy is not None:
            (folder / "policy.toml").write_text(policy)
        self.config.write_text(f"""
{'' if policy is None else 'policy = "policy.toml"'}

[[listener]]
address = "127.0.0.1:{self.port}"
tls = {{ ca = "ca.pem", ca-key = "ca.key" }}
{routes}
[upstream]
extra-roots = "{extra_roots}"

[admin]
address = "127.0.0.1:{self.admin_port}"

[audit]
file = "{self.audit_file.name}"
rotate = "never"
sync = "group"
{more}""")

    def start(self):
        environment = dict(os.environ, POSTWARD_LOG="debug", RUST_BACKTRACE="1")
        with self.log_file.open("ab") as log:
            command = [binary(), "serve", "--config", self.config]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        deadline = time.monotonic() + 30
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"postward did not become ready:\n{self.log_file.read_text()[-4000:]}")
            time.sleep(0.02)
        return self

    def _is_ready(self):
        try:
            return self.admin("readyz") is not None
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def admin(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/{path}", timeout=5) as answer:
            return answer.read().decode()

    def n_requests(self):
        """How many requests it has inspected."""
        return int(re.search(r"^postward_inspected_total (\d+)$", self.admin("metrics"), re.MULTILINE).group(1))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Stops as an operator would, and says how it ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def all_events(self):
        """Every whole line of the audit file. A torn last line is no event."""
        lines = self.audit_file.read_bytes().split(b"\n")[:-1] if self.audit_file.exists() else []
        return [json.loads(line) for line in lines if line.strip()]

    def take_decisions(self):
        """The decided posts since the last call (outcomes, which follow, left aside)."""
        events = self.all_events()
        new, self.n_read = events[self.n_read :], len(events)
        return [event for event in new if "verdict" in event]

    def written(self):
        """Everything the process left behind outside the forwarded requests."""
        texts = [path.read_text(errors="replace") for path in sorted(self.folder.rglob("*")) if path.is_file()]
        return "\n".join(texts + [self.admin("metrics")] if self.process.poll() is None else texts)


def run(*arguments, folder=None, expect=0):
    """Runs one `postward` command to its end."""
    done = subprocess.run([binary(), *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == expect, f"postward {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def reference(sentence):
    """The reference in a block's sentence, by which compliance finds the event."""
    found = re.search(r"\(ref ([^)\s]+)\)", sentence)
    assert found, f"the sentence names no reference: {sentence!r}"
    return found.group(1)


def unique():
    """A word no rule knows and no other test uses, to find a post again."""
    return "q" + "".join(secrets.choice("bcdfghjklmnpqrstvwxz") for _ in range(9))
