#!/usr/bin/env python3
"""What Postward is built from: where it comes from, under which licences, and whether its bill of materials tells the truth.

    check.py BINARY

The rules are those of `.deny.toml`, which cargo-deny reads too: this holds them where cargo-deny is not installed, with nothing but
cargo. Ends with «supply: N passed, N failed». The bill is checked against CycloneDX's own schema.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import sbom  # noqa: E402 - it lies beside the tests, not among installed modules


def main():
    binary = pathlib.Path(sys.argv[1])
    rules = (ROOT / ".deny.toml").read_text()
    bill = sbom.bill()
    checks = [
        ("every crate comes from crates.io with a checksum", sources()),
        ("no banned crate is in the tree of any target", bans(rules)),
        ("every licence is among those allowed", licences(rules)),
        ("the rules about licences can be broken", broken_licences()),
        ("the bill is valid CycloneDX 1.6", invalid(bill)),
        ("the bill names a checksum and a licence for each crate", unsaid(bill)),
        ("the bill says the same twice", [] if sbom.bill() == bill else ["it differs"]),
        ("the bill holds what is linked, and no test's crates", foreign(bill)),
        ("every crate that shows in the program is in the bill", unlisted(bill, binary)),
    ]
    for what, faults in checks:
        print(f"{'failed' if faults else 'ok'}: {what}")
        for fault in faults:
            print(f"    {fault}")
    failed = sum(1 for _, faults in checks if faults)
    print(f"{len(bill['components'])} components are linked")
    print(f"supply: {len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


def sources():
    faults = []
    for each in sbom.lock():
        if each["name"] != "postward" and (each.get("source") != sbom.INDEX or not re.fullmatch(r"[0-9a-f]{64}", each.get("checksum", ""))):
            faults.append(f"{each['name']} {each['version']}: {each.get('source', 'a folder')}")
    return faults


def bans(rules):
    banned = re.findall(r'\{ crate = "([^"]+)"', rules)
    faults = [] if {"ring", "openssl-sys", "native-tls"} <= set(banned) else ["ring, openssl-sys and native-tls are not all banned"]
    targets = re.search(r"^targets = \[(.*?)\]", rules, re.M | re.S).group(1)
    for target in re.findall(r'"([^"]+)"', targets):
        tree = sbom.run("cargo", "tree", "--locked", "--all-features", "--edges", "all", "--target", target, "--prefix", "none", "--format", "{p}")
        names = {line.split()[0] for line in tree.splitlines() if line and not line.startswith(" ")}
        if len(names) < 100:
            faults.append(f"{target}: only {len(names)} crates were seen")
        faults += [f"{name} is in the tree for {target}" for name in banned if name in names]
    return faults


def licences(rules):
    allowed = set(re.findall(r'"([^"]+)"', re.search(r"^allow = \[(.*?)\]", rules, re.M | re.S).group(1)))
    metadata = json.loads(sbom.run("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", "x86_64-unknown-linux-gnu"))
    used = {node["id"] for node in metadata["resolve"]["nodes"]}
    packages = [each for each in metadata["packages"] if each["id"] in used]
    return [f"{each['name']} {each['version']}: {each['license']}" for each in packages if not may(each["license"], allowed)]


def may(expression, allowed):
    """Whether an SPDX expression can be met with the allowed licences alone."""
    words = re.findall(r"[()]|[^\s()/]+|/", expression or "")

    def either():
        met = both()
        while words and words[0] in ("OR", "/"):
            words.pop(0)
            met = both() or met
        return met

    def both():
        met = one()
        while words and words[0] == "AND":
            words.pop(0)
            met = one() and met
        return met

    def one():
        word = words.pop(0) if words else ""
        if word == "(":
            met = either()
            return bool(words) and words.pop(0) == ")" and met
        if len(words) > 1 and words[0] == "WITH":
            word = f"{word} WITH {words[1]}"
            del words[:2]
        return word in allowed

    return either() and not words


def broken_licences():
    allowed = {"MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"}
    cases = [
        ("MIT", True), ("GPL-3.0", False), ("MIT OR GPL-3.0", True), ("MIT AND GPL-3.0", False), ("GPL-3.0/MIT", True),
        ("(GPL-3.0 OR MIT) AND Apache-2.0", True), ("(GPL-3.0 AND MIT) OR LGPL-2.1", False), ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-2.0 WITH Classpath-exception-2.0", False), ("", False), (None, False), ("MIT GPL-3.0", False), ("(MIT", False),
    ]
    return [f"{expression!r} gives {may(expression, allowed)}" for expression, want in cases if may(expression, allowed) != want]


def invalid(bill):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill))
    return [] if fault is None else [str(fault)]


def unsaid(bill):
    crates = [each for each in bill["components"] if each["purl"].startswith("pkg:cargo/")]
    said = [each for each in crates if each.get("hashes") and all(licence["expression"] for licence in each["licenses"])]
    return [each["purl"] for each in crates if each not in said] + ([] if len(crates) > 100 else ["hardly any crate is listed"])


def foreign(bill):
    names = {each["name"] for each in bill["components"]}
    missing = {"aws-lc-sys", "hyper", "rustls", "tokio", "zstd-sys", "zstd", "landlock"} - names
    tests_only = {"proptest", "insta", "divan", "multer", "tokio-tungstenite", "serde_derive", "syn", "cc"} & names
    return [f"{name} is missing" for name in sorted(missing)] + [f"{name} is not linked" for name in sorted(tests_only)]


def unlisted(bill, binary):
    """A crate shows in a program by the names of its files, where it may panic."""
    listed = {f"{each['name']}-{each['version']}" for each in bill["components"]}
    seen = {found.decode() for found in re.findall(rb"/index\.crates\.io-[0-9a-f]+/([A-Za-z0-9_.+-]+)/", binary.read_bytes())}
    faults = [] if len(seen) > 30 else [f"only {len(seen)} crates show in {binary.name}"]
    return faults + sorted(seen - listed)


if __name__ == "__main__":
    sys.exit(main())
