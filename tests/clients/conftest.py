"""What every test of the stock clients shares: the stand-in, the proxy, and the two ways from a client to a platform."""

import importlib.util
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

os.environ["POSTWARD_TEST_HOSTS"] = ""
_spec = importlib.util.spec_from_file_location("redirect", HERE / "redirect" / "sitecustomize.py")
_spec.loader.exec_module(importlib.util.module_from_spec(_spec))
for _name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(_name, None)

import calls  # noqa: E402
import house  # noqa: E402
import platforms  # noqa: E402
import record  # noqa: E402
import stand_in  # noqa: E402
from words import CANARIES  # noqa: E402


@dataclass
class Sent:
    """What one call of a client came to."""

    result: object
    error: Exception | None
    arrived: list
    decisions: list
    # Requests that the proxy inspected, forwarded or not.
    n_at_proxy: int = 0

    @property
    def posts(self):
        return [request for request in self.arrived if request.method != "GET"]

    @property
    def faults(self):
        """What the platforms would refuse of it."""
        return [fault for request in self.arrived for fault in request.faults]


class World:
    """Sends a client's call straight to the stand-in, or through Postward to it."""

    def __init__(self, platform, proxy, mock_port):
        self.platform, self.proxy, self.mock_port = platform, proxy, mock_port

    def lead(self, port, ca_file):
        os.environ["POSTWARD_TEST_HOSTS"] = " ".join(f"{host}={port}" for host in platforms.HOSTS + ["mock.example"])
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "HTTPLIB2_CA_CERTS", "NODE_EXTRA_CA_CERTS"):
            os.environ[name] = str(ca_file)

    def direct(self, call):
        self.lead(self.platform.tls_port, self.platform.ca_file)
        self.platform.take()
        self.platform.leads_away = False
        try:
            return Sent(call(), None, self.platform.take(), [])
        finally:
            self.platform.leads_away = True

    def through(self, call):
        self.lead(self.proxy.port, self.proxy.ca_file)
        self.platform.take()
        self.proxy.take_decisions()
        n_before = self.proxy.n_requests()
        result, error = None, None
        try:
            result = call()
        except Exception as raised:  # The caller says which one it must be.
            error = raised
        n_at_proxy = self.proxy.n_requests() - n_before
        return Sent(result, error, self.platform.take(), self.proxy.take_decisions(), n_at_proxy)

    def same(self, call, volatile=()):
        """The clean case: what arrives through Postward is what arrives without it, to the byte.

        A boundary, and what matches one of the patterns `volatile`, is drawn anew by the library for each call, and only has to be there.
        """
        direct, through = self.direct(call), self.through(call)
        assert through.error is None, through.error
        assert direct.faults == through.faults == []
        assert [_steady(str(got), volatile) for got in through.arrived] == [_steady(str(expected), volatile) for expected in direct.arrived]
        for expected, got in zip(direct.arrived, through.arrived):
            assert _steady(_less_random(got, got.body), volatile) == _steady(_less_random(expected, expected.body), volatile)
            assert _end_to_end(got) == _end_to_end(expected)
        assert [event["verdict"] for event in through.decisions] == ["forward"] * len(through.posts)
        return through

    def refused(self, call, error_type):
        """The blocked case: one attempt, nothing at the platform. The caller checks what the user is shown."""
        sent = self.through(call)
        assert isinstance(sent.error, error_type), f"{sent.error!r}, arrived {[str(request) for request in sent.arrived]}"
        assert sent.posts == []
        assert sent.n_at_proxy == len(sent.arrived) + 1, "one attempt"
        assert [event["verdict"] for event in sent.decisions] == ["block"]
        return sent

    def check_sentence(self, sentence, sent):
        """The sentence is fit for every client's screen, and leads to the one event of the post."""
        assert sentence.isascii() and sentence.isprintable() and len(sentence) < 400
        assert "blocked" in sentence.lower()
        [event] = sent.decisions
        assert house.reference(sentence) in event.values(), event


# Headers that a client draws anew for each call, or that belong to one connection only.
OWN_TO_A_CALL = {"content-length", "connection", "keep-alive", "accept-encoding", "idempotency-key", "authorization", "content-type"}


def _end_to_end(request):
    headers = {name.lower(): value for name, value in request.headers}
    return {name: value for name, value in headers.items() if name not in OWN_TO_A_CALL} | {
        "scheme of authorization": (headers.get("authorization") or "").split(" ")[0],
        "content-type": _less_random(request, (headers.get("content-type") or "").encode()),
        # An answer that the proxy must put right is asked for uncompressed.
        "accept-encoding": request.path.endswith(".createSession") or headers.get("accept-encoding"),
    }


def _steady(content, volatile):
    for pattern in volatile:
        pattern = pattern if isinstance(content, bytes) else pattern.decode()
        content, _ = re.subn(pattern, b"DRAWN ANEW" if isinstance(content, bytes) else "DRAWN ANEW", content)
    return content


def _less_random(request, content):
    """A multipart boundary is drawn anew for each call; all else must be equal."""
    kind, _, boundary = (request.header("content-type") or "").partition("boundary=")
    return content.replace(boundary.strip('"').encode(), b"BOUNDARY") if kind.startswith("multipart/") else content


def pytest_addoption(parser):
    parser.addoption("--calls", metavar="FILE", help="write what came of each recorded call to FILE, a line of JSON a call")


@pytest.fixture(scope="session")
def calls_record(request):
    """What came of each recorded call, written out at the end of the run."""
    kept = record.Record()
    yield kept
    if file := request.config.getoption("--calls"):
        kept.write(Path(file))


@pytest.fixture(scope="session")
def platform(tmp_path_factory):
    server = stand_in.StandIn(tmp_path_factory.mktemp("stand-in"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mock_port(tmp_path_factory):
    """The port of a mastodon_mock: a Mastodon server with a memory."""
    port = house.free_port()
    log = (tmp_path_factory.mktemp("mock") / "log.txt").open("wb")
    program = Path(sys.executable).with_name("mastodon_mock")
    process = subprocess.Popen([program, "serve", "--in-memory", "--host", "127.0.0.1", "--port", str(port)], stdout=log, stderr=log)
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/instance", timeout=2).close()
            break
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, "mastodon_mock did not start"
            time.sleep(0.1)
    yield port
    process.terminate()
    process.wait()
    log.close()


@pytest.fixture(scope="session")
def upstreams(platform, mock_port):
    """Every platform's hosts, its name in routes, and where it is reached."""
    secure, plain = f"https://127.0.0.1:{platform.tls_port}", f"http://127.0.0.1:{platform.plain_port}"
    return [
        (platform.HOSTS, platform.NAME, plain if getattr(platform, "UPSTREAM", None) == "plain" else secure) for platform in platforms.ALL
    ] + [(["mock.example"], "mastodon", f"http://127.0.0.1:{mock_port}")]


@pytest.fixture(scope="session")
def proxy(tmp_path_factory, platform, upstreams):
    running = house.Postward(tmp_path_factory.mktemp("postward"), upstreams, platform.ca_file).start()
    yield running
    assert running.stop() == 0, "a drained stop is a clean stop"


@pytest.fixture(scope="session")
def world(platform, proxy, mock_port):
    return World(platform, proxy, mock_port)


@pytest.fixture(autouse=True)
def nothing_leaks(request):
    """After each test: no identifier of any test's post stands in the audit, the debug logs, the metrics or any other file."""
    yield
    if "proxy" in request.fixturenames:
        written = request.getfixturevalue("proxy").written().lower()
        leaked = [canary for canary in CANARIES if canary.lower() in written]
        assert leaked == [], "words of a post were written outside it"


@pytest.fixture
def png():
    """A picture of one pixel, with no metadata to strip."""
    return calls.PNG


@pytest.fixture(scope="session", autouse=True)
def only_loopback():
    """The tests' own process reaches nothing but this machine, whatever a client would like."""
    connect = socket.socket.connect

    def guarded(self, address):
        is_ours = address[0] in ("127.0.0.1", "::1", "localhost", *platforms.HOSTS)
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_ours:
            raise OSError(f"a client tried to leave the machine: {address[0]}")
        return connect(self, address)

    socket.socket.connect = guarded
    yield
    socket.socket.connect = connect
