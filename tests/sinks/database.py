"""A PostgreSQL of the test's own: Debian's program, in a folder of its own, as a user without rights, with TLS, killed and started at will."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "edge"))

from doors import free_ports  # noqa: E402

PASSWORD = "invented-Pass-4711"


def programs():
    """Where Debian keeps the server's programs, the newest version; None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    return Path(shutil.which("postgres")).parent if shutil.which("postgres") else None


def certificates(folder):
    """An authority, and a certificate for 127.0.0.1 and localhost; and another authority that signed nothing."""
    def run(*command):
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True, timeout=60)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ca", "other"):
        run("req", "-x509", *key, "-days", 2, "-subj", f"/CN={name}.example.org", "-addext", "basicConstraints=critical,CA:TRUE",
            "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")
    run("req", *key, "-subj", "/CN=db.example.org", "-keyout", folder / "server.key", "-out", folder / "server.csr")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    run("x509", "-req", "-in", folder / "server.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", 2,
        "-extfile", folder / "names", "-out", folder / "server.pem")


class Database:
    """One server."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.chmod(0o755)
        self.bin = programs()
        self.data = self.folder / "data"
        (self.port,) = free_ports(1)
        # PostgreSQL does not run as root.
        user = pwd.getpwnam("postgres" if "postgres" in [entry.pw_name for entry in pwd.getpwall()] else "nobody") if os.getuid() == 0 else None
        self.ids = (user.pw_uid, user.pw_gid) if user else None
        certificates(self.folder)
        if self.ids:
            os.chown(self.folder, *self.ids)
            for file in self.folder.iterdir():
                os.chown(file, *self.ids)
        (self.folder / "server.key").chmod(0o600)
        (self.folder / "password").write_text(PASSWORD)
        self._run(self.bin / "initdb", "-D", self.data, "-U", "admin", "-A", "scram-sha-256", f"--pwfile={self.folder / 'password'}", "-E", "UTF8", "--no-sync")
        (self.data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\nlocal all admin scram-sha-256\n")
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(f"""
listen_addresses = '127.0.0.1'
port = {self.port}
unix_socket_directories = '{self.folder}'
ssl = on
ssl_cert_file = '{self.folder / "server.pem"}'
ssl_key_file = '{self.folder / "server.key"}'
shared_buffers = '16MB'
max_connections = 20
""")
        self.process = None

    def _demote(self):
        if self.ids:
            os.setgroups([])
            os.setgid(self.ids[1])
            os.setuid(self.ids[0])

    def _run(self, *command):
        done = subprocess.run([*map(str, command)], preexec_fn=self._demote, cwd=self.folder, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise SystemExit(f"{Path(command[0]).name}: {done.stderr[-2000:]}")

    def start(self):
        log = (self.folder / "said.txt").open("ab")
        self.process = subprocess.Popen([self.bin / "postgres", "-D", self.data], preexec_fn=self._demote, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(600):
            if self.ask("SELECT 1", database="postgres", check=False) == "1":
                return self
            if self.process.poll() is not None:
                # What a killed one left behind is still ending.
                self.process = subprocess.Popen([self.bin / "postgres", "-D", self.data], preexec_fn=self._demote, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            time.sleep(0.1)
        raise SystemExit(f"PostgreSQL did not start:\n{(self.folder / 'said.txt').read_text()[-3000:]}")

    def kill(self):
        """As a power cut would, but for the disk."""
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        self.process.kill()
        self.process.wait()
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                pass

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.kill()

    def ask(self, question, database="audit", check=True, separator="\n"):
        """What psql says to this, as text."""
        done = subprocess.run(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-R", separator, "-h", self.folder, "-p", str(self.port), "-U", "admin", "-d", database, "-c", question],
            env={**os.environ, "PGPASSWORD": PASSWORD}, capture_output=True, text=True, timeout=60)
        if check and done.returncode:
            raise SystemExit(f"psql: {done.stderr}\n{question}")
        return done.stdout.strip() if done.returncode == 0 else None
