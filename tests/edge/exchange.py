"""One case over one connection: what is written, what comes back, and what is made of it together with what the origin saw."""

import asyncio
import re
from dataclasses import dataclass, field

from doors import HOST

MARK = b"IIIIIIII"
BODY = b"flu shots on Friday"

# What a case asks of a door. The same is asked of all three.
PASS = "pass"  # answered 2xx; the origin saw exactly the requests meant, each read one way only
REFUSE = "refuse"  # answered 4xx or 5xx, or not at all, and closed; the origin saw nothing
DECLINE = "decline"  # answered 4xx or 5xx; the connection may stay, as its framing was in no doubt
SAFE = "safe"  # whatever the answer: each request that the origin saw has an answer of its own, and is read one way only
FIRST = "first"  # the first request is answered 2xx; what follows is refused, as above
EITHER = "either"  # RFC 9110 and 9112 leave both open: one of the above


@dataclass(frozen=True)
class Case:
    """One thing that a client does. `send` is one piece, or several with a pause between them; `row` names the row of docs/edge.md
    that quotes its answers."""

    family: str
    name: str
    send: tuple
    want: str
    body: bytes = BODY
    paths: tuple = (b"/e/",)
    row: str = ""
    transports: tuple = ("plain", "tls")
    forbidden: tuple = ()


@dataclass
class Outcome:
    """What the client saw."""

    statuses: list = field(default_factory=list)
    closed: bool = False
    text: bytes = b""

    @property
    def shown(self):
        """As the table quotes it: the last status, and `c` where the connection ended."""
        return (str(self.statuses[-1]) if self.statuses else "no answer") + ("c" if self.closed else "")


class Budget:
    """How long a case may take: generous before the first answer, short after it. Nothing is judged by these times but who never
    answers at all."""

    first, quiet, close = 8.0, 0.4, 8.0


async def open_stream(door, context=None):
    """A connection to a door, plain or under TLS."""
    if context is None:
        return await asyncio.open_connection("127.0.0.1", door.plain)
    return await asyncio.open_connection("127.0.0.1", door.tls, ssl=context, server_hostname=HOST)


async def exchange(door, context, pieces, want, budget=Budget):
    """Writes the pieces, and reads until nothing more is to be expected."""
    outcome = Outcome()
    reader, writer = await open_stream(door, context)
    try:
        for number, piece in enumerate(pieces):
            if number:
                # What the door says to the first part is read before the next is sent.
                await _read(reader, outcome, budget.first, budget.quiet, wanted=0)
            writer.write(piece)
            try:
                await asyncio.wait_for(writer.drain(), budget.first)
            except (ConnectionError, asyncio.TimeoutError):
                break
        await _read(reader, outcome, budget.first, budget.close if want in (REFUSE, FIRST) else budget.quiet, wanted=1)
    finally:
        outcome.statuses = [int(found) for found in re.findall(rb"(?:^|\n|fine\n)HTTP/1\.[01] ([0-9]{3})", outcome.text)]
        outcome.statuses = [status for status in outcome.statuses if status != 100 or len(outcome.statuses) == 1]
        writer.close()
    return outcome


async def _read(reader, outcome, first, quiet, wanted):
    """Reads to the end, or to a silence: a long one before there is any answer, a short one after it."""
    while not outcome.closed:
        answered = re.search(rb"HTTP/1\.[01] [2-5]", outcome.text) or (wanted == 0 and outcome.text)
        try:
            more = await asyncio.wait_for(reader.read(65536), quiet if answered or not wanted else first)
        except asyncio.TimeoutError:
            return
        except (ConnectionError, OSError):
            more = b""
        outcome.closed = more == b""
        outcome.text += more


def judge(case, mark, outcome, arrivals):
    """What is wrong with it, or None."""
    if any(arrival.fault for arrival in arrivals):
        return f"upstream could read it in two ways: {next(arrival.fault for arrival in arrivals if arrival.fault)}"
    paths = [arrival.path.split(b"?")[0].rpartition(b"/")[0] + b"/" for arrival in arrivals]
    if len(arrivals) > len(outcome.statuses) and arrivals:
        return f"arrived {len(arrivals)} times upstream for {len(outcome.statuses)} answers"
    if b"/smuggled/" in paths and case.want != SAFE:
        return "a smuggled request arrived upstream"
    for arrival in arrivals:
        for word in case.forbidden:
            if word in arrival.names or (len(word) > 4 and word in arrival.head):
                return f"{word.decode()} arrived upstream"
    if case.want == SAFE:
        return None if outcome.statuses or outcome.closed else "got no answer"
    final = outcome.statuses[-1] if outcome.statuses else 0
    refused = (not outcome.statuses and outcome.closed) or final >= 400
    if case.want in (REFUSE, DECLINE) or (case.want == EITHER and refused):
        if arrivals:
            return "was not refused: it arrived upstream"
        if not refused:
            return f"was not refused: {outcome.shown}"
        if case.want == REFUSE and not outcome.closed:
            return f"stayed open after {outcome.shown}"
        return None
    if case.want == FIRST:
        if outcome.statuses[:1] != [200] or final < 400 or not outcome.closed:
            return f"not the first alone: {outcome.statuses}{'c' if outcome.closed else ''}"
        outcome = Outcome(outcome.statuses[:1])
    if len(outcome.statuses) < len(case.paths) or not all(200 <= status < 300 for status in outcome.statuses):
        return f"was not passed on: {outcome.shown}"
    if tuple(paths) != case.paths:
        return f"arrived {len(arrivals)} times upstream, not {len(case.paths)}"
    if arrivals and arrivals[0].body != case.body.replace(MARK, mark.encode()):
        return "arrived with another body"
    return None
