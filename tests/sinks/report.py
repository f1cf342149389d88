#!/usr/bin/env python3
"""The report of a period as people see it: rendered by Chromium on a screen, on A4 and on Letter. «N passed, N failed»."""

import datetime
import hashlib
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "edge"))

from doors import postward  # noqa: E402

passed, failed = 0, []
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars"]


def check(name, holds, more=""):
    global passed
    if holds:
        passed += 1
    else:
        failed.append(f"{name} {more}".strip())


def trail(file, node, posts_a_day):
    """An October that nobody lived, chained as the audit chains."""
    chance = random.Random(7)
    previous, seq, lines = "0" * 64, 0, []

    def put(at, **event):
        nonlocal previous, seq
        seq += 1
        time = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
        body = json.dumps({"time": time, "node": node, "seq": seq, "prev": previous, **event}, separators=(",", ":"))
        previous = hashlib.sha256(body.encode()).hexdigest()
        lines.append(f'{body[:-1]},"hash":"{previous}"}}\n')

    policy = "b4" * 32
    for day in range(31):
        begin = datetime.datetime(2026, 10, 1) + datetime.timedelta(days=day)
        n = 0 if day == 12 else int(posts_a_day * (0.4 if begin.weekday() > 4 else 1))
        for at in sorted(begin + datetime.timedelta(seconds=chance.uniform(6, 20) * 3600) for _ in range(n)):
            draw = chance.random()
            verdict = "block" if draw < 0.03 else "redact" if draw < 0.12 else "forward"
            category, action = ("ssn", "block") if verdict == "block" else ("name", "redact")
            found = [] if verdict == "forward" else [
                {"rule": f"us-{category}", "category": category, "field": "status", "length": 9, "confidence": "high", "action": action, "clause": "numbers"}]
            put(at, event="decision", id=f"E{seq}", ref="abcd2345", client="10.20.0.7", group="press-office", host="edge.example.org",
                platform=chance.choice(["mastodon", "bluesky", "x"]), method="POST", endpoint="POST /api/v1/statuses", known=True, post=True,
                verdict=verdict, enforced=True, findings=found, care=0.5, rules="7a" * 32, policy=policy, micros=chance.randrange(300, 3000))
        if day == 15:
            new = "c0" * 32
            put(begin + datetime.timedelta(hours=21), event="reload", trigger="watch", **{
                "config-before": "11" * 32, "config": "22" * 32, "rules-before": "7a" * 32, "rules": "7a" * 32, "policy-before": policy, "policy": new})
            policy = new
    file.write_text("".join(lines))


def report(folder, out, *sources):
    return subprocess.run([postward(), "audit", "report", "--from", "2026-10-01", "--to", "2026-10-31", "--out", out, *sources],
                          cwd=folder, capture_output=True, text=True, timeout=120)


def chromium(folder, *arguments):
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    return subprocess.run([program, *QUIET, f"--user-data-dir={folder}/profile", *arguments], cwd=folder, capture_output=True, text=True, timeout=180)


def pixels(png):
    """Width, height and how many different rows of pixels a picture has: a blank page has one."""
    data = png.read_bytes()
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    at, packed = 8, b""
    while at < len(data):
        length, kind = int.from_bytes(data[at:at + 4], "big"), data[at + 4:at + 8]
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += 12 + length
    raw = zlib.decompress(packed)
    step = len(raw) // height
    return width, height, len({raw[at * step:(at + 1) * step] for at in range(height)})


def scene(folder):
    trail(folder / "edge-1.jsonl", "edge-1", 60)
    trail(folder / "edge-2.jsonl", "edge-2", 25)
    done = report(folder, "october.html", "edge-1.jsonl", "edge-2.jsonl")
    check("a report is written", done.returncode == 0, done.stderr)
    page = (folder / "october.html").read_text()
    check("nothing is fetched and nothing runs", not re.search(r"<script|src=|href=|https?://|@import", page))
    check("the file is for its owner", (folder / "october.html").stat().st_mode & 0o777 == 0o600)

    chromium(folder, "--window-size=900,3600", "--screenshot=screen.png", f"file://{folder}/october.html")
    width, height, n_rows = pixels(folder / "screen.png")
    check("the screen shows it", (width, height) == (900, 3600) and n_rows > 500, f"{width}x{height}, {n_rows} rows")

    # What is measured takes a script, which the page itself forbids: a copy without that word.
    measuring = """<script>addEventListener('load', () => {
        const wide = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > document.body.getBoundingClientRect().right + 1);
        const bars = document.querySelectorAll('.plot rect').length;
        document.title = `wide=${wide.length} bars=${bars} tables=${document.querySelectorAll('table').length}`; });</script>"""
    copy = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page).replace("</head>", measuring + "</head>")
    (folder / "measured.html").write_text(copy)
    dom = chromium(folder, "--window-size=800,1000", "--dump-dom", f"file://{folder}/measured.html").stdout
    found = re.search(r"<title>wide=(\d+) bars=(\d+) tables=(\d+)</title>", dom)
    check("nothing stands out of the page", found and found.group(1) == "0", found and found.group())
    check("plots and tables are drawn", found and int(found.group(2)) > 60 and int(found.group(3)) >= 8, found and found.group())

    for size in ("A4", "letter"):
        (folder / "paper.html").write_text(page.replace("</style>", f"@page {{ size: {size} }}</style>", 1))
        chromium(folder, f"--print-to-pdf={size}.pdf", "--no-pdf-header-footer", f"file://{folder}/paper.html")
        pages = len(re.findall(rb"/Type\s*/Page\b", (folder / f"{size}.pdf").read_bytes()))
        check(f"it prints on {size}", 3 <= pages <= 8, f"{pages} pages")

    text = (folder / "edge-1.jsonl").read_text().replace('"verdict":"block"', '"verdict":"forward"', 1)
    (folder / "edge-1.jsonl").write_text(text)
    done = report(folder, "broken.html", "edge-1.jsonl", "edge-2.jsonl")
    at = next(number for number, line in enumerate(text.splitlines(), 1)
              if hashlib.sha256((line[:line.rindex(',"hash"')] + "}").encode()).hexdigest() != json.loads(line)["hash"])
    check("a changed line fails the command", done.returncode == 1 and f"edge-1.jsonl, line {at}" in done.stderr, done.stderr)
    broken = (folder / "broken.html").read_text()
    check("and the page says so first", broken.index("THE RECORD WAS CHANGED") < broken.index("posts judged") and f"line {at}" in broken)


def main():
    with tempfile.TemporaryDirectory(prefix="postward-report-") as folder:
        scene(Path(folder))
    for fault in failed:
        print(f"failed: {fault}")
    print(f"{passed} passed, {len(failed)} failed")
    sys.exit(bool(failed))


main()
