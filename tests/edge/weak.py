#!/usr/bin/env python3
"""Platforms whose TLS is too weak to be believed, as no library that is sound would make them: OpenSSL's s_server, told to forget its
own scruples. Each must be refused with its word in the log, and s_server must not have decrypted a byte. And the other way round: what
OpenSSL's client asks of our own door and must not get.

    weak.py

Prints a line for each and «N passed, N failed».
"""

import asyncio
import re
import socket
import subprocess
import tempfile
from pathlib import Path

from doors import HOST, free_ports
from house import CLEAN, House, post

# The name, the leaf's key, its digest, what s_server is told, and the word in the log; None is believed.
SOUND, LAX = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"], ["-cipher", "ALL:@SECLEVEL=0"]
RSA, SHORT = ["-newkey", "rsa:2048"], ["-newkey", "rsa:1024"]
CASES = [
    ("sound", SOUND, "sha256", [], None),
    ("sound, TLS 1.2 alone", RSA, "sha256", ["-tls1_2"], None),
    ("RSA of 1024 bits", SHORT, "sha256", LAX, "wrong-signature"),
    ("RSA of 1024 bits, TLS 1.2", SHORT, "sha256", [*LAX, "-tls1_2"], "wrong-signature"),
    ("signed with SHA-1", SOUND, "sha1", LAX, "weak-signature"),
    ("signed with MD5", SOUND, "md5", LAX, "weak-signature"),
    ("TLS 1.1 alone", RSA, "sha256", [*LAX, "-tls1_1"], "old-tls"),
    ("TLS 1.0 alone", RSA, "sha256", [*LAX, "-tls1"], "old-tls"),
    ("no forward secrecy", RSA, "sha256", ["-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0"], "old-tls"),
    ("CBC alone", RSA, "sha256", ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA:@SECLEVEL=0"], "old-tls"),
]


def openssl(folder, *command):
    subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True, cwd=folder, timeout=120)


def make_leaf(folder, name, key, digest):
    """A leaf signed by the folder's CA, whose key is RSA so that every digest will do."""
    openssl(folder, "req", *key, "-nodes", "-subj", "/CN=localhost", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    (folder / f"{name}.ext").write_text("subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", name + 1, "-days", "2", f"-{digest}",
            "-extfile", f"{name}.ext", "-out", f"{name}.pem")


async def one(folder, number, case):
    """Posts to one platform; says what is wrong, or nothing."""
    name, key, digest, options, want = case
    make_leaf(folder, number, key, digest)
    port = free_ports(1)[0]
    said = folder / f"{number}.txt"
    with said.open("wb") as out:
        server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", f"{number}.pem", "-key", f"{number}.key", "-quiet", *options],
                                  cwd=folder, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)
    own = folder / f"house-{number}"
    own.mkdir()
    roots = f'\n[upstream]\nextra-roots = "{folder / "ca.pem"}"\n\n[admin]'
    edit = lambda text: text.replace(f"http://127.0.0.1:{port}", f"https://localhost:{port}").replace("\n[admin]", roots)
    house = await House(own, port, edit=edit).start()
    try:
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            await asyncio.sleep(0.02)
        if want is None:
            # s_server answers nothing by itself: what is asked is whether the post came.
            task = asyncio.create_task(post(house.plain, CLEAN % number))
            for _ in range(500):
                if b"flu shots" in said.read_bytes():
                    task.cancel()
                    return None
                await asyncio.sleep(0.02)
            task.cancel()
            return f"the post did not come: {house.log.read_text()[-600:]}"
        status = await asyncio.wait_for(post(house.plain, CLEAN % number), 30)
        log = house.log.read_text()
        found = re.findall(r'"distrust":"([^"]+)"', log)
        if status != 502 or found != [want] or '"help":"' not in log:
            return f"status {status}, in the log {found}: {log[-600:]}"
        if b"flu shots" in said.read_bytes() or b"statuses" in said.read_bytes():
            return "the post came"
    finally:
        server.kill()
        server.wait()
        house.stop()
    verdicts, outcomes = house.events()
    return None if (verdicts, outcomes) == ({"forward": 1}, {"failed": 1}) else f"audit: {verdicts} {outcomes}"


def client(house, told, *options):
    """What OpenSSL's client says of our door."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{house.tls}", "-servername", HOST, *options]
    done = subprocess.run(command, input=told.encode(), capture_output=True, timeout=60)
    return (done.stdout + done.stderr).decode(errors="replace")


async def door(folder):
    """What our own door must refuse OpenSSL's client; names what it did not."""
    own = folder / "house-door"
    own.mkdir()
    house = await House(own, free_ports(1)[0]).start()
    try:
        ask = lambda told, *options: asyncio.to_thread(client, house, told, *options)
        lax = ("-cipher", "ALL:@SECLEVEL=0")
        sound = await ask("", "-tls1_2")
        again = await ask("R\nGET / HTTP/1.1\r\n\r\n", "-tls1_2")
        return {
            "TLS 1.2 and 1.3 are spoken": "Cipher    : ECDHE-" in sound and "TLSv1.3, Cipher is TLS_" in await ask("", "-tls1_3"),
            "no TLS 1.1": "Cipher is (NONE)" in await ask("", "-tls1_1", *lax),
            "no TLS 1.0": "Cipher is (NONE)" in await ask("", "-tls1", *lax),
            "no CBC, RC4, 3DES or key exchange by RSA": "Cipher is (NONE)" in await ask(
                "", "-tls1_2", "-cipher", "ALL:!AESGCM:!CHACHA20:@SECLEVEL=0"),
            "no key exchange by RSA": "Cipher is (NONE)" in await ask("", "-tls1_2", "-cipher", "kRSA:@SECLEVEL=0"),
            "no renegotiation": "RENEGOTIATING" in again and re.search(r"no_renegotiation|no renegotiation|alert|errno|:error:|unexpected eof", again) is not None,
            "no compression": "Compression: NONE" in sound,
            "renegotiation that is asked for is the secure one": "Secure Renegotiation IS supported" in sound,
        }
    finally:
        house.stop()


async def main():
    passed, failed = 0, 0
    with tempfile.TemporaryDirectory(prefix="postward-weak-") as made:
        folder = Path(made)
        openssl(folder, "req", "-x509", *RSA, "-nodes", "-days", "2", "-subj", "/CN=Platform CA", "-keyout", "ca.key", "-out", "ca.pem")
        faults = await asyncio.gather(*(one(folder, number, case) for number, case in enumerate(CASES)))
        for case, fault in zip(CASES, faults):
            print(f"{'failed' if fault else 'passed'}: platform, {case[0]}{': ' + fault if fault else ''}", flush=True)
            passed, failed = passed + (not fault), failed + bool(fault)
        for name, holds in (await door(folder)).items():
            print(f"{'passed' if holds else 'failed'}: door, {name}")
            passed, failed = passed + holds, failed + (not holds)
    print(f"{passed} passed, {failed} failed")
    raise SystemExit(bool(failed))


asyncio.run(main())
