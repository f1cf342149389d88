"""The image: docker/Dockerfile's final stage built by buildah, looked through, and run the way docker/compose.yaml has it run.

No base image can be fetched by a test, and none is needed: the first stage compiles and then gathers files with docker/image-root, which
runs here as it runs there; the final stage starts from nothing. What is not shown is the compiling within the first stage; which
files it would be given is held against what the compiler says it read.
"""

import ctypes
import fcntl
import json
import os
import re
import shlex
import socket
import ssl
import struct
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/scale"))
from database import Server, programs  # noqa: E402 - it lies beside these tests
from said import Said  # noqa: E402

DOCKER = ROOT / "docker"
USER = 65532
# Invented, and blocked by the shipped policy.
BLOCKED = "Jane Example, SSN 987-65-4321, is in room 4"
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38


def linted(said):
    tool = said.has("hadolint", "docker/Dockerfile as hadolint reads it")
    if tool:
        ran = subprocess.run([tool, "--no-color", DOCKER / "Dockerfile"], capture_output=True, text=True, timeout=60)
        said.check("hadolint has nothing to say of docker/Dockerfile", ran.stdout.splitlines())
    tool = said.has("shellcheck", "the scripts as shellcheck reads them")
    if tool:
        ran = subprocess.run([tool, "--format=gcc", DOCKER / "image-root", DOCKER / "compose/prepare"], capture_output=True, text=True, timeout=60)
        said.check("shellcheck has nothing to say of the scripts in docker/", ran.stdout.splitlines())


def context(said, binary):
    """Whether docker/Dockerfile.dockerignore lets through all that the build reads, and keeps out what it must."""
    lines = (DOCKER / "Dockerfile.dockerignore").read_text().split("\n")
    allowed = [line[1:] for line in lines if line.startswith("!")]
    inside = lambda path: any(path == each or path.startswith(each + "/") for each in allowed)
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    needed = {"Cargo.toml", "Cargo.lock", "src/main.rs", "src/lib.rs"}
    for kind in ("test", "bench", "example", "bin"):
        for target in manifest.get(kind, []):
            folder = {"test": "tests", "bench": "benches", "example": "examples", "bin": "src/bin"}[kind]
            needed.add(target.get("path", f"{folder}/{target['name']}.rs"))
    read = Path(f"{binary}.d")
    if read.exists():
        # `target: source source ..`, spaces within a name escaped.
        sources = shlex.split(read.read_text().split(":", 1)[1])
        needed |= {os.path.relpath(each, ROOT) for each in sources if each.startswith(str(ROOT))}
    else:
        said.skip("every file that the compiler read is in the context", f"there is no {read.name} beside the program")
    said.check(f"the {len(needed)} files the build reads are in its context", sorted(each for each in needed if not inside(each)))
    said.check("nothing else is: all is kept out first", "*" in lines and not any(inside(each) for each in (
        "docker/secrets/ca.key", "docker/settings/postward.toml", "audit.jsonl", ".git/config", "target/debug/postward", "tests/corpus")))


def image(said, binary, work):
    """Builds, looks, and runs; returns nothing that others need."""
    what = "the image, built and run"
    tool = said.has("buildah", what)
    if not tool:
        return
    if not Path("/usr/bin/dpkg-query").exists() or not Path("/etc/ssl/certs/ca-certificates.crt").exists():
        return said.skip(what, "this is not Debian, or it has no ca-certificates")
    store = [tool, "--storage-driver", "vfs", "--root", work / "store", "--runroot", work / "run"]
    buildah = lambda *args: subprocess.run([*store, *args], check=True, capture_output=True, text=True, timeout=300).stdout.strip()
    if subprocess.run([*store, "images"], capture_output=True, timeout=60).returncode != 0:
        return said.skip(what, "buildah may not work here (no user namespaces)")
    gathered = subprocess.run([DOCKER / "image-root", binary, work / "stage/out"], capture_output=True, text=True, timeout=120)
    if not said.check("docker/image-root gathers the image's files", [] if gathered.returncode == 0 else gathered.stderr.splitlines()):
        return
    (work / "empty").mkdir()
    try:
        buildah("bud", "--isolation", "chroot", "--build-context", f"builder={work / 'stage'}", "--file", DOCKER / "Dockerfile", "--format", "docker",
                "--tag", "postward", work / "empty")
    except subprocess.CalledProcessError as error:
        said.check("buildah builds the final stage of docker/Dockerfile", error.stderr.splitlines()[-10:])
        return
    said.check("buildah builds the final stage of docker/Dockerfile", True)
    made = json.loads(buildah("inspect", "--type", "image", "postward"))["Docker"]["config"]
    said.check("what the image says of itself", [
        f"{key}: {made.get(key)}" for key, want in {
            "User": f"{USER}:{USER}", "Entrypoint": ["/usr/local/bin/postward"], "Cmd": ["serve", "--config", "/etc/postward/postward.toml"],
            "StopSignal": "SIGTERM", "WorkingDir": "/var/lib/postward", "ExposedPorts": {"8443/tcp": {}, "9464/tcp": {}},
            "Volumes": {"/var/lib/postward": {}},
        }.items() if made.get(key) != want])
    health = made.get("Healthcheck", {}).get("Test", ["CMD-SHELL"])
    said.check("its healthcheck is the program itself, without a shell", health[:2] == ["CMD", "/usr/local/bin/postward"])
    container = buildah("from", "postward")
    root = Path(buildah("mount", container)) if os.getuid() == 0 else None
    if root is None:
        return said.skip("the image run as its user on a read-only root", "not root")
    said.check("no shell, no other program, nothing of another user, nothing anybody may write", list(strange(root)))
    listed = [path.name for path in (root / "var/lib/dpkg/status.d").iterdir()]
    said.check("a scanner sees which packages its libraries are of", {"libc6", "libgcc-s1", "ca-certificates"} <= set(listed))
    size = sum(path.lstat().st_size for path in root.rglob("*"))
    program = (root / "usr/local/bin/postward").stat().st_size
    print(f"beside the program's {program / 1e6:.1f} MB the image holds {(size - program) / 1e6:.1f} MB")
    # Namespaces of its own: mounts and fixed ports of the image touch nothing here.
    if subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True).returncode != 0:
        return said.skip("the image run as its user on a read-only root", "no namespaces may be made")
    ran = subprocess.run(["unshare", "--mount", "--net", sys.executable, __file__, root, work, json.dumps(health[1:])], text=True, capture_output=True, timeout=300)
    for line in ran.stdout.splitlines():
        print(line)
    counts = re.search(r"^within: (\d+) passed, (\d+) failed", ran.stdout, re.M)
    if counts:
        said.passed += int(counts[1])
        said.failed += int(counts[2])
    else:
        said.check("the image runs", ran.stderr.splitlines()[-15:] or ["it said nothing"])


def strange(root):
    """What the image holds and should not. Executables are known by their first bytes, not by their names."""
    programs = []
    for path in root.rglob("*"):
        name, about = f"/{path.relative_to(root)}", path.lstat()
        owner = USER if name.startswith("/var/lib/postward") else 0
        if (about.st_uid, about.st_gid) != (owner, owner):
            yield f"{name} belongs to {about.st_uid}:{about.st_gid}"
        if about.st_mode & 0o6000:
            yield f"{name} changes its user"
        if about.st_mode & 0o022 and not path.is_symlink() and name != "/tmp":
            yield f"{name} may be written to ({about.st_mode:o})"
        if path.is_file() and not path.is_symlink():
            start = path.read_bytes()[:4]
            if start in (b"\x7fELF",) or start[:2] == b"#!":
                programs.append(name)
            if b"PRIVATE KEY-----\nM" in path.read_bytes() and not name.endswith("/postward"):
                yield f"{name} holds a key"
    for name in programs:
        if name != "/usr/local/bin/postward" and not re.search(r"/(lib(c|m|gcc_s)\.so\.\d+|ld-linux-[\w-]+\.so\.\d)$", name):
            yield f"a program: {name}"
    if "/usr/local/bin/postward" not in programs:
        yield "the program is not there"


# --- within the namespaces -------------------------------------------------------------------------------------------------------


class Container:
    """The image's file system, read-only, with what compose mounts into it."""

    def __init__(self, root):
        self.root = root
        for name in ("proc", "dev", "run", "out"):
            (root / name).mkdir(exist_ok=True)
        mount("--bind", root, root)
        mount("-t", "proc", "proc", root / "proc")
        mount("-t", "tmpfs", "-o", "mode=755", "dev", root / "dev")
        for number, name in ((3, "null"), (9, "urandom")):
            os.mknod(root / "dev" / name, 0o20666, os.makedev(1, number))
            (root / "dev" / name).chmod(0o666)
        mount("-t", "tmpfs", "-o", "mode=755", "run", root / "run")
        (root / "run/secrets").mkdir()
        (root / "run/postgresql").mkdir()
        mount("-o", "remount,bind,ro", root)

    def bind(self, source, name, writable=False):
        target = self.root / name
        if Path(source).is_file():
            target.touch()
        mount("--bind", source, target)
        mount("-o", "remount,bind," + ("rw" if writable else "ro") + ",nosuid,nodev", target)

    def start(self, *command, **options):
        """As Docker would: that user, no capability, none to be had."""
        libc = ctypes.CDLL(None, use_errno=True)

        def become():
            os.chroot(self.root)
            os.chdir("/var/lib/postward")
            for capability in range(64):
                libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
            libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            os.setgroups([])
            os.setresgid(USER, USER, USER)
            os.setresuid(USER, USER, USER)

        environment = {"PATH": "/usr/local/bin", "TMPDIR": "/var/lib/postward"}
        return subprocess.Popen(command, preexec_fn=become, env=environment, text=True, stdin=subprocess.DEVNULL, **options)

    def run(self, *command):
        process = self.start(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said


def mount(*words):
    subprocess.run(["mount", *words], check=True, timeout=20)


def loopback():
    """A new network namespace has one, switched off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        fcntl.ioctl(door, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))


def ask(path):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:9464{path}", timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def post(text, authority, host):
    """A post over TLS to the listener, which must show a certificate of the hospital's authority for this host."""
    trust = ssl.create_default_context(cafile=authority)
    with socket.create_connection(("127.0.0.1", 8443), timeout=20) as raw, trust.wrap_socket(raw, server_hostname=host) as door:
        body = json.dumps({"text": text}).encode()
        door.sendall(f"POST /2/tweets HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                     "Connection: close\r\n\r\n".encode() + body)
        answer = b""
        while piece := door.recv(65536):
            answer += piece
    return int(answer.split()[1]), answer


def within(root, work, health):
    said = Said()
    loopback()
    mount("--make-rprivate", "/")
    for folder in (root, *root.parents, work):
        if folder.is_relative_to(work):
            folder.chmod(0o755)
    container = Container(root)
    program = "/usr/local/bin/postward"
    state = work / "state"
    state.mkdir()
    os.chown(state, USER, USER)
    said.check("the root is read-only, for root too", subprocess.run(["touch", root / "etc/here"], capture_output=True).returncode != 0)
    code, words = container.run(program, "--version")
    said.check("the program runs in it", [] if code == 0 else words.splitlines())

    settings, secrets = prepared(said, container, work)
    container.bind(settings, "etc/postward")
    container.bind(state, "var/lib/postward", writable=True)
    for name, file in {"ca-key": "ca.key", "database-password": "database-password"}.items():
        container.bind(secrets / file, f"run/secrets/{name}")
    database = None
    if programs():
        # As compose has it: a socket and no network, and the password that prepare made.
        database = Server(work / "postgres", password=(secrets / "postgres-password").read_text()).start(lambda *command, **options: subprocess.Popen(command, stdin=subprocess.DEVNULL, **options))
        database.query("postgres", "CREATE DATABASE postward")
        container.bind(database.sockets, "run/postgresql", writable=True)
    else:
        said.skip("the audit in compose's PostgreSQL", "PostgreSQL is not installed")
    config = ("--config", "/etc/postward/postward.toml")
    code, words = container.run(program, "check", *config)
    said.check("`check` takes what compose mounts", [] if code == 0 else words.splitlines()[-10:])
    code, _ = container.run(*health)
    said.check("before it serves, the healthcheck says it is not well (1)", code == 1)

    log = (work / "log").open("w+")
    process = container.start(program, "serve", *config, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 120
        while ask("/readyz") != 200 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        log.seek(0)
        if not said.check("it serves as user 65532 on a read-only root", [] if ask("/readyz") == 200 else log.read().splitlines()[-10:]):
            return said
        status = Path(f"/proc/{process.pid}/status").read_text()
        said.check("it has no capability, and can get none", re.findall(r"^Cap(?:Prm|Eff|Bnd|Amb):\s+0*([1-9a-f].*)", status, re.M) == [] and "NoNewPrivs:\t1" in status)
        code, words = container.run(*health)
        said.check("while it serves, the healthcheck says it is well (0)", [] if code == 0 else [f"{code}: {words}"])
        code, answer = post(BLOCKED, settings / "ca.pem", "api.x.com")
        said.check("a post with a number is blocked, over TLS by the hospital's authority", 400 <= code < 500 and b"hospital policy" in answer)
        said.check("the audit has it", '"verdict":"block"' in (state / "audit.jsonl").read_text())
        if database:
            def found():
                try:
                    return database.query("postward", "SELECT count(*) FROM postward.event WHERE verdict = 'block'").strip()
                except subprocess.CalledProcessError:
                    return "0"  # its tables are not made yet

            until = time.monotonic() + 30
            while found() == "0" and time.monotonic() < until:
                time.sleep(0.2)
            said.check("and PostgreSQL has it, by its socket", found() == "1")
        said.check("the text is in nothing it wrote", all(b"987-65-4321" not in path.read_bytes() for path in [*state.rglob("*"), work / "log"] if path.is_file()))
        before = time.monotonic()
        process.terminate()
        code = process.wait(timeout=60)
        said.check("SIGTERM ends it in order, sooner than compose would kill it", code == 0 and time.monotonic() - before < 40)
        code, _ = container.run(*health)
        said.check("then the healthcheck says it is not well (1)", code == 1)
        code, words = container.run(program, "audit", "verify", "/var/lib/postward/audit.jsonl")
        said.check("the chain it left is whole", [] if code == 0 else words.splitlines())
    finally:
        for each in (process, database and database.process):
            if each and each.poll() is None:
                each.terminate() if each is not process else each.kill()
                each.wait()
    return said


def prepared(said, container, work):
    """Runs docker/compose/prepare on a copy, with the image in Docker's place."""
    copy = work / "checkout"
    copy.mkdir()
    subprocess.run(["cp", "-r", "--parents", "docker", "config/policy.toml", copy], check=True, cwd=ROOT)
    stand_in = work / "docker"
    stand_in.write_text(f"""#!/bin/sh
# Does of `docker run --volume FOLDER:/out .. postward ARGS` what matters here: that folder, in the image, as the image's user.
set -e
while [ "$1" != postward ]; do [ "$1" != --volume ] || source=${{2%:/out}}; shift; done
shift
mount --bind "$source" {container.root}/out
mount -o remount,bind,rw {container.root}/out
chroot --userspec={USER}:{USER} {container.root} /usr/local/bin/postward "$@"
umount {container.root}/out
""")
    stand_in.chmod(0o755)
    run = lambda: subprocess.run([copy / "docker/compose/prepare"], env={**os.environ, "DOCKER": str(stand_in)}, capture_output=True, text=True, timeout=60)
    ran = run()
    said.check("docker/compose/prepare makes settings and secrets", [] if ran.returncode == 0 else (ran.stdout + ran.stderr).splitlines())
    settings, secrets = copy / "docker/settings", copy / "docker/secrets"
    about = {name: (oct((secrets / name).stat().st_mode & 0o777), (secrets / name).stat().st_uid) for name in ("ca.key", "database-password", "postgres-password", "grafana-password", ".")}
    said.check("keys are the user's alone, and the folder root's", about == {
        "ca.key": ("0o400", USER), "database-password": ("0o400", USER), "postgres-password": ("0o444", 0), "grafana-password": ("0o444", 0), ".": ("0o700", 0)})
    before = (secrets / "ca.key").read_bytes()
    said.check("a second time it refuses, and changes nothing", run().returncode != 0 and (secrets / "ca.key").read_bytes() == before)
    words = (secrets / "postgres-password").read_text()
    said.check("passwords are long, and not the same", bool(re.fullmatch("[0-9a-f]{48}", words)) and words != (secrets / "grafana-password").read_text())
    return settings, secrets


if __name__ == "__main__":
    done = within(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
    print(f"within: {done.passed} passed, {done.failed} failed")
