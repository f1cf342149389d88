#!/usr/bin/env python3
"""`roster listen` beside a real HL7 library's client: admissions, moves, merges, faults, and a process that is killed.

    check.py POSTWARD [--kills N]

Ends with «roster: N passed, N failed». Every name and number is invented.
"""

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import hl7
from hl7.client import MLLPClient

TODAY = "2026-11-23"
results = []


def passes(name, fine, why=""):
    results.append(fine)
    print(f"{'ok    ' if fine else 'FAILED'} {name}" + ("" if fine else f": {why}"), flush=True)


class House:
    """A folder with a key, a roster and whoever follows it."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.process = binary, Path(folder), None
        self.run("roster", "key", "key")
        rows = ["mrn,first_name,last_name,birth_date,room,admitted,discharged"]
        rows += [f"{5_000_000 + n},Ida,Quillfeather{chr(97 + n % 26)}{n},1950-01-02,,2019-03-01,2019-03-09" for n in range(300)]
        rows += ["731946,Zebulon,Quackenthorpe,1961-05-06,973,2026-11-20,"]
        (self.folder / "patients.csv").write_text("\n".join(rows) + "\n")
        self.run("roster", "build", "--out", "r.pwr", "--key-file", "key", "patients.csv")

    def run(self, *args, stdin=None):
        done = subprocess.run([self.binary, *args], cwd=self.folder, input=stdin, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{args}: {done.returncode} {done.stderr}")
        return done.stdout

    def listen(self):
        self.process = subprocess.Popen(
            [self.binary, "roster", "listen", "--listen", "127.0.0.1:0", "--out", "r.pwr", "--key-file", "key", "--log-format", "json"],
            cwd=self.folder, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            said = json.loads(line)
            if "address" in said:
                host, port = said["address"].rsplit(":", 1)
                # Nobody else reads it, and a full pipe must not stop anybody.
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return host, int(port)
        raise RuntimeError("it does not listen")

    def end(self, how):
        self.process.send_signal(how)
        status = self.process.wait(20)
        self.process = None
        return status

    def found(self, texts):
        """Which of the texts the roster finds somebody in, and by which rules."""
        said = self.run("roster", "test", "--roster", "r.pwr", "--key-file", "key", "--today", TODAY, stdin="\n".join(texts) + "\n")
        # An answer ends with the line that speaks of care.
        answers, answer = [], []
        for line in said.splitlines():
            answer.append(line)
            if "patient's care" in line:
                answers.append("" if "finds nobody" in line else " ".join(answer))
                answer = []
        assert len(answers) == len(texts), (len(answers), len(texts))
        return answers

    def finds_soon(self, text, what, within=3.0):
        """How long until a text is found, or is not; None if it takes too long."""
        start = time.monotonic()
        while True:
            # When it was asked counts, not how long the answer takes.
            asked = time.monotonic() - start
            if what(self.found([text])[0]):
                return asked
            if asked > within:
                return None


def message(event, number, pid, at="20261122100000", more="", version="2.5", control=None):
    control = control or f"C{number}-{event}-{at}"
    return (f"MSH|^~\\&|ADT|H|POSTWARD|H|{at}||ADT^{event}|{control}|P|{version}\r"
            f"EVN|{event}|{at}\rPID|1||{number}^^^H^MR||{pid}\r{more}")


def code(answer):
    frame = answer.decode()
    assert frame.startswith("\x0b") and frame.endswith("\x1c\r"), frame
    parsed = hl7.parse(frame.strip("\x0b\x1c\r"))
    msa = parsed.segment("MSA")
    return str(msa[1]), str(msa[2]), str(msa[3]) if len(msa) > 3 else ""


def follows(house):
    host, port = house.listen()
    with MLLPClient(host, port) as client:
        say = lambda *args, **more: code(client.send_message(message(*args, **more)))
        bed = "PV1|1|I|9 Quill^974^B\r"
        passes("an admission is acknowledged", say("A01", "731977", "Grimblehawk^Philoxenia^^^^^L||19500102", more=bed)[0] == "AA")
        took = house.finds_soon("Philoxenia from 974 coded", lambda it: "roster-room" in it)
        # Within a second, on a machine that is not busy: the program that asks is started anew each time, and that is timed too.
        passes("and is seen by readers soon", took is not None and took < 10.0, f"{took}")
        print(f"seen by readers after {took or 0:.2f} s")
        passes("a record number is found", "roster-mrn" in house.found(["pt 731977 coded"])[0])
        say("A02", "731977", "Grimblehawk^Philoxenia||19500102", at="20261122110000", more="PV1|1|I|9 Quill^981^A\r")
        passes("a move is followed", house.finds_soon("Philoxenia from 981 coded", lambda it: "roster-room" in it) is not None)
        passes("and the old room is nobody's", "roster-room" not in house.found(["Philoxenia from 974 coded"])[0])
        late = say("A02", "731977", "Grimblehawk^Philoxenia||19500102", at="20261122103000", more="PV1|1|I|9 Quill^999^A\r")
        passes("a move that comes late is acknowledged", late[0] == "AA")
        time.sleep(0.6)
        passes("and changes nothing", "roster-room" in house.found(["Philoxenia from 981 coded"])[0])
        # Of the table's own patient: moved, renamed, merged.
        say("A02", "00731946", "Quackenthorpe^Zebulon||19610506", more="PV1|1|I|9 Quill^975\r")
        passes("a patient of the table is moved", house.finds_soon("Zebulon from 975 coded", lambda it: "roster-room" in it) is not None)
        passes("and lies there no more", "roster-room" not in house.found(["Zebulon from 973 coded"])[0])
        say("A08", "731946", "Harkenwald^Zebulon||19610506", at="20261122120000")
        passes("a name that was put right is found", house.finds_soon("Zebulon Harkenwald is back", lambda it: "roster-name" in it) is not None)
        passes("and the wrong one is not", "certain" not in house.found(["Zebulon Quackenthorpe is back"])[0])
        say("A40", "731999", "Harkenwald^Zebulon||19610506", at="20261122130000", more="MRG|731946^^^H^MR\r")
        house.finds_soon("pt 731999 coded", lambda it: it != "")
        passes("after a merge both numbers are found", all(house.found(["pt 731999 coded", "pt 731946 coded"])))
        say("A28", "731888", "Marrowfoot^Cosima||19700304", more="NK1|1|Marrowfoot^Barnaby|SPO\r")
        passes("a new record is found", house.finds_soon("Cosima Marrowfoot is back", lambda it: it != "") is not None)
        say("A29", "731888", "", at="20261122140000")
        passes("one that was taken out is not", house.finds_soon("Cosima Marrowfoot is back", lambda it: it == "") is not None)
        same = message("A28", "731777", "Nettlebed^Orsolya||19700304", control="SAME")
        passes("a message that is sent twice is acknowledged twice", [code(client.send_message(same))[:2] for _ in range(2)] == [("AA", "SAME")] * 2)
        passes("one without a number is not", say("A01", "", "Secret^Name")[0::2] == ("AE", "PID-3: there is no record number"))
        result = code(client.send_message(message("A01", "7", "x").replace("ADT^A01", "ORU^R01")))
        passes("nor is one of another kind", result[0] == "AR" and result[2].startswith("MSH-9"), str(result))
        latin = "MSH|^~\\&|ADT|H|P|H|20261122||ADT^A28|L1|P|2.3||||||8859/1\rPID|||731666||Zürcher^Ädelgunde\r".encode("latin-1")
        passes("Latin-1 is read as it says", code(client.send_message(latin))[0] == "AA" and house.finds_soon("Ädelgunde Zürcher is back", lambda it: it != "") is not None)
    with socket.create_connection((host, port)) as rude:
        rude.sendall(b"GET / HTTP/1.1\r\n\r\n")
        passes("who does not speak MLLP is shown out", rude.recv(100) == b"")
    passes("it ends when it is told to", house.end(signal.SIGTERM) == 0)
    host, port = house.listen()
    passes("and knows everything when it is back", all(house.found(["Philoxenia from 981 coded", "pt 731946 coded", "Zebulon Harkenwald is back"])))
    with MLLPClient(host, port) as client:
        passes("also what it was told already", code(client.send_message(same))[0] == "AA")
    house.run("roster", "build", "--out", "r.pwr", "--key-file", "key", "patients.csv")
    passes("a roster that is built anew keeps the news", house.finds_soon("Philoxenia from 981 coded", lambda it: "roster-room" in it) is not None)
    time.sleep(0.6)
    passes("and its rows are as the news say", "roster-room" not in house.found(["Zebulon from 973 coded"])[0])
    house.end(signal.SIGTERM)
    plain = [b"Philoxenia", b"Grimblehawk", b"grimblehawk", b"731977", b"Harkenwald", b"Cosima", b"Quill^98"]
    files = [path for path in house.folder.iterdir() if path.name not in ("key", "patients.csv")]
    leaks = [(path.name, word) for path in files for word in plain if word in path.read_bytes()]
    passes("no plain byte of a patient is on the disk", len(files) >= 4 and not leaks, f"{files} {leaks}")
    modes = {path.name: path.stat().st_mode & 0o077 for path in files if "journal" in path.name}
    passes("the journal is its owner's alone", list(modes.values()) == [0], str(modes))


def survives(house, kills):
    """Kills it at any moment, and looks for everybody that was acknowledged."""
    acknowledged, number, chance = [], 0, random.Random(7)
    for _ in range(kills):
        host, port = house.listen()
        stop = threading.Event()

        def send(first, step):
            nth = first
            try:
                with MLLPClient(host, port) as client:
                    while not stop.is_set():
                        # Numbers given out one after the other are weaker by themselves: not what is asked here.
                        mrn = str(10_000_000 + nth * 7919 % 9_999_991 * 8)
                        said = client.send_message(message("A01", mrn, f"Yonderly^Tamsin{nth}||19610506", more="PV1|1|I|4W^412\r"))
                        if said and code(said)[0] == "AA":
                            acknowledged.append(mrn)
                        nth += step
            except (OSError, AssertionError):
                pass

        senders = [threading.Thread(target=send, args=(number + n * 1000, 1)) for n in range(4)]
        for sender in senders:
            sender.start()
        time.sleep(chance.uniform(0.02, 0.4))
        house.end(signal.SIGKILL)
        stop.set()
        for sender in senders:
            sender.join()
        number += 4000
    house.listen()
    # What is shown at the start is all that the journal has.
    found = house.found([f"pt {mrn} coded" for mrn in acknowledged])
    lost = [mrn for mrn, said in zip(acknowledged, found) if "roster-" not in said]
    passes(f"{kills} times killed, none of {len(acknowledged)} acknowledged messages is lost", len(acknowledged) > kills and not lost, f"{len(lost)} lost, {lost[:3]}")
    # Half a group, as a cut of power leaves one.
    house.end(signal.SIGKILL)
    journal = house.folder / "r.pwr.journal"
    with journal.open("ab") as end:
        end.write(os.urandom(777))
    house.listen()
    again = house.found([f"pt {mrn} coded" for mrn in acknowledged[-5:]])
    passes("an end that was never whole is passed over", all("roster-" in said for said in again))
    house.end(signal.SIGTERM)
    whole = bytearray(journal.read_bytes())
    whole[100] ^= 1
    journal.write_bytes(whole + whole[48:])
    refused = subprocess.run([house.binary, "roster", "listen", "--listen", "127.0.0.1:0", "--out", "r.pwr", "--key-file", "key"],
                             cwd=house.folder, capture_output=True, text=True, timeout=60)
    passes("one that was altered is refused", refused.returncode != 0 and "altered" in refused.stderr, refused.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("postward")
    parser.add_argument("--kills", type=int, default=12)
    args = parser.parse_args()
    binary = str(Path(args.postward).resolve())
    for part in (follows, lambda house: survives(house, args.kills)):
        with tempfile.TemporaryDirectory() as folder:
            house = House(binary, folder)
            try:
                part(house)
            except Exception as fault:  # Whatever it was, the count below must say so.
                passes("a part that ended early", False, repr(fault))
            finally:
                if house.process:
                    house.end(signal.SIGKILL)
    print(f"roster: {sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
