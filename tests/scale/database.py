"""Debian's PostgreSQL for the nodes' audit, as a user without rights; over TLS on an address, or on a socket alone."""

import os
import pwd
import re
import shutil
import subprocess
import time
from pathlib import Path

PASSWORD = "not-a-password-of-anybody"
USER = "postward"


def programs():
    """The folder of the newest PostgreSQL, or None. Debian keeps its server where no path leads."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Server:
    """One server in a folder of its own. `address` None is a socket alone. It starts by `start`, which runs a command and returns its process."""

    def __init__(self, folder, address=None, certificates=None, password=PASSWORD):
        self.folder, self.address, self.bin, self.password = Path(folder), address, programs(), password
        self.folder.mkdir()
        self.sockets = self.folder / "sockets"
        self.sockets.mkdir()
        owner = pwd.getpwnam("postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name)
        self.become = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups", "--"] if os.getuid() == 0 else []
        word = self.folder / "password"
        word.write_text(password)
        lines = ["listen_addresses = ''" if address is None else f"listen_addresses = '{address}'", f"unix_socket_directories = '{self.sockets}'",
                 "password_encryption = 'scram-sha-256'", "log_min_messages = error", "max_connections = 50"]
        if certificates:
            for name in ("leaf.pem", "leaf.key"):
                shutil.copy(certificates / name, self.folder / name)
            (self.folder / "leaf.key").chmod(0o600)
            lines += ["ssl = on", f"ssl_cert_file = '{self.folder}/leaf.pem'", f"ssl_key_file = '{self.folder}/leaf.key'"]
        if os.getuid() == 0:
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self.run(self.bin / "initdb", "--pgdata", self.folder / "data", "--username", USER, "--auth=scram-sha-256", f"--pwfile={word}", "--encoding=UTF8", "--locale=C")
        with (self.folder / "data/postgresql.conf").open("a") as file:
            file.write("\n".join(lines) + "\n")
        if certificates:
            (self.folder / "data/pg_hba.conf").write_text("local all all scram-sha-256\nhostssl all all all scram-sha-256\n")

    def run(self, *command):
        return subprocess.run([*self.become, *map(str, command)], check=True, capture_output=True, text=True, timeout=120, cwd="/",
                              env=os.environ | {"PGPASSWORD": self.password, "LC_ALL": "C"}).stdout

    def start(self, start):
        self.process = start(*self.become, self.bin / "postgres", "-D", self.folder / "data", stdout=subprocess.DEVNULL, stderr=(self.folder / "log").open("ab"), cwd="/")
        until = time.monotonic() + 60
        while True:
            try:
                return self.query("postgres", "SELECT 1") and self
            except subprocess.CalledProcessError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()[-2000:]}") from None
                time.sleep(0.1)

    def query(self, database, words):
        """By the socket, whatever namespace the server is in."""
        return self.run(self.bin / "psql", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--set=ON_ERROR_STOP=1", "-h", self.sockets, "-U", USER, "-d", database, "-c", words)


class Database:
    """The town's: each run of nodes has a database of its own in it."""

    def __init__(self, town, certificates, address):
        self.town, self.certificates, self.address = town, certificates, address
        self.why, self.name = "", None
        if programs() is None:
            self.why = "PostgreSQL is not installed"
            return
        self.password = town.folder / "database-password"
        self.password.write_text(PASSWORD)
        self.password.chmod(0o600)
        self.server = Server(town.folder / "database", address, certificates).start(lambda *command, **options: town.start("database", *command, **options))

    def usable(self):
        return not self.why

    def url(self):
        return f"postgres://{USER}@database.example.org/{self.name}"

    def fresh(self, name):
        """A new database; returns what a node's settings say of it."""
        self.name = name
        self.server.query("postgres", f"CREATE DATABASE {name}")
        return (f'[[audit.sink]]\nkind = "postgres"\nurl = "{self.url()}"\npassword-file = "{self.password}"\nroots = "{self.certificates}/ca.pem"\n')

    def caught_up(self, nodes):
        """How long it takes, in seconds, until it holds what the files of these nodes hold; None if that never comes."""
        began = time.monotonic()
        while self.rows()[0] < sum(file.read_bytes().count(b"\n") for node in nodes for file in node.folder.glob("audit*.jsonl")):
            if time.monotonic() - began > 60:
                return None
            time.sleep(0.1)
        return time.monotonic() - began

    def rows(self):
        """All, and different ones."""
        return tuple(map(int, self.server.query(self.name, "SELECT count(*), count(DISTINCT (chain, seq)) FROM postward.event").strip().split("|")))

    def bytes(self):
        """What the run's database takes on the disk, indexes and all."""
        return int(self.server.query(self.name, f"SELECT pg_database_size('{self.name}') - pg_database_size('postgres')"))

    def faults(self, binary, nodes, lines):
        """Whether it holds each line of these nodes' files once, and whether its chains verify."""
        rows = self.rows()
        if rows != (lines, lines):
            return [f"{rows} rows (all, and different ones) of {lines} lines"]
        ran = subprocess.run(self.town.within("node-1", binary, "audit", "verify", "--config", nodes[0].folder / "postward.toml"), capture_output=True, text=True, timeout=300)
        words = ran.stdout + ran.stderr
        found = len(set(re.findall(r"node-\d+", words)))
        if ran.returncode != 0 or found < len(nodes):
            return [f"exit code {ran.returncode}, {found} of {len(nodes)} chains named", *words.splitlines()[-6:]]
        return []
