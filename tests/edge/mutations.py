"""Requests with a second one inside, under every way of writing `Transfer-Encoding` that some program has read and another not.

The families are those that defparam's smuggler made known: every odd byte at every place round the header's name, colon, value and
line end, and ways of writing the value. Each goes out twice: CL.TE, where who believes the chunks finds a request behind them, and
TE.CL, where who believes the length finds one inside. A door may refuse, or pass on what two readers read alike (`readers.py`). A
request that arrives at the upstream and has no answer of its own was smuggled past the door: a failure. Where a mutation is no coding
at all but an ordinary header (`X: ..`), the length alone holds, and TE.CL is two requests by right: these go out as CL.TE only.
"""

from doors import HOST
from exchange import MARK, SAFE, Case
from readers import read_all

SMUGGLED = b"GET /smuggled/" + MARK + b" HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\nX: y\r\n\r\n"
BYTES = [*range(0x01, 0x21), *range(0x7F, 0x100)]
TE = b"Transfer-Encoding: chunked"

# Where an odd byte `~` stands.
PLACES = {
    "before the name": b"~Transfer-Encoding: chunked",
    "in the name": b"Transfer~Encoding: chunked",
    "after the name": b"Transfer-Encoding~: chunked",
    "after the colon": b"Transfer-Encoding:~chunked",
    "before the value": b"Transfer-Encoding: ~chunked",
    "in the value": b"Transfer-Encoding: chu~nked",
    "after the value": b"Transfer-Encoding: chunked~",
    "after the value, with more": b"Transfer-Encoding: chunked~X: x",
    "in another header's value": b"X: x~Transfer-Encoding: chunked",
    "between CR and the name": b"X: x\r~Transfer-Encoding: chunked",
    "between a value and LF": b"X: x~\nTransfer-Encoding: chunked",
    "between CR and more": b"Transfer-Encoding: chunked\r~X: x",
}
WRITINGS = {
    "plain": TE,
    "small letters": TE.lower(),
    "capitals": TE.upper(),
    "changing letters": b"tRANSFER-eNCODING: ChUnKeD",
    "no blank": b"Transfer-Encoding:chunked",
    "two blanks": b"Transfer-Encoding:  chunked",
    "a tab": b"Transfer-Encoding:\tchunked",
    "twice": TE + b"\r\n" + TE,
    "with identity behind": TE + b"\r\nTransfer-Encoding: identity",
    "with identity before": b"Transfer-Encoding: identity\r\n" + TE,
    "identity listed behind": TE + b", identity",
    "identity listed before": b"Transfer-Encoding: identity, chunked",
    "a comma before": b"Transfer-Encoding: , chunked",
    "a comma behind": TE + b",",
    "a comma and a word without a blank": b"Transfer-Encoding: cow,chunked",
    "a word behind": TE + b" cow",
    "a semicolon behind": TE + b";",
    "a parameter behind": TE + b";q=1",
    "quotes": b'Transfer-Encoding: "chunked"',
    "apostrophes": b"Transfer-Encoding: 'chunked'",
    "brackets": b"Transfer-Encoding: <chunked>",
    "an empty value, and another line": b"Transfer-Encoding:\r\n" + TE,
    "folded": b"Transfer-Encoding:\r\n chunked",
    "folded twice": b"Transfer-Encoding:\r\n \r\n chunked",
    "folded in its name": b"Transfer-\r\n Encoding: chunked",
    "folded under another header": b"X: x\r\n " + TE,
    "folded by LF": b"Transfer-Encoding:\n chunked",
    "a line behind without a colon": TE + b"\r\nX",
    "a blank line of blanks before": b" \r\n" + TE,
    "under an underscore": b"Transfer_Encoding: chunked",
    "under a blank": b"Transfer Encoding: chunked",
    "under a dot": b"Transfer.Encoding: chunked",
    "under no hyphen": b"TransferEncoding: chunked",
    "under an escape": b"Transfer%2DEncoding: chunked",
    "under a backslash": b"Transfer\\-Encoding: chunked",
    "under a colon before": b":Transfer-Encoding: chunked",
    "two colons": b"Transfer-Encoding:: chunked",
    "an equals sign for a colon": b"Transfer-Encoding= chunked",
    "a similar letter": "Transfer-Encodıng: chunked".encode(),
    "a value with a similar letter": "Transfer-Encoding: chunĸed".encode(),
    "a soft hyphen": "Transfer­-Encoding: chunked".encode(),
    "Content-Encoding": b"Content-Encoding: chunked",
    "TE": b"TE: chunked",
    "as a connection option": TE + b"\r\nConnection: Transfer-Encoding",
    "a wrong word": b"Transfer-Encoding: chunk",
    "a wrong word before": b"Transfer-Encoding: xchunked",
    "a wrong word behind": b"Transfer-Encoding: chunkedx",
    "gzip before": b"Transfer-Encoding: gzip, chunked",
    "gzip behind": b"Transfer-Encoding: chunked, gzip",
    "x-chunked": b"Transfer-Encoding: x-chunked",
    "at the end of 60 kB": b"X: " + b"x" * 30_000 + b"\r\n" + TE,
}


def cases():
    made = []
    for place, line in PLACES.items():
        for byte in BYTES:
            made += pair(f"{place}, byte 0x{byte:02x}", line.replace(b"~", bytes([byte])))
    for name, line in WRITINGS.items():
        made += pair(name, line)
    made += zero_lengths() + double_lengths()
    return made


def post(lines, body):
    head = b"POST /e/" + MARK + b" HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\nContent-Type: text/plain\r\n"
    return head + lines + b"\r\n\r\n" + body


def pair(name, line):
    """The mutation as CL.TE over plain TCP and as TE.CL over TLS, or the other way round, by turns; CL.TE alone where it is only an
    ordinary header."""
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
    behind = b"0\r\n\r\n" + SMUGGLED
    size_line = chunks.index(b"\n") + 1
    cl_te = post(b"Content-Length: %d\r\n%s" % (len(behind), line), behind)
    te_cl = post(b"%s\r\nContent-Length: %d" % (line, size_line), chunks)
    plain_first = sum(name.encode()) % 2 == 0
    made = [case("CL.TE", name, cl_te, "plain" if plain_first else "tls")]
    if not is_ordinary(line):
        made.append(case("TE.CL", name, te_cl, "tls" if plain_first else "plain"))
    return made


def case(kind, name, send, transport):
    return Case(f"smuggling, {kind}", name, (send,), SAFE, transports=(transport,))


def is_ordinary(line):
    """Whether a strict reader finds nothing wrong with the line and no coding in it."""
    paths, fault = read_all(post(b"Content-Length: 0\r\n" + line, b""))
    return not fault and len(paths) == 1


def zero_lengths():
    """CL.0 and 0.CL: a body that one side may take for absent."""
    made = []
    for method in ("GET", "HEAD", "OPTIONS", "DELETE", "PUT", "POST", "PATCH"):
        for length in (b"%d", b" %d", b"%d ", b"0%d", b"+%d", b"%d,0", b"0,%d", b"\t%d", b"%d\t", b"-%d", b"%d.0", b"0x%x"):
            value = length % len(SMUGGLED)
            head = method.encode() + b" /e/" + MARK + b" HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\nContent-Type: text/plain\r\nContent-Length:"
            made.append(case("CL.0 and 0.CL", f"{method}, length {length.decode()}", head + value + b"\r\n\r\n" + SMUGGLED, "plain"))
    return made


def double_lengths():
    """CL.CL: two lengths, under every odd byte before and behind the second one's name."""
    made = []
    for place in (b"~Content-Length: 0", b"Content-Length~: 0", b"Content-Length:~0", b"Content-Length: 0~", b"Content~Length: 0"):
        for byte in BYTES:
            line = place.replace(b"~", bytes([byte]))
            send = post(b"Content-Length: %d\r\n%s" % (len(SMUGGLED), line), SMUGGLED)
            made.append(case("CL.CL", f"{place.decode()} with byte 0x{byte:02x}", send, "tls" if byte % 2 else "plain"))
    return made
