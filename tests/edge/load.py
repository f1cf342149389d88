#!/usr/bin/env python3
"""wrk and h2load (Debian) at saturation with clean and identifying posts; afterwards what the platform got is held against the audit.

    load.py [--seconds 5]

Passed means: nothing that identifies arrived; every arrival has its decision in the audit and every decision to forward its outcome;
no answer of 5xx; nothing that identifies is in log or audit. Prints a Markdown table and «N passed, N failed».
"""

import argparse
import asyncio
import json
import re
import shutil
import tempfile
from pathlib import Path

from doors import HOST
from house import BLOCKED, CLEAN, REDACTED, House, StandIn

# One in three is clean, one has a number that is blocked, one a telephone number that is redacted.
SCRIPT = """
local texts = { @TEXTS@ }
local n = 0
request = function()
   n = n + 1
   local body = '{"status":"' .. string.format(texts[n % #texts + 1], n) .. '"}'
   return wrk.format("POST", "/api/v1/statuses", { ["Host"] = "@HOST@", ["Content-Type"] = "application/json" }, body)
end
bad = 0
response = function(status) if status >= 500 then bad = bad + 1 end end
local threads = {}
setup = function(thread) table.insert(threads, thread) end
done = function(summary, latency)
   local faults = 0
   for _, thread in ipairs(threads) do faults = faults + thread:get("bad") end
   io.write(string.format("median %.1f p99 %.1f ms\\n", latency:percentile(50) / 1000, latency:percentile(99) / 1000))
   io.write(string.format("requests %d; 5xx %d\\n", summary.requests, faults))
end
"""


async def run(*command):
    process = await asyncio.create_subprocess_exec(*map(str, command), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    said, _ = await process.communicate()
    return said.decode(errors="replace")


async def wrk(folder, scheme, port, seconds):
    script = Path(folder) / "mixed.lua"
    texts = ", ".join(json.dumps(text) for text in (CLEAN, BLOCKED, REDACTED))
    script.write_text(SCRIPT.replace("@TEXTS@", texts).replace("@HOST@", HOST))
    said = await run("wrk", "-t", 2, "-c", 64, "-d", f"{seconds}s", "--timeout", "20s", "-s", script, f"{scheme}://127.0.0.1:{port}/")
    counts, times = re.search(r"requests (\d+); 5xx (\d+)", said), re.search(r"median.*?ms", said)
    if not counts:
        raise SystemExit(f"wrk said nothing of its requests:\n{said[-2000:]}")
    return int(counts.group(1)), int(counts.group(2)), times.group()


async def h2load(house, folder, text, seconds):
    body = Path(folder) / "body.json"
    body.write_text(json.dumps({"status": text % 7}))
    said = await run("h2load", "-t", 1, "-c", 16, "-m", 16, "-D", seconds, "-d", body, "-H", "content-type: application/json",
                     "--connect-to", f"127.0.0.1:{house.tls}", f"https://{HOST}/api/v1/statuses")
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", said)
    failed = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", said)
    return [int(code) for code in codes.groups()], [int(number) for number in failed.groups()]


def metric(text, name):
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if re.match(rf"{name}[{{ ]", line))


async def metrics(house):
    reader, writer = await asyncio.open_connection("127.0.0.1", house.admin)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    text = (await reader.read()).decode()
    writer.close()
    return text


async def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=int, default=5)
    seconds = arguments.parse_args().seconds
    for program in ("wrk", "h2load"):
        if not shutil.which(program):
            raise SystemExit(f"load.py: {program} is missing")
    failed, rows, checks = [], [], 0
    with tempfile.TemporaryDirectory(prefix="postward-load-") as folder:
        origin = await StandIn().start()
        house = await House(folder, origin.port, clock=20).start()
        try:
            for scheme, port in (("http", house.plain), ("https", house.tls)):
                requests, faults, times = await wrk(folder, scheme, port, seconds)
                checks += 1
                if faults or not requests:
                    failed.append(f"wrk, {scheme}: {faults} answers of 5xx in {requests}")
                rows.append((f"wrk, {scheme}, 64 connections, one third each", requests, times))
            for name, text, want in (("clean", CLEAN, 0), ("identifying, blocked", BLOCKED, 2), ("identifying, redacted", REDACTED, 0)):
                codes, faults = await h2load(house, folder, text, max(2, seconds // 2))
                rows.append((f"h2load, 16 connections of 16 streams, {name}", sum(codes), f"2xx {codes[0]}, 4xx {codes[2]}, 5xx {codes[3]}"))
                checks += 1
                # h2load counts an answer of 4xx as failed; what it was cut off from at the end it counts as errored.
                if codes[3] or not sum(codes) or codes[want] != sum(codes):
                    failed.append(f"h2load {name}: {codes} {faults}")
            counted = await metrics(house)
            peak = house.uses()
        finally:
            house.stop()
        verdicts, outcomes = house.events()
        sent = verdicts["forward"] + verdicts["redact"]
        told = sum(outcomes.values())
        unanswered = outcomes["failed"]
        print("| load | requests | |\n| --- | --- | --- |")
        for row in rows:
            print("| {} | {} | {} |".format(*row))
        print(f"\naudit: {verdicts['forward']} forwarded, {verdicts['redact']} redacted, {verdicts['block']} blocked; outcomes {dict(outcomes)}")
        print(f"the platform got {origin.posts} posts; memory {peak[0] >> 10} MiB, {peak[1]} files, {peak[2]} threads")
        # A client that leaves (a generator at its end) may have its post decided and not sent; none arrives undecided.
        results = {
            "nothing that identifies arrived": not origin.leaks,
            "nothing that identifies was written down": not house.leaks(),
            "every arrival was decided": origin.posts <= sent,
            "every decision to forward has its outcome": told == sent,
            "what was answered arrived": outcomes["answered"] <= origin.posts,
            "all three kinds were seen": all(verdicts[word] for word in ("forward", "redact", "block")),
            "no platform failed": unanswered == 0 and metric(counted, "postward_upstream_failures_total") == 0,
        }
        checks += len(results)
        failed += [f"NOT: {name}" for name, holds in results.items() if not holds]
        origin.stop()
    for fault in failed:
        print(f"failed: {fault}")
    print(f"{checks - len(failed)} passed, {len(failed)} failed")
    raise SystemExit(bool(failed))


asyncio.run(main())
