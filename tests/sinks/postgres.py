#!/usr/bin/env python3
"""Two nodes with a SQLite each and one PostgreSQL (Debian) between them, over TLS: killed and back under load, the nodes too.

Passed means: every line of every node stands in the database once, in order, and the same in SQLite; every chain verifies; what is done to a
table shows; a full spool and a full disk stop posts and lose nothing; nothing that identifies, and no password, is anywhere. «N passed, N failed».
"""

import asyncio
import os
import re
import resource
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

from database import PASSWORD, Database, programs

from doors import REPOSITORY, postward
from house import BLOCKED, CLEAN, REDACTED, SECRETS, House, StandIn, post

passed, failed = 0, []
HOUSES = []


def check(name, holds, more=""):
    global passed
    if holds:
        passed += 1
    else:
        failed.append(f"{name} {more}".strip())
        print(f"FAILED: {name} {more}", flush=True)


def sinks(database, node, roots="ca.pem", spool="1 GiB", more=""):
    """What is added to the configuration of a house."""
    def edit(text):
        return text.replace('sync = "none"', f"""sync = "group"
node = "{node}"
spool = "{spool}"
rotate-size = "1 MiB"

[[audit.sink]]
kind = "sqlite"
file = "audit.db"

[[audit.sink]]
kind = "postgres"
url = "postgres://postward@127.0.0.1:{database.port}/audit"
password-file = "database.password"
roots = "{database.folder / roots}"
tls = true
gather = "50 ms"
retry = "1 s"
{more}
""")
    return edit


def house(folder, name, origin, edit):
    own = Path(folder) / name
    own.mkdir(parents=True)
    secret = own / "database.password"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    made = House(own, origin.port, clock=10, edit=edit)
    HOUSES.append(made)
    return made


class Load:
    """Posts of three kinds, one after the other, on several connections, until told to stop."""

    def __init__(self, port, width=6):
        self.port, self.n, self.statuses = port, 0, {}
        self.tasks = [asyncio.create_task(self._go(at)) for at in range(width)]

    async def _go(self, at):
        texts = (CLEAN, BLOCKED, REDACTED)
        while True:
            self.n += 1
            try:
                status = await asyncio.wait_for(post(self.port, texts[self.n % 3] % self.n), 30)
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError) as error:
                status = type(error).__name__
                await asyncio.sleep(0.1)
            self.statuses[status] = self.statuses.get(status, 0) + 1

    async def stop(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        return self.statuses


def written(folder):
    """The lines of a node's files, in order."""
    files = sorted(path for path in Path(folder).glob("audit*") if path.suffix in (".jsonl", ".gz"))
    files.sort(key=lambda path: path.name == "audit.jsonl")
    lines = []
    for file in files:
        data = subprocess.run(["gzip", "-dc", file], capture_output=True, check=True).stdout if file.suffix == ".gz" else file.read_bytes()
        # What a kill tore off is no line.
        lines += [line for line in data.decode().split("\n") if line.endswith('"}')]
    return lines


def in_postgres(database, node):
    text = database.ask(f"SELECT line FROM postward.event JOIN postward.chain AS c ON c.id = chain WHERE c.node = '{node}' ORDER BY chain, seq")
    return text.split("\n") if text else []


def in_sqlite(folder):
    with sqlite3.connect(Path(folder) / "audit.db") as connection:
        return [line for (line,) in connection.execute("SELECT line FROM event ORDER BY chain, seq")]


def verify(*sources):
    done = subprocess.run([postward(), "audit", "verify", *map(str, sources)], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "POSTWARD_POSTGRES_PASSWORD": PASSWORD})
    return done.returncode, done.stdout + done.stderr


async def until(what, holds, seconds=60):
    for _ in range(seconds * 10):
        if holds():
            return True
        await asyncio.sleep(0.1)
    check(what, False, f"(not within {seconds} s)")
    return False


def first_difference(one, other):
    for at, (left, right) in enumerate(zip(one, other)):
        if left != right:
            return f"line {at}: {left[:120]} / {right[:120]}"
    return f"{len(one)} lines and {len(other)}"


async def killed_and_back(folder, database, origin):
    """Everything is killed once, under load."""
    one = await house(folder, "one", origin, sinks(database, "edge-1")).start()
    two = await house(folder, "two", origin, sinks(database, "edge-2")).start()
    loads = [Load(one.plain), Load(two.plain)]
    await asyncio.sleep(2)
    database.kill()
    await asyncio.sleep(2)
    one.process.kill()
    one.process.wait()
    await asyncio.sleep(0.5)
    await one.start()
    await asyncio.sleep(1)
    database.start()
    await asyncio.sleep(2)
    two.process.kill()
    two.process.wait()
    await two.start()
    await asyncio.sleep(1)
    statuses = [await load.stop() for load in loads]
    print(f"posts: {statuses}")
    check("no post was refused while the database was down", all(not isinstance(key, int) or key < 500 for of in statuses for key in of), str(statuses))
    for node in (one, two):
        node.stop()
    for node, name in ((one, "edge-1"), (two, "edge-2")):
        lines = written(node.folder)
        check(f"{name} has lines of several files", len(lines) > 100, str(len(lines)))
        for place, held in (("PostgreSQL", in_postgres(database, name)), ("SQLite", in_sqlite(node.folder))):
            check(f"{name}: every line stands once and in order in {place}", held == lines, first_difference(held, lines))
        code, said = verify("--config", node.config)
        check(f"{name}: the file and both sinks verify", code == 0 and said.count("every link holds") == 4, said)
    check("each process kept its own chain", database.ask("SELECT count(*) FROM postward.chain") == "2")
    months = database.ask("SELECT count(*) FROM pg_inherits WHERE inhparent = 'postward.event'::regclass")
    check("months are made ahead", months == "4", months)
    dump = subprocess.run(["psql", "-XAtq", "-h", database.folder, "-p", str(database.port), "-U", "admin", "-d", "audit", "-c", "TABLE postward.event"],
                          env={**os.environ, "PGPASSWORD": PASSWORD}, capture_output=True, check=True).stdout
    everything = [("PostgreSQL", dump)]
    for node in (one, two):
        everything += [(str(path), path.read_bytes()) for path in node.folder.iterdir() if path.is_file() and path.name != "database.password"]
    for name, data in everything:
        for secret in (*SECRETS, PASSWORD.encode()):
            check(f"{secret.decode()} is not in {name}", secret not in data)
    check("the heads stand in the log", all("audit_head" in node.log.read_text() for node in (one, two)))
    return one, two


def questions(database, one):
    """The questions of docs/audit.md, asked."""
    blocks = re.findall(r"```sql\n(-- PostgreSQL.*?)```", (REPOSITORY / "docs/audit.md").read_text(), re.S)
    check("docs/audit.md has questions for PostgreSQL", len(blocks) >= 3, str(len(blocks)))
    for block in blocks:
        for question in filter(str.strip, block.split(";")):
            check(f"{question.strip().splitlines()[0]}", database.ask(question, check=False) is not None, question)


def tampered(database, one):
    """Whatever is done to the table shows."""
    url = one.config
    code, said = verify("--config", url)
    check("whole before", code == 0, said)
    for change, back, word in (
        ("UPDATE postward.event SET verdict = 'forward' WHERE seq = 7 AND chain = 1", None, "columns do not say"),
        ("UPDATE postward.event SET line = replace(line, '\"seq\":7,', '\"seq\":8,') WHERE seq = 7 AND chain = 1", None, "its hash is not that of its words"),
        ("DELETE FROM postward.event WHERE seq = 7 AND chain = 1", None, "a line is missing before it"),
        ("DELETE FROM postward.event AS e USING postward.chain AS c WHERE c.id = 1 AND e.chain = 1 AND e.seq = c.last_seq", None, "missing at the end"),
    ):
        # A copy that is put back afterwards.
        database.ask("CREATE TABLE kept AS TABLE postward.event")
        touched = database.ask(f"WITH touched AS ({change} RETURNING 1) SELECT count(*) FROM touched")
        code, said = verify("--config", url)
        is_noticed = code == 1 and word in said and "chain 1 " in said
        # A verdict that was `forward` already is no change.
        check(f"noticed: {change[:60]}", is_noticed or (touched == "1" and "verdict" in change and code == 0), said)
        database.ask("DELETE FROM postward.event; INSERT INTO postward.event TABLE kept; DROP TABLE kept")
    code, said = verify("--config", url)
    check("whole again", code == 0, said)


async def full_spool(folder, database, origin):
    """More waits than may: posts are blocked until the database is back; nothing is lost."""
    node = await house(folder, "full", origin, sinks(database, "edge-full", spool="64 KiB")).start()
    check("a post goes on", await post(node.plain, CLEAN % 1) == 200)
    await until("it is in the database", lambda: len(in_postgres(database, "edge-full")) >= 2)
    database.kill()
    statuses = []
    for n in range(600):
        statuses.append(await post(node.plain, CLEAN % n))
        if statuses[-1] != 200:
            break
    check("posts go on until the spool is full, and are blocked then", 20 < len(statuses) < 600 and statuses[-1] >= 400, str(statuses[-3:]))
    node.process.kill()
    node.process.wait()
    await node.start()
    # How much waits is known as soon as the files were looked at.
    await asyncio.sleep(1)
    check("a restart makes no room", await post(node.plain, CLEAN % 2) >= 400)
    database.start()
    for _ in range(300):
        if await post(node.plain, CLEAN % 3) == 200:
            break
        await asyncio.sleep(0.2)
    else:
        check("posts go on when the database is back", False)
    node.stop()
    lines = written(node.folder)
    held = in_postgres(database, "edge-full")
    check("nothing was lost", held == lines, first_difference(held, lines))


async def full_disk(folder, database, origin):
    """The disk takes no more: posts are blocked, and afterwards all chains hold in every sink."""
    node = await house(folder, "disk", origin, sinks(database, "edge-disk")).start()
    for n in range(20):
        await post(node.plain, CLEAN % n)
    size = node.audit.stat().st_size
    _, hard = resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (size + 300, hard))
    statuses = {await post(node.plain, CLEAN % n) for n in range(10)}
    check("posts are blocked while the disk is full", statuses and min(statuses) >= 400, str(statuses))
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    for _ in range(100):
        if await post(node.plain, CLEAN % 1) == 200:
            break
        await asyncio.sleep(0.1)
    node.stop()
    lines = written(node.folder)
    check("the chain says how many were lost", any('"event":"lost"' in line for line in lines))
    for place, held in (("PostgreSQL", in_postgres(database, "edge-disk")), ("SQLite", in_sqlite(node.folder))):
        check(f"every line is in {place}", held == lines, first_difference(held, lines))
    code, said = verify("--config", node.config)
    check("and verifies", code == 0, said)


async def wrong_authority(folder, database, origin):
    """A server whose certificate nobody vouches for gets nothing, not even the password."""
    node = await house(folder, "wrong", origin, sinks(database, "edge-wrong", roots="other.pem")).start()
    check("posts go on", await post(node.plain, CLEAN % 1) == 200)
    await until("the log says so", lambda: "an audit sink is down" in node.log.read_text())
    check("for the certificate", "certificate" in node.log.read_text(), node.log.read_text()[-500:])
    check("nothing arrived", in_postgres(database, "edge-wrong") == [])
    node.stop()


async def waited_for(folder, database, origin):
    """Posts that wait for PostgreSQL: each is there when its client hears of it, and none goes on while it is down."""
    node = await house(folder, "wait", origin, sinks(database, "edge-wait", more="wait = true")).start()
    for n in range(5):
        check("a post that was answered is in the database", await post(node.plain, CLEAN % n) == 200
              and sum('"decision"' in line for line in in_postgres(database, "edge-wait")) == n + 1)
    before = origin.posts
    database.kill()
    # The first may notice only by its own fault.
    await post(node.plain, CLEAN % 6)
    check("none goes on while it is down", await post(node.plain, CLEAN % 7) >= 400 and origin.posts <= before + 1)
    database.start()
    node.stop()


async def main():
    if not programs():
        raise SystemExit("postgres.py: PostgreSQL is missing")
    with tempfile.TemporaryDirectory(prefix="postward-sinks-") as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "db").mkdir()
        database = Database(Path(folder) / "db").start()
        origin = await StandIn().start()
        try:
            database.ask(f"CREATE ROLE postward LOGIN PASSWORD '{PASSWORD}'", database="postgres")
            database.ask("CREATE DATABASE audit OWNER postward", database="postgres")
            began = time.monotonic()
            one, _ = await killed_and_back(folder, database, origin)
            questions(database, one)
            tampered(database, one)
            await full_spool(folder, database, origin)
            await full_disk(folder, database, origin)
            await wrong_authority(folder, database, origin)
            await waited_for(folder, database, origin)
            check("nothing that identifies arrived at the platform", not origin.leaks, str(origin.leaks))
            print(f"{time.monotonic() - began:.0f} s")
        finally:
            origin.stop()
            database.stop()
            for started in HOUSES:
                started.stop()
    for fault in failed:
        print(f"failed: {fault}")
    print(f"{passed} passed, {len(failed)} failed")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    asyncio.run(main())
