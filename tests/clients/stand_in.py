"""A stand-in for every platform: records each request to the byte, and answers what the stock clients need to go on.

It listens twice on loopback with one memory: plain, and over TLS under a certificate of its own (for clients that post to it
directly, and for routes whose upstream is https). It never judges: what it received is what the tests ask about.
"""

import datetime
import ipaddress
import json
import re
import ssl
import threading
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DID = "did:plc:postwardpostwardpostward"
CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
# Where a Bluesky client would go if it believed the session's didDoc: round the proxy.
LEADS_AWAY = "https://leads-away.example"


@dataclass
class Request:
    """One request as it arrived."""

    method: str
    host: str
    target: str
    headers: list
    body: bytes
    client: str

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
        """The parts of a multipart body: name -> (file name or None, bytes)."""
        boundary = re.search(r"boundary=\"?([^\";]+)", self.header("content-type")).group(1).encode()
        found = {}
        for part in self.body.split(b"--" + boundary)[1:-1]:
            head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            name = re.search(rb'[; ]name="([^"]*)"', head).group(1).decode()
            file_name = re.search(rb'filename="([^"]*)"', head)
            found[name] = (file_name and file_name.group(1).decode(), content.removesuffix(b"\r\n"))
        return found

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def __str__(self):
        return f"{self.method} {self.host} {self.target}"


def _token():
    def encode(value):
        return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{encode({'alg': 'none'})}.{encode({'exp': 9999999999, 'iat': 1, 'sub': DID, 'scope': 'a'})}.c2ln"


def _session():
    service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": LEADS_AWAY}
    document = {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": DID,
        "alsoKnownAs": ["at://clinic.test"],
        "verificationMethod": [],
        "service": [service],
    }
    return {
        "did": DID,
        "handle": "clinic.test",
        "accessJwt": _token(),
        "refreshJwt": _token(),
        "active": True,
        "didDoc": document,
    }


ACCOUNT = {
    "id": "1",
    "username": "clinic",
    "acct": "clinic",
    "url": "https://mastodon.example/@clinic",
    "display_name": "Clinic",
    "note": "",
    "source": {},
}
STATUS = {
    "id": "10",
    "uri": "https://mastodon.example/statuses/10",
    "url": "https://mastodon.example/@clinic/10",
    "created_at": "2026-01-01T00:00:00.000Z",
    "content": "<p>posted</p>",
    "account": ACCOUNT,
    "visibility": "public",
    "spoiler_text": "",
    "media_attachments": [],
    "mentions": [],
    "tags": [],
    "emojis": [],
}
MEDIA = {"id": "9", "type": "image", "url": "https://mastodon.example/9.png", "preview_url": None, "description": ""}
INSTANCE = {
    "uri": "mastodon.example",
    "domain": "mastodon.example",
    "title": "stand-in",
    "version": "4.5.0",
    "api_versions": {"mastodon": 7},
    "configuration": {"statuses": {"max_characters": 500}},
}
TOKEN = {"access_token": "granted", "token_type": "Bearer", "scope": "read write follow push", "created_at": 1}
RECORD = {"uri": f"at://{DID}/app.bsky.feed.post/3l", "cid": CID}
BLOB = {"blob": {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/png", "size": 3}}
UPLOADED = {"media_id": 1, "media_id_string": "1", "size": 3, "expires_after_secs": 86400, "data": {"id": "1"}}
TWEET_1 = {"id": 1, "id_str": "1", "text": "posted", "created_at": "Mon Sep 24 03:35:21 +0000 2012"}
SEARCH = {"accounts": [], "statuses": [], "hashtags": []}

# METHOD, host and path -> (status, JSON). The first that matches answers.
ANSWERS = [
    (r"POST \S+ /xrpc/com\.atproto\.server\.(create|refresh)Session", 200, _session()),
    (r"GET \S+ /xrpc/app\.bsky\.actor\.getProfile", 200, {"did": DID, "handle": "clinic.test"}),
    (r"GET \S+ /xrpc/app\.bsky\.(feed|actor)\.search", 200, {"posts": [], "actors": []}),
    (r"POST \S+ /xrpc/com\.atproto\.repo\.uploadBlob", 200, BLOB),
    (r"POST \S+ /xrpc/com\.atproto\.repo\.(create|put)Record", 200, RECORD),
    (r"POST \S+ /xrpc/com\.atproto\.repo\.applyWrites", 200, {"results": []}),
    (r"POST \S+ /1\.1/media/metadata/create", 200, None),
    (r"POST \S+ /1\.1/media/upload", 200, UPLOADED),
    (r"POST \S+ /1\.1/jot/", 200, None),
    (r"\S+ api\.(twitter|x)\.com /1\.1/search", 200, {"statuses": []}),
    (r"GET api\.(twitter|x)\.com /2/", 200, {"data": [], "meta": {"result_count": 0}}),
    (r"\S+ api\.(twitter|x)\.com /1\.1/", 200, TWEET_1),
    (r"POST api\.(twitter|x)\.com /2/", 201, {"data": {"id": "1", "text": "posted"}}),
    (r"\S+ graph\.facebook\.com /.*/photos", 200, {"id": "1", "post_id": "1_2"}),
    (r"\S+ graph\.facebook\.com /.*search", 200, {"data": []}),
    (r"\S+ graph\.facebook\.com /", 200, {"id": "1_1"}),
    (r"GET \S+ /api/v[12]/instance", 200, INSTANCE),
    (r"POST \S+ /oauth/token", 200, TOKEN),
    (r"GET \S+ /api/v2/search", 200, SEARCH),
    (r"\S+ \S+ /api/v1/accounts/(verify|update)_credentials", 200, ACCOUNT),
    (r"(POST|PUT) \S+ /api/v[12]/media", 200, MEDIA),
    (r"(POST|PUT) \S+ /api/v1/statuses", 200, STATUS),
]


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
        self.server.stand_in.record(request)
        status, answer = 404, {"error": "the stand-in has no such endpoint"}
        for pattern, known_status, known_answer in ANSWERS:
            if re.match(pattern, f"{self.command} {host} {request.path}"):
                status, answer = known_status, known_answer
                break
        if not self.server.stand_in.leads_away and isinstance(answer, dict):
            answer = {key: value for key, value in answer.items() if key != "didDoc"}
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
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
    names = [x509.DNSName(host) for host in HOSTS] + [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
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


HOSTS = ["mastodon.example", "mock.example", "bsky.social", "api.twitter.com", "upload.twitter.com", "graph.facebook.com", "localhost"]
