"""A small town in network namespaces: clients, a load balancer, nodes, a database and a platform, each with an address of its own.

Everything lives in a mount namespace that `scale.py` makes, so namespaces and mounts are gone when it ends, however it ends. Each inhabitant
has a control group of its own where the kernel lets us make one: it says what processor time the inhabitant took, children included,
and nodes can be held to a part of a core.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

NET = "10.77.0"
ADDRESS = {"clients": f"{NET}.1", "balancer": f"{NET}.2", "database": f"{NET}.3", "platform": f"{NET}.4"} | {f"node-{n}": f"{NET}.{10 + n}" for n in range(1, 9)}
HOST = "edge.example.org"
# v1 keeps limits and accounts apart; v2 in one tree.
V1 = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup/cpuacct")
V2 = Path("/sys/fs/cgroup")
PERIOD = 10_000  # microseconds; the shorter, the less a limit adds to a post's time
PDEATHSIG = 1


def run(*command, **options):
    return subprocess.run([str(each) for each in command], check=True, capture_output=True, text=True, timeout=120, **options)


class Group:
    """A control group: what its processes took, and a limit on it."""

    def __init__(self, name):
        self.folders = []
        self.v1 = V1[0].joinpath("cpu.cfs_quota_us").exists() or V1[0].joinpath("cgroup.procs").exists()
        name = f"postward-scale-{os.getpid()}-{name}"
        try:
            for parent in V1 if self.v1 else (V2,):
                folder = parent / name
                folder.mkdir()
                self.folders.append(folder)
        except OSError:
            self.close()
        for name, weight in (("cpu.shares", 20_000), ("cpu.weight", 2_000)):
            # What else the machine does takes little from what is measured.
            if self.folders and (self.folders[0] / name).exists():
                (self.folders[0] / name).write_text(str(weight))
        if self.folders and not self.v1 and not (self.folders[0] / "cpu.max").exists():
            self.close()

    def limit(self, cores):
        """Whether it is held to so many cores now."""
        if not self.folders:
            return False
        # The kernel takes no quota below a millisecond.
        period = max(PERIOD, int(1000 / cores))
        quota = max(1000, int(cores * period))
        if self.v1:
            (self.folders[0] / "cpu.cfs_period_us").write_text(str(period))
            (self.folders[0] / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (self.folders[0] / "cpu.max").write_text(f"{quota} {period}")
        return True

    def enter(self):
        """Of a new process, before it begins."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def seconds(self):
        """Processor time of all that were ever in it; None where there is no group."""
        if not self.folders:
            return None
        if self.v1:
            return int((self.folders[1] / "cpuacct.usage").read_text()) / 1e9
        return int(re.search(r"usage_usec (\d+)", (self.folders[0] / "cpu.stat").read_text())[1]) / 1e6

    def close(self):
        for folder in self.folders:
            for _ in range(50):
                try:
                    folder.rmdir()
                    break
                except OSError:
                    time.sleep(0.1)
        self.folders = []


class Town:
    """Namespaces on one bridge."""

    def __init__(self, folder):
        self.folder, self.groups, self.processes = Path(folder), {}, []
        self.prefix = f"pw{os.getpid()}"
        self.libc = ctypes.CDLL(None)
        run("mount", "--make-rprivate", "/")
        # Names as clients and nodes know them; this mount namespace only.
        hosts = self.folder / "hosts"
        hosts.write_text(f"127.0.0.1 localhost\n{ADDRESS['balancer']} {HOST}\n{ADDRESS['platform']} platform.example.org\n{ADDRESS['database']} database.example.org\n")
        run("mount", "--bind", hosts, "/etc/hosts")
        os.makedirs("/run/netns", exist_ok=True)
        run("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
        run("ip", "netns", "add", self.net("square"))
        self.inside("square", "ip", "link", "add", "square", "type", "bridge")
        self.inside("square", "ip", "link", "set", "square", "up")
        for index, (name, address) in enumerate(ADDRESS.items()):
            run("ip", "netns", "add", self.net(name))
            run("ip", "link", "add", "eth0", "netns", self.net(name), "type", "veth", "peer", "name", f"v{index}", "netns", self.net("square"))
            self.inside("square", "ip", "link", "set", f"v{index}", "master", "square", "up")
            self.inside(name, "ip", "addr", "add", f"{address}/24", "dev", "eth0")
            self.inside(name, "ip", "link", "set", "eth0", "up")
            self.inside(name, "ip", "link", "set", "lo", "up")
            self.groups[name] = Group(name)

    def net(self, name):
        return f"{self.prefix}-{name}"

    def within(self, name, *command):
        return ["nsenter", f"--net=/run/netns/{self.net(name)}", "--", *map(str, command)]

    def inside(self, name, *command):
        return run(*self.within(name, *command))

    def start(self, name, *command, **options):
        """A process there, in its group; it ends with us."""
        group = self.groups[name]

        def before():
            self.libc.prctl(PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            group.enter()

        process = subprocess.Popen(self.within(name, *command), preexec_fn=before, stdin=subprocess.DEVNULL, **options)
        self.processes.append(process)
        return process

    def seconds(self, *names):
        took = [self.groups[name].seconds() for name in names]
        return None if None in took else sum(took)

    def close(self):
        for process in reversed(self.processes):
            end(process)
        for group in self.groups.values():
            group.close()
        for name in [*ADDRESS, "square"]:
            subprocess.run(["ip", "netns", "del", self.net(name)], capture_output=True)


def end(process, sign=signal.SIGTERM, seconds=45):
    if process.poll() is None:
        process.send_signal(sign)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def authority(folder):
    """An authority and a certificate for the platform and the database, by openssl."""
    folder.mkdir()
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3", "-subj", "/CN=town",
        "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=platform.example.org",
        "-keyout", folder / "leaf.key", "-out", folder / "leaf.csr")
    (folder / "leaf.cnf").write_text(
        f"subjectAltName=DNS:platform.example.org,DNS:database.example.org,IP:{ADDRESS['platform']},IP:{ADDRESS['database']}\n"
        "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n")
    run("openssl", "x509", "-req", "-in", folder / "leaf.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", "2",
        "-extfile", folder / "leaf.cnf", "-out", folder / "leaf.pem")
    return folder


class Platform:
    """nginx: answers every post, and writes down by its key which node brought it."""

    def __init__(self, town, certificates):
        self.town, self.folder = town, town.folder / "platform"
        self.folder.mkdir()
        self.arrived = self.folder / "arrived"
        file = self.folder / "nginx.conf"
        file.write_text(f"""
daemon off; master_process on; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log; user root;
worker_rlimit_nofile 20000;
events {{ worker_connections 16384; }}
http {{
    log_format key '$http_idempotency_key $remote_addr';
    access_log {self.arrived} key;
    client_body_temp_path {self.folder}; proxy_temp_path {self.folder}; fastcgi_temp_path {self.folder}; uwsgi_temp_path {self.folder}; scgi_temp_path {self.folder};
    keepalive_requests 1000000000; keepalive_timeout 300s;
    server {{
        listen {ADDRESS['platform']}:443 ssl backlog=4096; server_name _;
        ssl_certificate {certificates}/leaf.pem; ssl_certificate_key {certificates}/leaf.key;
        default_type application/json;
        location / {{ return 200 '{{"id":"1"}}'; }}
    }}
}}
""")
        self.process = town.start("platform", shutil.which("nginx") or "/usr/sbin/nginx", "-c", file, "-p", self.folder, stdout=subprocess.DEVNULL, stderr=(self.folder / "said").open("w"))

    def posts(self):
        """(key, node's address) of each arrival so far."""
        if not self.arrived.exists():
            return []
        return [tuple(line.split()) for line in self.arrived.read_text().splitlines()]


class Balancer:
    """HAProxy with the lines of docs/deploy.md, its example's nodes replaced by ours."""

    def __init__(self, town, page, nodes, proxy_protocol):
        text = re.search(r"^```haproxy\n(.*?)^```", page.read_text(), re.M | re.S)[1]
        servers = "".join(f"    server node-{n} {ADDRESS[f'node-{n}']}:8443\n" for n in nodes)
        if proxy_protocol:
            servers = servers.replace(":8443", ":8443 send-proxy-v2")
        text = re.sub(r"(^ +server edge.*\n)+", lambda _: servers, text, flags=re.M)
        # Two files a connection: as many as a test may open.
        text = text.replace("bind :443", f"bind {ADDRESS['balancer']}:443").replace("maxconn 20000", "maxconn 4000")
        file = town.folder / "haproxy.cfg"
        file.write_text(text)
        self.town = town
        self.process = town.start("balancer", shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", file, stdout=subprocess.DEVNULL, stderr=(town.folder / "haproxy.log").open("w"))

    def stop(self):
        end(self.process, signal.SIGKILL)
