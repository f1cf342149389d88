"""A stand-in for every platform: records each request to the byte, and answers what the stock clients need to go on.

It listens twice on loopback with one memory: plain, and over TLS under a certificate of its own (for clients that post to it
directly, and for routes whose upstream is https). Of each platform it knows what its file in `platforms/` says: the answers, and
what the platform itself would refuse. All else it takes: what it received is what the tests ask about.
"""

import datetime
import ipaddress
import json
import re
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import platforms
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

@dataclass
class Request:
    """One request as it arrived."""

    method: str
    host: str
    target: str
    headers: list
    body: bytes
    client: str
    faults: list = field(default_factory=list)

    @property
    def path(self):
        return urlsplit(self.target).path

    @property
    def query(self):
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def form(self):
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def parts(self):
        """The parts of a multipart body: name -> (file name or None, bytes). Parts without a name (multipart/related) are numbered."""
        boundary = re.search(r"boundary=\"?([^\";]+)", self.header("content-type")).group(1).encode()
        found = {}
        for number, part in enumerate(self.body.split(b"--" + boundary)[1:-1]):
            # Google's client writes bare line feeds.
            end = b"\r\n" if part.startswith(b"\r\n") else b"\n"
            head, _, content = part.removeprefix(end).partition(end + end)
            name = re.search(rb'[; ]name="([^"]*)"', head)
            file_name = re.search(rb'filename="([^"]*)"', head)
            key = name.group(1).decode() if name else number
            found[key] = (file_name and file_name.group(1).decode(), content.removesuffix(end))
        return found

    @property
    def values(self):
        """What a server reads, of whatever kind the body is: the query, and over it JSON, form or the parts that are no files."""
        kind = (self.header("content-type") or "").partition(";")[0].strip().lower()
        values = dict(self.query)
        if not self.body:
            return values
        if kind == "application/json":
            body = self.json
            return values | body if isinstance(body, dict) else values
        if kind == "application/x-www-form-urlencoded":
            return values | self.form
        if kind == "multipart/form-data":
            return values | {name: content.decode() for name, (file_name, content) in self.parts.items() if file_name is None}
        return values

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def __str__(self):
        return f"{self.method} {self.host} {self.target}"


class StandIn:
    """Both listeners and everything they received."""

    def __init__(self, folder: Path):
        self.requests = []
        # Whether a session names another server, to which a client that believes it goes round the proxy.
        self.leads_away = True
        self.lock = threading.Lock()
        self.ca_file, chain, key = _make_certificates(folder)
        self.plain = _Listener(self)
        self.tls = _Listener(self)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        self.tls.socket = context.wrap_socket(self.tls.socket, server_side=True, do_handshake_on_connect=False)
        self.plain_port, self.tls_port = self.plain.server_address[1], self.tls.server_address[1]
        for listener in (self.plain, self.tls):
            threading.Thread(target=listener.serve_forever, daemon=True).start()

    def record(self, request):
        with self.lock:
            self.requests.append(request)

    def take(self):
        """Everything received since the last call."""
        with self.lock:
            taken, self.requests = self.requests, []
        return taken

    def stop(self):
        for listener in (self.plain, self.tls):
            listener.shutdown()
            listener.server_close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, stand_in):
        self.stand_in = stand_in
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request, client_address):
        """A peer that hangs up is not this server's fault, and its trace would bury the tests' own output."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of an answer leave in one segment; otherwise each answer waits for a delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def _answer(self):
        body = self._read_body()
        host = (self.headers.get("Host") or "").split(":")[0]
        request = Request(self.command, host, self.path, list(self.headers.items()), body, self.client_address[0])
        status, answer, *headers = _answer_to(request)
        self.server.stand_in.record(request)
        if not self.server.stand_in.leads_away and isinstance(answer, dict):
            answer = {key: value for key, value in answer.items() if key != "didDoc"}
        is_text = isinstance(answer, bytes)
        content = b"" if answer is None else answer if is_text else json.dumps(answer).encode()
        self.send_response(status)
        json_type = getattr(platforms.of_host(host), "JSON_TYPE", "application/json; charset=utf-8")
        self.send_header("Content-Type", "text/plain; charset=utf-8" if is_text else json_type)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Alt-Svc", 'h3=":443"; ma=86400')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def _read_body(self):
        if "chunked" not in (self.headers.get("Transfer-Encoding") or "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer


def _answer_to(request):
    """What the platform answers, and in the request's faults what it would refuse."""
    platform = platforms.of_host(request.host)
    if platform is None:
        return 404, {"error": "the stand-in is no such host"}
    if hasattr(platform, "faults"):
        try:
            request.faults = platform.faults(request)
        except (KeyError, ValueError, TypeError, AttributeError) as fault:
            request.faults = [f"not to be read as a post: {fault!r}"]
    if request.faults:
        return 400, {"error": f"the stand-in refuses it: {request.faults}"}
    for pattern, status, answer, *headers in platform.ANSWERS:
        if re.match(pattern, f"{request.method} {request.host} {request.path}"):
            return status, answer(request) if callable(answer) else answer, *headers
    return 404, {"error": "the stand-in has no such endpoint"}


def _make_certificates(folder):
    """A throw-away CA, and a leaf for every host the clients believe in and for the loopback address."""
    now = datetime.datetime.now(datetime.timezone.utc)
    ca_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in CA")])
    leaf_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in")])

    def builder(subject, public_key):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
        )

    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
        + ("encipher_only", "decipher_only"),
        False,
    )
    ca = (
        builder(ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(True, 0), True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), True)
        .sign(ca_key, hashes.SHA256())
    )
    names = [x509.DNSName(host) for host in platforms.HOSTS + ["localhost"]] + [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = (
        builder(leaf_name, leaf_key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), False)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(x509.BasicConstraints(False, None), True)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    ca_file, chain, key = folder / "stand-in-ca.pem", folder / "stand-in.pem", folder / "stand-in.key"
    ca_file.write_bytes(ca.public_bytes(pem))
    chain.write_bytes(leaf.public_bytes(pem) + ca.public_bytes(pem))
    plain = serialization.NoEncryption()
    key.write_bytes(leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return ca_file, chain, key

