#!/usr/bin/env python3
"""Processor time a post with the file alone and with SQLite and PostgreSQL beside it, in pairs of runs one after the other. Not a test: a measurement.

    cost.py [--pairs 3] [--seconds 6] [--connections 16]

The same posts by wrk; user and system time of the process (and so of all its sinks' threads) from /proc, from before the first post until every
sink has every line. PostgreSQL's own processes are not in it.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import tempfile
from pathlib import Path

import postgres
from database import PASSWORD, Database

from doors import HOST
from house import BLOCKED, CLEAN, REDACTED, StandIn

SCRIPT = """
local texts = { @TEXTS@ }
local n = 0
request = function()
   n = n + 1
   return wrk.format("POST", "/api/v1/statuses", { ["Host"] = "@HOST@", ["Content-Type"] = "application/json" }, '{"status":"' .. string.format(texts[n % #texts + 1], n) .. '"}')
end
"""


def by_thread(pid):
    """Seconds of processor time of the sinks' threads since the start, by name."""
    spent = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        fields = (task / "stat").read_text().rpartition(")")[2].split()
        if name.startswith("audit-") and name != "audit-keeper":
            spent[name] = spent.get(name, 0) + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent


async def run(folder, name, origin, edit, database, arguments):
    node = await postgres.house(folder, name, origin, edit).start()
    script = Path(folder) / "posts.lua"
    script.write_text(SCRIPT.replace("@TEXTS@", ", ".join(json.dumps(text) for text in (CLEAN, CLEAN, BLOCKED, REDACTED))).replace("@HOST@", HOST))

    async def wrk(seconds):
        process = await asyncio.create_subprocess_exec(
            "wrk", "-t", "1", "-c", str(arguments.connections), "-d", f"{seconds}s", "--timeout", "20s", "-s", str(script), f"http://127.0.0.1:{node.plain}/",
            stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
        return int(re.search(r"(\d+) requests in", said.decode()).group(1))

    await wrk(1)
    before = node.uses()[3]
    posts = await wrk(arguments.seconds)
    has_sinks = "[[audit.sink]]" in node.config.read_text()
    if has_sinks:
        for _ in range(600):
            lines = len(postgres.written(node.folder))
            if len(postgres.in_sqlite(node.folder)) == lines and database.ask(f"SELECT max(last_seq) FROM postward.chain WHERE node = '{name}'") == str(lines):
                break
            await asyncio.sleep(0.1)
    spent = node.uses()[3] - before
    threads = {name: seconds / posts * 1e6 for name, seconds in by_thread(node.process.pid).items()}
    node.stop()
    return spent / posts * 1e6, posts, threads


async def main():
    options = argparse.ArgumentParser()
    options.add_argument("--pairs", type=int, default=3)
    options.add_argument("--seconds", type=int, default=6)
    options.add_argument("--connections", type=int, default=16)
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="postward-cost-") as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "db").mkdir()
        database = Database(Path(folder) / "db").start()
        database.ask(f"CREATE ROLE postward LOGIN PASSWORD '{PASSWORD}'", database="postgres")
        database.ask("CREATE DATABASE audit OWNER postward", database="postgres")
        origin = await StandIn().start()
        ratios = []
        try:
            for pair in range(arguments.pairs):
                alone = lambda text: text.replace('sync = "none"', 'sync = "group"')
                every = postgres.sinks(database, f"all-{pair}")
                gathered = lambda text: every(text).replace('gather = "50 ms"\n', "").replace('rotate-size = "1 MiB"\n', "")
                one, n_one, _ = await run(folder, f"file-{pair}", origin, alone, database, arguments)
                two, n_two, threads = await run(folder, f"all-{pair}", origin, gathered, database, arguments)
                ratios.append(two / one)
                print(f"file alone {one:.0f} us a post ({n_one} posts), with both sinks {two:.0f} us ({n_two} posts): {100 * (two / one - 1):+.1f} %; "
                      + ", ".join(f"{name} {each:.0f} us" for name, each in threads.items()), flush=True)
        finally:
            origin.stop()
            database.stop()
    print(f"median {100 * (statistics.median(ratios) - 1):+.1f} %")


if __name__ == "__main__":
    asyncio.run(main())
