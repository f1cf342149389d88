"""Bluesky: the calls of a personal data server, and what its lexicons and its app say of posts."""

import json
from base64 import urlsafe_b64encode

NAME = "bluesky"
HOSTS = ["bsky.social"]

DID = "did:plc:postwardpostwardpostward"
CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
# Where a client would go if it believed the session's didDoc: round the proxy.
LEADS_AWAY = "https://leads-away.example"


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


RECORD = {"uri": f"at://{DID}/app.bsky.feed.post/3l", "cid": CID}
BLOB = {"blob": {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/png", "size": 3}}

MESSAGE = {"id": "m1", "rev": "1", "text": "posted", "sender": {"did": DID}, "sentAt": "2026-01-01T00:00:00.000Z"}

ANSWERS = [
    (r"POST \S+ /xrpc/com\.atproto\.server\.(create|refresh)Session", 200, _session()),
    (r"GET \S+ /xrpc/app\.bsky\.actor\.getProfile", 200, {"did": DID, "handle": "clinic.test"}),
    (r"GET \S+ /xrpc/app\.bsky\.(feed|actor)\.search", 200, {"posts": [], "actors": []}),
    (r"POST \S+ /xrpc/com\.atproto\.repo\.uploadBlob", 200, BLOB),
    (r"POST \S+ /xrpc/com\.atproto\.repo\.(create|put)Record", 200, RECORD),
    (r"POST \S+ /xrpc/com\.atproto\.repo\.applyWrites", 200, {"results": []}),
    (r"POST \S+ /xrpc/chat\.bsky\.convo\.sendMessage", 200, MESSAGE),
]


def faults(request):
    """What the lexicon says of a post, and what no server checks: each facet covers whole characters of the text, once."""
    found = []
    for record in _records(request):
        text = record.get("text", "")
        if len(text) > 300 or len(text.encode()) > 3000:
            found.append("Record/text must not be longer than 300 graphemes")
        end_before = 0
        for facet in sorted(record.get("facets") or [], key=lambda facet: facet["index"]["byteStart"]):
            start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
            if not end_before <= start < end <= len(text.encode()):
                found.append(f"facet {start}..{end} lies outside the text, or over another")
            try:
                text.encode()[start:end].decode()
            except UnicodeDecodeError:
                found.append(f"facet {start}..{end} cuts a character")
            end_before = end
    return found


def _records(request):
    if request.method != "POST" or not (request.header("content-type") or "").startswith("application/json"):
        return []
    body = request.json
    return [body["record"]] if "record" in body else [write["value"] for write in body.get("writes", []) if "value" in write]


def facets(record):
    """Each facet's words, cut out of the text by its byte range, with the tag or address it stands for."""
    text = record["text"].encode()
    found = {}
    for facet in record.get("facets") or []:
        words = text[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode()
        found[words] = "".join(feature.get("tag") or feature.get("uri", "neither tag nor link") for feature in facet["features"])
    return found
