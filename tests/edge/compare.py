#!/usr/bin/env python3
"""The edge of Postward beside nginx's and HAProxy's: the same bytes to each, in front of one origin that reads strictly.

    tests/edge/compare.py                  prints the tables
    tests/edge/compare.py --write          puts them into docs/edge.md
    tests/edge/compare.py --check          ends with 1 where Postward fails more, or answers otherwise, than docs/edge.md says
    tests/edge/compare.py --only WORD ..   families whose name holds a word; says of each failure what was wrong
    tests/edge/compare.py --door NAME ..   postward, nginx, haproxy

A peer that is not installed is skipped. Needs Python 3.10, openssl, and a built postward (POSTWARD_BIN, or cargo's debug build).
"""

import argparse
import asyncio
import sys
import time
from contextlib import ExitStack

import doors
import exchange
import framing
import mutations
import table
from origin import Origin

# How many connections of one door are under way at once.
AT_ONCE = 128
LONG_CLOCK = 30


async def run_exchanges(door, origin, cases, results):
    """Every case of HTTP/1 through one door."""
    contexts = {"plain": None, "tls": doors.tls("http/1.1")}
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(case, transport, mark):
        async with turns:
            pieces = [piece.replace(exchange.MARK, mark.encode()) for piece in case.send]
            try:
                outcome = await exchange.exchange(door, contexts[transport], pieces, case.want)
            except OSError as error:
                outcome = exchange.Outcome(text=str(error).encode())
        pending.append((case, transport, mark, outcome))

    pending = []
    jobs = [(case, transport) for case in cases for transport in case.transports]
    await asyncio.gather(*(one(case, transport, f"{door.name[0]}{number:07x}") for number, (case, transport) in enumerate(jobs)))
    # What a door still had under way when its client was done has arrived by now, or never will.
    await asyncio.sleep(1)
    for case, transport, mark, outcome in pending:
        fault = exchange.judge(case, mark, outcome, origin.arrivals[mark])
        results.append(table.Result(case.family, case.name, door.name, transport, fault, outcome.shown, case.row))


async def run(options):
    cases = [case for case in framing.cases() + mutations.cases() if wanted(case.family, options.only)]
    names = [name for name in options.door or doors.NAMES if doors.program(name)]
    results, started = [], time.monotonic()
    with ExitStack() as stack:
        folder = doors.open_folder(stack)
        running = []
        for name in names:
            origin = await Origin().start()
            stack.callback(origin.stop)
            door = doors.Door(name, origin.port, doors.own_folder(folder, name), LONG_CLOCK)
            stack.callback(door.stop)
            running.append((await door.start(), origin))
        await asyncio.gather(*(run_exchanges(door, origin, cases, results) for door, origin in running))
    # What arrived under no mark is no request of ours.
    for door, origin in running:
        fault = f"{len(origin.strays)} requests arrived that nobody meant" if origin.strays else None
        results.append(table.Result("nothing else arrived", "strays", door.name, "both", fault))
    print(f"{len(results)} exchanges in {time.monotonic() - started:.0f} s")
    return results, {name: doors.version(name) for name in names}


def wanted(family, words):
    return not words or any(word in family for word in words)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--door", nargs="+", choices=list(doors.NAMES), default=[])
    options = parser.parse_args()
    if "postward" in (options.door or doors.NAMES) and not doors.program("postward"):
        sys.exit(f"no binary at {doors.postward()}: run `cargo build`, or say where it is with POSTWARD_BIN")
    results, versions = asyncio.run(run(options))
    for result in results:
        if result.fault and (result.door == "postward" or options.only):
            print(f"{doors.NAMES[result.door]}: {result.family}: {result.name} ({result.transport}): {result.fault}")
    made = table.Tables(results, versions)
    if options.write:
        made.write()
    elif not options.check:
        print(made.counts())
        if not options.only:
            print(made.answers())
    worse = made.check() if options.check else []
    print(*worse, sep="\n", end="\n" if worse else "")
    # As tests/run counts: one for each family, for its cases stand in the table.
    families = made.families()
    n_failed = min(len(worse), len(families))
    print(f"edge: {len(families) - n_failed} passed, {n_failed} failed")
    sys.exit(bool(worse))


if __name__ == "__main__":
    main()
