#!/usr/bin/env python3
"""The README's table of platforms, from what came of the recorded calls in one run of `tests/run clients`.

    tests/clients/table.py CALLS            prints the table
    tests/clients/table.py CALLS --write    puts it into README.md
    tests/clients/table.py CALLS --check    ends with 1 where README.md has another

CALLS is the file that pytest's `--calls` wrote. The table stands between two comments, and nothing else of README.md is touched.
"""

import argparse
import json
import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN = "<!-- platforms: made by tests/clients/table.py from a run of tests/run clients -->"
END = "<!-- platforms: end -->"
PLATFORMS = {
    "x": "X",
    "mastodon": "Mastodon API",
    "bluesky": "Bluesky",
    "facebook": "Facebook Graph",
    "reddit": "Reddit",
    "youtube": "YouTube",
    "tumblr": "Tumblr",
    "discord": "Discord",
    "slack": "Slack",
    "telegram": "Telegram",
}


REDACTED = {("valid", None): "valid", ("valid", "shown"): "valid", (None, "shown"): "cannot be edited: blocked"}


def table(lines):
    """One row for each client of each platform."""
    rows = {}
    for line in lines:
        rows.setdefault((line["platform"], line["language"] != "Python", line["client"], line["version"], line["language"]), []).append(line)
    made = ["| platform | stock client | calls | clean | redacted | blocked: where the sentence is shown |", "| --- | --- | --- | --- | --- | --- |"]
    order = list(PLATFORMS)
    for (platform, _, client, version, language), calls in sorted(rows.items(), key=lambda row: (order.index(row[0][0]), row[0])):
        shown = list(dict.fromkeys(call["shown_in"] for call in calls))
        notes = list(dict.fromkeys(call["note"] for call in calls if call["note"]))
        blocked = _agreed(calls, "blocked", {"shown": "; ".join(shown) + _attempts(calls)})
        made.append(
            f"| {PLATFORMS[platform]} | {client} {version} ({language}) | {_names(calls)} "
            f"| {_agreed(calls, 'clean', {'same': 'byte for byte'})} "
            f"| {_agreed(calls, 'redacted', REDACTED)} | {'. '.join([blocked, *notes])} |"
        )
    recorded = [line for line in lines if line["recorded"]]
    n_python = sum(line["language"] == "Python" for line in recorded)
    counts = f"The {len(recorded)} recorded calls ({n_python} Python, {len(recorded) - n_python} Node) and {len(lines) - len(recorded)} more"
    return "\n".join(made + ["", f"{counts}, each over TLS through the real binary."])


def _names(calls):
    recorded = ", ".join(call["call"] for call in calls if call["recorded"])
    return "; also ".join(filter(None, [recorded, ", ".join(call["call"] for call in calls if not call["recorded"])]))


def _agreed(calls, key, words):
    """What came of all calls, or of each, where they differ."""
    outcomes = {}
    for call in calls:
        outcome = (call[key], call["sealed"]) if key == "redacted" else call[key]
        outcomes.setdefault(words.get(outcome, "**failed or not tried**"), []).append(call["call"])
    usual, *others = sorted(outcomes, key=lambda outcome: -len(outcomes[outcome]))
    return "; ".join([usual] + [f"{', '.join(outcomes[outcome])} {outcome}" for outcome in others])


def _attempts(calls):
    most = max(call["attempts"] or 0 for call in calls)
    return "" if most == 1 else f", **{most} attempts**"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("calls", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    made = table([json.loads(line) for line in options.calls.read_text().splitlines()])
    readme = README.read_text()
    found = re.search(f"{re.escape(BEGIN)}\n(.*?)\n{re.escape(END)}", readme, re.DOTALL)
    if not options.write and not options.check:
        print(made)
    elif found is None:
        sys.exit(f"README.md lacks the comments\n{BEGIN}\n{END}")
    elif options.write:
        README.write_text(readme[: found.start(1)] + made + readme[found.end(1) :])
    elif found.group(1) != made:
        sys.exit("README.md's table of platforms is not what this run came to: `tests/run table` writes it anew")


if __name__ == "__main__":
    main()
