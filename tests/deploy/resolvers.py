"""The resolvers' and the balancer's lines in docs/deploy.md, in these programs themselves.

Each gets the page's own lines and a stand-in for the world to ask, which knows every name and, as platforms do, an HTTPS record that
leads to HTTP/3. Then it is asked as a device would, and as Postward's own machine.
"""

import re
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/deploy.md"
WORLD = {"A": "203.0.113.10", "AAAA": "2001:db8::10", "HTTPS": '1 . alpn="h3"'}
OURS = {"A": "10.1.2.3", "AAAA": "fd00:1::3", "HTTPS": ""}
OVERRIDDEN = ("bsky.social", "morel.us-east.host.bsky.network")
LEFT_ALONE = ("alice.bsky.social", "plc.directory", "jetstream1.us-east.bsky.network")
ABSENT = ("use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com")
# 192.0.2.0/24 cannot be bound here; all of 127.0.0.0/8 can.
POSTWARD = "127.0.0.53"


def resolvers(said, work):
    blocks = dict(re.findall(r"^```(\w[\w-]*)\n(.*?)^```", PAGE.read_text(), re.M | re.S))
    if not said.has("dig", "the resolvers' lines of docs/deploy.md"):
        return
    world = World()
    for name, start, views in (("dnsmasq", dnsmasq, False), ("unbound", unbound, True), ("named", bind, True)):
        if not said.has(name, f"the lines for {name} in docs/deploy.md"):
            continue
        folder = work / name
        folder.mkdir()
        folder.chmod(0o755)
        # Some give up root's rights as they start.
        work.chmod(0o755)
        port = free()
        process, faults = start(folder, blocks, port, world.port)
        if said.check(f"{name}'s own checker takes the lines in docs/deploy.md", faults):
            judge(said, name, process, port, views)
    # The test can see the fault that it is for.
    if said.has("dnsmasq", "that the test sees what it is for"):
        folder = work / "leaking"
        folder.mkdir()
        folder.chmod(0o755)
        port = free()
        process, _ = dnsmasq(folder, {"dnsmasq": blocks["dnsmasq"].replace("filter-rr=HTTPS,SVCB\n", "")}, port, world.port)
        try:
            answers(port, "bsky.social", "A", until=time.monotonic() + 10)
            said.check("without its line about HTTPS, dnsmasq is seen to lead browsers round", answers(port, "bsky.social", "HTTPS") == ("NOERROR", WORLD["HTTPS"]))
        finally:
            end(process)
    world.close()


def balancer(said, work):
    """The load balancer's lines; tests/scale has them carry posts."""
    if not said.has("haproxy", "the lines for HAProxy in docs/deploy.md"):
        return
    file = work / "haproxy.cfg"
    file.write_text(re.search(r"^```haproxy\n(.*?)^```", PAGE.read_text(), re.M | re.S)[1])
    ran = subprocess.run(["haproxy", "-c", "-f", file], capture_output=True, text=True, timeout=20)
    said.check("HAProxy's own checker takes the lines in docs/deploy.md", [] if ran.returncode == 0 else ran.stderr.splitlines())


def judge(said, name, process, port, views):
    try:
        if answers(port, OVERRIDDEN[0], "A", until=time.monotonic() + 20) is None:
            said.check(f"{name} starts with them", [process.stdout.read(4000) if process.poll() is not None else "it does not answer"])
            return
        rows = [(host, kind, ("NOERROR", OURS[kind])) for host in OVERRIDDEN for kind in OURS]
        said.check(f"{name}: overridden names lead to Postward, A and AAAA, and to nothing by HTTPS", wrong(port, rows))
        rows = [(host, kind, ("NOERROR", WORLD[kind])) for host in LEFT_ALONE for kind in ("A", "AAAA")]
        said.check(f"{name}: names beside and below them stay as they are", wrong(port, rows))
        rows = [(host, "A", ("NXDOMAIN", "")) for host in ABSENT]
        said.check(f"{name}: canary names do not exist", wrong(port, rows))
        if views:
            rows = [(host, "A", ("NOERROR", WORLD["A"])) for host in OVERRIDDEN]
            said.check(f"{name}: Postward's own machine is told the platforms' addresses", wrong(port, rows, POSTWARD))
    finally:
        end(process)


def wrong(port, rows, source="127.0.0.1"):
    for host, kind, want in rows:
        got = answers(port, host, kind, source)
        if got != want:
            yield f"{host} {kind}: {got}, not {want}"


def answers(port, host, kind, source="127.0.0.1", until=0):
    """The status and the only record's data, or nothing where nobody answers."""
    while True:
        ran = subprocess.run(["dig", "-b", source, "@127.0.0.1", "-p", str(port), host, kind, "+time=2", "+tries=1", "+noall", "+comments", "+answer"],
                             capture_output=True, text=True, timeout=30)
        status = re.search(r"status: (\w+)", ran.stdout)
        if status or time.monotonic() > until:
            break
        time.sleep(0.1)
    found = re.findall(rf"^\S+\s+\d+\s+IN\s+{kind}\s+(.*)$", ran.stdout, re.M)
    return (status[1], " ".join(found)) if status else None


def dnsmasq(folder, blocks, port, world):
    file = folder / "dnsmasq.conf"
    file.write_text(blocks["dnsmasq"])
    ran = subprocess.run(["dnsmasq", "--test", f"--conf-file={file}"], capture_output=True, text=True, timeout=20)
    process = begin("dnsmasq", "--keep-in-foreground", f"--conf-file={file}", "--no-resolv", "--no-hosts", f"--server=127.0.0.1#{world}",
                    f"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces", "--log-facility=-", f"--pid-file={folder}/pid", "--user=", "--group=")
    return process, [] if ran.returncode == 0 else ran.stderr.splitlines()


def unbound(folder, blocks, port, world):
    (folder / "page.conf").write_text(blocks["unbound"])
    file = folder / "unbound.conf"
    file.write_text(f"""server:
    directory: "{folder}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    interface: 127.0.0.1@{port}
    access-control: 127.0.0.0/8 allow
    module-config: "iterator"
    do-not-query-localhost: no
    num-threads: 1
include: "{folder}/page.conf"
forward-zone:
    name: "."
    forward-addr: 127.0.0.1@{world}
remote-control:
    control-enable: no
""")
    ran = subprocess.run(["unbound-checkconf", file], capture_output=True, text=True, timeout=20)
    return begin("unbound", "-d", "-c", file), [] if ran.returncode == 0 else (ran.stdout + ran.stderr).splitlines()


def bind(folder, blocks, port, world):
    (folder / "rpz.hospital").write_text(blocks["rpz"])
    file = folder / "named.conf"
    file.write_text(f"""options {{
    directory "{folder}";
    listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    session-keyfile none;
    recursion yes;
    forward only;
    forwarders {{ 127.0.0.1 port {world}; }};
    dnssec-validation no;
    {blocks["named-options"]}
}};
controls {{ }};
{blocks["named"]}
""")
    faults = []
    for command in (["named-checkconf", "-z", file], ["named-checkzone", "rpz.hospital", folder / "rpz.hospital"]):
        ran = subprocess.run(command, capture_output=True, text=True, timeout=20)
        faults += [] if ran.returncode == 0 else (ran.stdout + ran.stderr).splitlines()
    return begin("named", "-g", "-n", "1", "-c", file), faults


def begin(*command):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def end(process):
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free():
    """A port free for both TCP and UDP."""
    while True:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return tcp.getsockname()[1]


class World:
    """Every name has these three records; of other types it has none."""

    DATA = {1: socket.inet_aton(WORLD["A"]), 28: socket.inet_pton(socket.AF_INET6, WORLD["AAAA"]), 65: b"\0\1\0\0\1\0\3\2h3"}

    def __init__(self):
        self.door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.door.bind(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                asked, whom = self.door.recvfrom(4096)
            except OSError:
                return
            end = 12
            while asked[end]:
                end += asked[end] + 1
            kind = struct.unpack("!H", asked[end + 1:end + 3])[0]
            data = self.DATA.get(kind)
            answer = asked[:2] + b"\x81\x80\0\1" + struct.pack("!HHH", 1 if data else 0, 0, 0) + asked[12:end + 5]
            if data:
                answer += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data
            self.door.sendto(answer, whom)

    def close(self):
        self.door.close()


if __name__ == "__main__":
    sys.exit("run by check.py")
