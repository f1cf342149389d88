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
import re
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack

import clocks
import doors
import downgrade
import exchange
import frames
import framing
import h2spec
import mutations
import table
from origin import Origin

# How many connections of one door are under way at once.
AT_ONCE = 128
LONG_CLOCK = 30
# What a busy machine could be at fault for is tried once more, alone, before it counts; under marks of its own.
LATE = re.compile("no answer|nothing happened|stayed open")
AGAIN = 1 << 20
# The order of the table's rows.
STRAYS = "nothing else arrived"
ORDER = list(dict.fromkeys(
    [case.family for case in framing.cases() + mutations.cases() + h2spec.CASES] + [h2spec.STRICT] + [case.family for case in downgrade.cases()]
    + [clocks.FAMILY, STRAYS]
))
# The first letters of the marks of HTTP/2's cases; those of HTTP/1 have the door's own, those of slow clients a third.
HTTP_2 = {"postward": "q", "nginx": "o", "haproxy": "i"}
CLOCKS = {"postward": "r", "nginx": "m", "haproxy": "j"}


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

    jobs = [(case, transport) for case in cases for transport in case.transports]
    for first in (0, AGAIN):
        pending, late = [], []
        await asyncio.gather(*(one(case, transport, f"{door.name[0]}{number:07x}") for number, (case, transport) in enumerate(jobs, first)))
        # What a door still had under way when its client was done has arrived by now, or never will.
        await asyncio.sleep(1)
        for case, transport, mark, outcome in pending:
            fault = exchange.judge(case, mark, outcome, origin.arrivals[mark])
            if fault and LATE.search(fault) and not first:
                late.append((case, transport))
            else:
                results.append(table.Result(case.family, case.name, door.name, transport, fault, outcome.shown, case.row))
        jobs = late


async def run_frames(door, origin, specified, downgraded, results):
    """Every case of HTTP/2 through one door, each on a connection of its own."""
    context = doors.tls("h2")
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(case, mark):
        connection, fault, fate = None, None, -1
        async with turns:
            try:
                connection = await frames.Connection.silent(door, context, mark)
                if getattr(case, "greets", True):
                    await connection.greet()
                if isinstance(case, downgrade.Case):
                    fate = await downgrade.run(connection, case)
                else:
                    await case.run(connection)
            except (frames.Failed, OSError) as error:
                fault = str(error) or type(error).__name__
            finally:
                if connection:
                    connection.close()
        pending.append((case, mark, fault, fate, connection.verdict if connection else ""))

    cases = [*specified, *downgraded]
    for first in (0, AGAIN):
        pending, late = [], []
        await asyncio.gather(*(one(case, f"{HTTP_2[door.name]}{number:07x}") for number, case in enumerate(cases, first)))
        await asyncio.sleep(1)
        for case, mark, fault, fate, verdict in pending:
            arrivals = origin.arrivals[mark]
            if isinstance(case, downgrade.Case):
                fault = fault or downgrade.judge(case, mark, fate, arrivals)
            elif fault is None and (len(arrivals) > case.arrives or any(arrival.fault for arrival in arrivals)):
                fault = "what is no request arrived upstream"
            if fault and LATE.search(fault) and not first:
                late.append(case)
                continue
            results.append(table.Result(case.family, case.name, door.name, "tls", fault))
            if verdict != "":
                results.append(table.Result(h2spec.STRICT, case.name, door.name, "tls", fault or verdict))
        cases = late


async def run_clocks(door, pool, results):
    """Every slow client at once."""
    loop = asyncio.get_running_loop()
    measured = await loop.run_in_executor(pool, clocks.measure_all, door.name, door.plain, door.tls, CLOCKS[door.name])
    for case, seconds in zip(clocks.CASES, measured):
        fault = f"open after {clocks.PATIENCE} s" if seconds is None else None
        shown = "open" if seconds is None else f"{seconds:.0f} s" if case.timed else "ended"
        results.append(table.Result(clocks.FAMILY, case.name, door.name, "", fault, shown))


async def run(options):
    specified = [case for case in h2spec.CASES if wanted(case.family, options.only)]
    downgraded = [case for case in downgrade.cases() if wanted(case.family, options.only)]
    cases = [case for case in framing.cases() + mutations.cases() if wanted(case.family, options.only)]
    names = [name for name in options.door or doors.NAMES if doors.program(name)]
    results, started = [], time.monotonic()
    with ExitStack() as stack:
        folder = doors.open_folder(stack)
        pool = stack.enter_context(ProcessPoolExecutor(len(names)))
        running, slow = [], []
        for name in names:
            origin = await Origin().start()
            stack.callback(origin.stop)
            running.append((await doors.open_door(stack, name, origin.port, folder, LONG_CLOCK), origin))
            if wanted(clocks.FAMILY, options.only):
                slow.append(await doors.open_door(stack, name, origin.port, folder, clocks.CLOCK))
        ticking = asyncio.gather(*(run_clocks(door, pool, results) for door in slow))
        # Most slow clients are done before the machine is busy.
        await asyncio.sleep(2 * clocks.CLOCK if slow else 0)
        await asyncio.gather(
            *(run_exchanges(door, origin, cases, results) for door, origin in running),
            *(run_frames(door, origin, specified, downgraded, results) for door, origin in running),
        )
        await ticking
    # What arrived under no mark is no request of ours.
    for door, origin in running:
        fault = f"{len(origin.strays)} requests arrived that nobody meant" if origin.strays else None
        results.append(table.Result(STRAYS, "strays", door.name, "both", fault))
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
    # Killed, it stops what it started all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    results, versions = asyncio.run(run(options))
    for result in results:
        if result.fault and (result.door == "postward" or options.only):
            print(f"{doors.NAMES[result.door]}: {result.family}: {result.name} ({result.transport}): {result.fault}")
    made = table.Tables(results, versions, ORDER)
    if options.write:
        if len(versions) < len(doors.NAMES):
            sys.exit("the tables are written from a run with nginx and HAProxy")
        made.write()
    elif not options.check:
        print(made.counts())
        print(made.answers())
        print(made.clocks())
    worse = made.check() if options.check else []
    print(*worse, sep="\n", end="\n" if worse else "")
    # As tests/run counts: one for each family, for its cases stand in the table.
    families = made.families()
    n_failed = min(len(worse), len(families))
    print(f"edge: {len(families) - n_failed} passed, {n_failed} failed")
    sys.exit(bool(worse))


if __name__ == "__main__":
    main()
