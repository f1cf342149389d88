#!/usr/bin/env python3
"""The audit in a SIEM's place: Debian's rsyslog over TCP (CEF) and TLS with client certificates (OCSF), stopped, killed and back under load.

Passed means: every line of the audit has arrived at both, with its number and hash; each message is what its format asks for; a receiver
that is not who it should be is told nothing; nothing that identifies anybody is anywhere. «N passed, N failed».
"""

import asyncio
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "edge"))

from doors import free_ports  # noqa: E402
from house import BLOCKED, CLEAN, REDACTED, SECRETS, House, StandIn, post  # noqa: E402

passed, failed = 0, []

# What one message becomes in rsyslog's file: parts that rsyslog itself took apart, so that its parser is the judge.
TEMPLATE = (
    'template(name="parts" type="string" string="%syslogfacility-text%\\t%syslogseverity-text%\\t%timestamp:::date-rfc3339%\\t%hostname%\\t'
    '%app-name%\\t%msgid%\\t%structured-data%\\t%msg%\\n")'
)


def check(name, holds, more=""):
    global passed
    if holds:
        passed += 1
    else:
        failed.append(f"{name} {more}".strip())
        print(f"FAILED: {name} {more}", flush=True)


def run(*command):
    subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=60)


def certificates(folder):
    """An authority, a certificate for the receiver and one for Postward; and an authority that signed neither."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ca", "stranger"):
        run("openssl", "req", "-x509", *key, "-days", 2, "-subj", f"/CN={name}.example.org", "-addext", "basicConstraints=critical,CA:TRUE",
            "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")
    for name, names in (("siem", "DNS:localhost,IP:127.0.0.1"), ("edge", "DNS:edge.example.org")):
        run("openssl", "req", *key, "-subj", f"/CN={name}.example.org", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")
        (folder / "names").write_text(f"subjectAltName={names}\n")
        run("openssl", "x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial",
            "-days", 2, "-extfile", folder / "names", "-out", folder / f"{name}.pem")
    for name in ("siem", "edge"):
        (folder / f"{name}.key").chmod(0o600)


class Receiver:
    """rsyslog in a folder of its own: TCP on one port, TLS on another, each into a file."""

    def __init__(self, folder):
        self.folder = folder
        self.tcp, self.tls = free_ports(2)
        self.process = None
        (folder / "work").mkdir()
        (folder / "rsyslog.conf").write_text(f"""
global(workDirectory="{folder}/work" maxMessageSize="1m" defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{folder}/ca.pem"
    defaultNetstreamDriverCertFile="{folder}/siem.pem" defaultNetstreamDriverKeyFile="{folder}/siem.key" parser.escapeControlCharactersOnReceive="off")
module(load="imptcp")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
{TEMPLATE}
ruleset(name="tcp") {{ action(type="omfile" file="{folder}/tcp.log" template="parts" flushOnTXEnd="on") }}
ruleset(name="tls") {{ action(type="omfile" file="{folder}/tls.log" template="parts" flushOnTXEnd="on") }}
input(type="imptcp" address="127.0.0.1" port="{self.tcp}" ruleset="tcp")
input(type="imtcp" address="127.0.0.1" port="{self.tls}" ruleset="tls")
""")

    def start(self):
        with (self.folder / "rsyslog.said").open("ab") as said:
            path = os.environ.get("PATH", "") + ":/usr/sbin"
            self.process = subprocess.Popen(
                [shutil.which("rsyslogd", path=path), "-n", "-f", self.folder / "rsyslog.conf", "-i", self.folder / "rsyslog.pid"],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said)

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(timeout=30)
        (self.folder / "rsyslog.pid").unlink(missing_ok=True)

    def messages(self, name):
        """What has arrived, as parts; a line that is being written is left for the next look."""
        file = self.folder / f"{name}.log"
        text = file.read_text() if file.exists() else ""
        return [line.split("\t", 7) for line in text.split("\n")[:-1]]

    def numbers(self, name):
        found = (re.search(r'\bseq="(\d+)"', parts[6]) for parts in self.messages(name) if len(parts) == 8)
        return collections.Counter(int(number.group(1)) for number in found if number)


def edit_for(receiver, folder):
    def edit(text):
        return text.replace('sync = "none"', f"""sync = "group"
node = "edge-1"

[[audit.sink]]
kind = "syslog"
name = "cef"
address = "127.0.0.1:{receiver.tcp}"
tls = false
retry = "1 s"
gather = "20 ms"

[[audit.sink]]
kind = "syslog"
name = "ocsf"
address = "localhost:{receiver.tls}"
format = "ocsf"
facility = "local3"
roots = "{folder}/ca.pem"
certificate = "{folder}/edge.pem"
key = "{folder}/edge.key"
retry = "1 s"
gather = "20 ms"

[[audit.sink]]
kind = "syslog"
name = "stranger"
address = "localhost:{receiver.tls}"
roots = "{folder}/stranger.pem"
retry = "5 s"
""")
    return edit


async def load(port, n, from_=0):
    """Posts of three kinds; a proxy that is being killed answers some of them with nothing."""
    texts = (CLEAN, BLOCKED, REDACTED)
    lost = 0
    for at in range(from_, from_ + n):
        try:
            await asyncio.wait_for(post(port, texts[at % 3] % at), 20)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
            lost += 1
            await asyncio.sleep(0.2)
    return lost


def lines(house):
    return {line["seq"]: line for line in map(json.loads, house.audit.read_text().splitlines())}


async def caught_up(house, receiver, what, seconds=60):
    """Until both have every line of the file."""
    end = time.monotonic() + seconds
    while True:
        want = set(lines(house))
        missing = {name: len(want - set(receiver.numbers(name))) for name in ("tcp", "tls")}
        if not any(missing.values()):
            break
        if time.monotonic() > end:
            break
        await asyncio.sleep(0.2)
    check(f"{what}: every line is at both", not any(missing.values()), f"missing {missing} of {len(want)}")


def check_messages(house, receiver):
    """What rsyslog made of them, held against the lines of the file."""
    all_lines = lines(house)
    kinds = {"block": "warning", "redact": "notice", "forward": "info"}
    for name, facility in (("tcp", "audit"), ("tls", "local3")):
        wrong = []
        for parts in receiver.messages(name):
            if len(parts) != 8:
                wrong.append(f"no message: {parts}")
                continue
            seen_facility, severity, _, host, app, msgid, data, message = parts
            fields = dict(re.findall(r'(\w+)="((?:[^"\\\]]|\\.)*)"', data))
            line = all_lines.get(int(fields.get("seq", 0)), {})
            # Daemons call the facility by the name of their day.
            is_facility = seen_facility == facility or (facility == "audit" and seen_facility in ("13", "security", "audit"))
            if not (is_facility and host == "edge-1" and app == "postward" and msgid == line.get("event")):
                wrong.append(f"head: {parts[:6]}")
            if line.get("event") == "decision" and severity != kinds[line["verdict"]]:
                wrong.append(f"severity {severity} of {line['verdict']}")
            if fields.get("hash") != line.get("hash") or not data.startswith("[postward@32473 "):
                wrong.append(f"structured data: {data}")
            wrong += wrong_cef(message.strip(), line) if name == "tcp" else wrong_ocsf(message.strip(), line)
        check(f"{name}: messages are as their format asks", not wrong, f"{len(wrong)}: {wrong[:2]}")


def wrong_cef(message, line):
    head = re.split(r"(?<!\\)\|", message, maxsplit=7)
    if len(head) != 8 or head[:3] != ["CEF:0", "Postward", "Postward"] or not head[6].isdigit() or not 0 <= int(head[6]) <= 10:
        return [f"CEF head {head[:7]}"]
    keys = dict(re.findall(r"(\w+)=((?:[^=\\]|\\.)*?)(?= \w+=|$)", head[7]))
    wrong = []
    if keys.get("cn1") != str(line.get("seq")) or keys.get("cs6") != line.get("hash") or keys.get("dvchost") != "edge-1":
        wrong.append(f"CEF keys {keys}")
    if line.get("event") == "decision" and (keys.get("act") != line["verdict"] or keys.get("cs1") != line["ref"] or head[4] != line["verdict"]):
        wrong.append(f"CEF decision {keys}")
    return wrong


def wrong_ocsf(message, line):
    """The attributes that OCSF 1.6 requires of a Data Security Finding, and of a Base Event."""
    try:
        event = json.loads(message)
    except ValueError as error:
        return [f"OCSF {error}: {message[:200]}"]
    wrong = [f"OCSF {key}" for key in ("activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time") if not isinstance(event.get(key), int)]
    metadata = event.get("metadata", {})
    if metadata.get("version") != "1.6.0" or not metadata.get("product", {}).get("vendor_name"):
        wrong.append("OCSF metadata")
    if event.get("type_uid") != event.get("class_uid", 0) * 100 + event.get("activity_id", 0):
        wrong.append("OCSF type_uid")
    if line.get("event") in ("decision", "outcome"):
        if event.get("class_uid") != 2006 or event.get("category_uid") != 2 or event.get("finding_info", {}).get("uid") != line["id"]:
            wrong.append("OCSF finding")
    elif event.get("class_uid") != 0:
        wrong.append("OCSF base event")
    if metadata.get("sequence") != line.get("seq") or metadata.get("uid") != line.get("hash"):
        wrong.append("OCSF place in the chain")
    return wrong


async def scene(folder):
    certificates(folder)
    receiver = Receiver(folder)
    receiver.start()
    origin = await StandIn().start()
    (folder / "house").mkdir()
    house = House(folder / "house", origin.port, clock=10, edit=edit_for(receiver, folder))
    try:
        await house.start()
        await load(house.plain, 60)
        await caught_up(house, receiver, "at first")
        once = {name: set(receiver.numbers(name).values()) for name in ("tcp", "tls")}
        check("while nothing breaks each line comes once", once == {"tcp": {1}, "tls": {1}}, once)

        posting = asyncio.create_task(load(house.plain, 150, 60))
        await asyncio.sleep(0.5)
        receiver.end(signal.SIGKILL)
        await asyncio.sleep(1.5)
        receiver.start()
        await posting
        await caught_up(house, receiver, "after the receiver was killed")

        receiver.end(signal.SIGTERM)
        await load(house.plain, 30, 210)
        receiver.start()
        await caught_up(house, receiver, "after the receiver was stopped")

        posting = asyncio.create_task(load(house.plain, 90, 240))
        await asyncio.sleep(0.5)
        house.process.kill()
        house.process.wait()
        await house.start()
        await posting
        await caught_up(house, receiver, "after Postward was killed")
        check_messages(house, receiver)
        again = {name: sum(receiver.numbers(name).values()) - len(receiver.numbers(name)) for name in ("tcp", "tls")}
        print(f"{len(lines(house))} lines; sent again over the breaks: {again}")

        house.stop()
        said = house.log.read_text()
        check("a receiver that is not who it should be is told nothing, and the log says why", "TLS with the receiver failed" in said)
        check("what is down and back is in the log", "takes lines again" in said)
        written = [house.log, house.audit, folder / "tcp.log", folder / "tls.log"]
        leaks = [f"{secret} in {file.name}" for file in written for secret in SECRETS if secret in file.read_bytes()]
        check("nothing that identifies is anywhere", not leaks and not origin.leaks, leaks + origin.leaks)
    finally:
        if house.process is not None and house.process.poll() is None:
            house.process.kill()
        if receiver.process.poll() is None:
            receiver.process.kill()
        origin.stop()
        if failed:
            print((folder / "rsyslog.said").read_text()[-2000:])
            print(house.log.read_text()[-3000:])


def main():
    with tempfile.TemporaryDirectory(prefix="postward-syslog-") as folder:
        asyncio.run(scene(Path(folder)))
    for fault in failed:
        print(f"failed: {fault}")
    print(f"{passed} passed, {len(failed)} failed")
    sys.exit(bool(failed))


main()
