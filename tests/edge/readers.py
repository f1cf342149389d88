"""Two readers of what reaches the upstream: one as strict as RFC 9112 asks of a sender, one as lax as programs have been.

Where the two come to different ends of a request, some upstream can be made to read a second one (request smuggling). Both read the
same bytes; `lax_framing` is what programs that trim, join or look for a word have made of a header.
"""

import re
from dataclasses import dataclass

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Control bytes other than these three may be kept "within a safe context" (RFC 9110, 5.5): nobody ends a line at them.
VALUE = re.compile(rb"[^\0\r\n]*")
TARGET = re.compile(rb"[\x21-\x7e]+")
HOST = re.compile(rb"[A-Za-z0-9.\-_:\[\]]+")
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})((?:;[\t\x20-\x7e\x80-\xff]*)?)\r\n")
MOST_HEAD = 1 << 20


class Fault(Exception):
    """These bytes are no request in one way only."""


@dataclass
class Head:
    """A head read strictly."""

    method: bytes
    target: bytes
    version: bytes
    headers: list
    chunked: bool = False
    length: int = 0

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name]


def read_head(text):
    """The head that ends with the empty line; `text` is all of it."""
    lines = text[:-4].split(b"\r\n")
    words = lines[0].split(b" ")
    if len(words) != 3 or not TOKEN.fullmatch(words[0]) or not TARGET.fullmatch(words[1]) or words[2] not in (b"HTTP/1.0", b"HTTP/1.1"):
        raise Fault("request line")
    head = Head(*words, [])
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.fullmatch(name):
            raise Fault("header name")
        if not VALUE.fullmatch(value):
            raise Fault("header value")
        head.headers.append((name, value.strip(b" \t")))
    hosts, lengths, codings = (head.all(name) for name in (b"host", b"content-length", b"transfer-encoding"))
    if len(hosts) != 1 or not HOST.fullmatch(hosts[0]):
        raise Fault("host")
    if len(lengths) > 1 or len(codings) > 1 or (lengths and codings):
        raise Fault("two framings")
    if lengths and not re.fullmatch(rb"[0-9]{1,18}", lengths[0]):
        raise Fault("length")
    if codings and (codings[0].lower() != b"chunked" or head.version == b"HTTP/1.0"):
        raise Fault("coding")
    head.chunked, head.length = bool(codings), int(lengths[0]) if lengths else 0
    if lax_framing(head) != (head.chunked, head.length):
        raise Fault("two readings of one header")
    return head


def lax_framing(head):
    """How a careless program frames the body: whatever is no letter in a name is a hyphen to it, as behind CGI, and blanks round a name
    are not there; a coding holds wherever its word stands, and of a length its first digits."""
    chunked, length = False, 0
    for name, value in head.headers:
        read_as = re.sub(rb"[^a-z]", b"-", name.lower().strip())
        if read_as == b"transfer-encoding":
            chunked |= b"chunked" in value.lower()
        elif read_as == b"content-length":
            digits = re.search(rb"[0-9]+", value)
            length = int(digits.group()) if digits else 0
    return chunked, 0 if chunked else length


def read_all(text):
    """What a strict reader makes of the bytes of one connection: the paths of its requests, and whether it came to a fault."""
    paths = []
    while text:
        # One empty line before a request is to be passed over (RFC 9112, 2.2).
        if paths == [] and text.startswith(b"\r\n"):
            text = text[2:]
        end = text.find(b"\r\n\r\n")
        if end < 0:
            return paths, True
        try:
            head = read_head(text[: end + 4])
            text = text[end + 4 :]
            if head.chunked:
                _, text = read_chunks(text)
            elif len(text) < head.length:
                return paths, True
            else:
                text = text[head.length :]
        except Fault:
            return paths, True
        paths.append(head.target)
        options = b",".join(head.all(b"connection")).lower()
        if b"close" in options or (head.version == b"HTTP/1.0" and b"keep-alive" not in options):
            break
    return paths, False


def read_chunks(text):
    """A chunked body and what follows it."""
    body = b""
    while True:
        line = CHUNK.match(text)
        if not line:
            raise Fault("chunk line")
        size, text = int(line.group(1), 16), text[line.end() :]
        if size == 0:
            break
        if text[size : size + 2] != b"\r\n":
            raise Fault("chunk end")
        body, text = body + text[:size], text[size + 2 :]
    while not text.startswith(b"\r\n"):
        line, end, text = text.partition(b"\r\n")
        check_trailer(line)
        if not end:
            raise Fault("trailer")
    return body, text[2:]


def check_trailer(line):
    name, colon, value = line.partition(b":")
    if not colon or not TOKEN.fullmatch(name) or not VALUE.fullmatch(value):
        raise Fault("trailer")
