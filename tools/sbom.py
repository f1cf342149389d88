#!/usr/bin/env python3
"""Writes the software bill of materials of a release build: CycloneDX 1.6, as JSON, to standard output.

    tools/sbom.py [--target x86_64-unknown-linux-gnu] > postward.cdx.json

Listed is what is linked into the program, with the features that the release turns on: not what tests need, not what runs at
build time only (build scripts, procedural macros). Every component has the checksum that Cargo.lock holds it to, its licence as its
authors state it, and what it is linked with. C code that a crate brings along is a component of its own where the crate names
its version. The same sources give the same bytes: there is no date in it, and the serial number comes from the content.

Needs cargo, and Python 3.10 with nothing but its own library.
"""

import argparse
import hashlib
import json
import pathlib
import re
import subprocess
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
INDEX = "registry+https://github.com/rust-lang/crates.io-index"
BETWEEN = ";;"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--target", help="the target triple; left out: this machine's")
    print(json.dumps(bill(arguments.parse_args().target), indent=1, sort_keys=True))


def bill(target=None):
    """The bill as an object."""
    target = target or re.search(r"^host: (.*)$", run("rustc", "-vV"), re.M).group(1)
    locked = {(each["name"], each["version"]): each for each in lock()}
    linked, edges = tree(target)
    (root,) = [key for key in linked if "source" not in locked[key]]
    components, bundled = [], {}
    for key in sorted(linked):
        if key == root:
            continue
        components.append(component(key, linked[key], locked[key]))
        native = bundled_code(key)
        if native:
            components.append(native)
            bundled[key] = native["bom-ref"]
    dependencies = []
    for key in sorted(linked):
        uses = sorted(reference(other) for other in edges.get(key, ()))
        dependencies.append({"ref": reference(key), "dependsOn": uses + ([bundled[key]] if key in bundled else [])})
    dependencies += [{"ref": each, "dependsOn": []} for each in bundled.values()]
    subject = component(root, linked[root], {})
    subject["type"] = "application"
    subject["properties"] = [{"name": "postward:target", "value": target}]
    made = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": subject,
            "tools": {"components": [{"type": "application", "name": "tools/sbom.py", "version": root[1]}]},
            "lifecycles": [{"phase": "build"}],
        },
        "components": components,
        "dependencies": dependencies,
    }
    content = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()
    made["serialNumber"] = f"urn:uuid:{uuid.UUID(content[:32], version=4)}"
    return made


def tree(target):
    """What is linked: {(name, version): licence}, and {(name, version): the (name, version)s that it uses}."""
    said = run(
        "cargo", "tree", "--locked", "--package", "postward", "--edges", "normal", "--target", target, "--prefix", "depth", "--no-dedupe",
        "--format", BETWEEN + "{p}" + BETWEEN + "{l}",
    )
    linked, edges, path, built = {}, {}, [], None
    for line in filter(None, said.splitlines()):
        depth, package, licence = line.split(BETWEEN)
        depth = int(depth)
        # A macro runs within the compiler, and so does all that it uses.
        if built is not None and depth > built:
            continue
        built = depth if package.endswith("(proc-macro)") else None
        if built is not None:
            continue
        name, version = package.split()[:2]
        key = (name, version.removeprefix("v"))
        linked[key] = licence
        del path[depth:]
        if path:
            edges.setdefault(path[-1], set()).add(key)
        path.append(key)
    return linked, edges


def lock():
    """The packages of Cargo.lock, each a {name, version, source?, checksum?}."""
    text = (ROOT / "Cargo.lock").read_text()
    for block in text.split("[[package]]\n")[1:]:
        yield dict(re.findall(r'^(name|version|source|checksum) = "(.*)"$', block, re.M))


def component(key, licence, locked):
    name, version = key
    made = {"type": "library", "bom-ref": reference(key), "name": name, "version": version, "purl": reference(key), "scope": "required"}
    made["licenses"] = [{"expression": re.sub(r"\s*/\s*", " OR ", licence)}]
    if "checksum" in locked:
        made["hashes"] = [{"alg": "SHA-256", "content": locked["checksum"]}]
    if locked.get("source") == INDEX:
        made["externalReferences"] = [{"type": "distribution", "url": f"https://static.crates.io/crates/{name}/{name}-{version}.crate"}]
    return made


def bundled_code(key):
    """The C library that a `-sys` crate brings along, where its version names it: `2.0.16+zstd.1.5.7`."""
    name, version = key
    found = re.fullmatch(r"[^+]*\+([a-z]+)[.-](\d[\w.]*)", version)
    if not found or not name.endswith("-sys"):
        return None
    purl = f"pkg:generic/{found[1]}@{found[2]}"
    return {"type": "library", "bom-ref": purl, "name": found[1], "version": found[2], "purl": purl, "scope": "required",
            "description": f"C code in the crate {name}, under its licence and checksum"}


def reference(key):
    name, version = key
    return f"pkg:cargo/{name}@{version.replace('+', '%2B')}"


def run(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
