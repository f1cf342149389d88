#!/usr/bin/env python3
"""slowhttptest (Debian) in its four modes against the real binary, while somebody else posts every 200 ms.

    slow.py [--seconds 10] [--connections 300]

All four run at once. Passed is a mode whose attackers Postward got rid of (closed connections) or had to be served slowly within
its clocks, while every post of the prober was answered. Prints a Markdown table and «N passed, N failed».
"""

import argparse
import asyncio
import re
import shutil
import tempfile

from house import House, Prober, StandIn

MODES = {
    "slow headers (-H)": ["-H", "-i", "1"],
    "slow body (-B)": ["-B", "-i", "1", "-s", "8192", "-t", "POST", "-f", "application/json"],
    "slow read (-X)": ["-X", "-w", "64", "-y", "256", "-n", "1", "-z", "16"],
    "range (-R)": ["-R", "-a", "1", "-b", "3000"],
}


def share(options, connections):
    """Slow readers each hold an answer of 4 MiB back, so a fifth of them does."""
    return connections // 5 if "-X" in options else connections


async def attack(options, port, seconds, connections):
    """What slowhttptest says in its last status."""
    large = "/large" if "-X" in options else "/api/v1/statuses"
    command = ["slowhttptest", *options, "-c", str(share(options, connections)), "-r", "150", "-l", str(seconds), "-p", "10", "-u", f"http://127.0.0.1:{port}{large}"]
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    said, _ = await process.communicate()
    text = re.sub(r"\x1b\[[0-9;]*m", "", said.decode(errors="replace"))
    last = lambda word: (re.findall(rf"^\s*{word}:\s+(\S+)", text, re.M) or ["?"])[-1]
    return {word: last(word) for word in ("connected", "closed", "error", "pending", "service available")} | {"every": re.findall(r"service available:\s+(\S+)", text)}


async def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=int, default=10)
    arguments.add_argument("--connections", type=int, default=300)
    chosen = arguments.parse_args()
    if not shutil.which("slowhttptest"):
        raise SystemExit("slow.py: slowhttptest is missing")
    failed = []
    with tempfile.TemporaryDirectory(prefix="postward-slow-") as folder:
        origin = await StandIn().start()
        house = await House(folder, origin.port).start()
        try:
            before = house.uses()
            prober = Prober(house.plain)
            results = await asyncio.gather(*(attack(options, house.plain, chosen.seconds, chosen.connections) for options in MODES.values()))
            probes, middle, worst, faults = prober.stop()
            # By now every clock has struck.
            await asyncio.sleep(2 * 3 + 1)
            after = house.uses()
        finally:
            house.stop()
            origin.stop()
        print("| mode | connections | closed by Postward | still open | service available |\n| --- | --- | --- | --- | --- |")
        for (name, options), result in zip(MODES.items(), results):
            available = all(word == "YES" for word in result["every"]) and result["every"]
            print(f"| {name} | {share(options, chosen.connections)} | {result['closed']} | {result['connected']} | {'throughout' if available else 'NOT ALWAYS'} |")
            if not available:
                failed.append(f"{name}: {result}")
        print(f"\nprober: {probes} posts, {len(faults)} unanswered, median {middle * 1000:.0f} ms, worst {worst * 1000:.0f} ms")
        print(f"memory {before[0] >> 10} -> {after[0] >> 10} MiB, open files {before[1]} -> {after[1]}, threads {before[2]} -> {after[2]}")
        if faults or not probes:
            failed.append(f"the prober: {faults[:5]}")
        # Up to 64 connections to the platform wait to be used again.
        if after[1] > before[1] + 64 + 20:
            failed.append("connections are still open after every clock has struck")
        if origin.leaks or house.leaks():
            failed.append(f"leaks: {origin.leaks + house.leaks()}")
    for fault in failed:
        print(f"failed: {fault}")
    print(f"{len(MODES) + 1 - len(failed)} passed, {len(failed)} failed")
    raise SystemExit(bool(failed))


asyncio.run(main())
