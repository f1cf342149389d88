#!/usr/bin/env python3
"""What docs/deploy.md hands to the hospital's IT: the image, compose, Kubernetes, and the resolvers' lines.

    check.py BINARY [image | manifests | resolvers]

What cannot be run here is skipped by name. Ends with «deploy: N passed, N failed, N skipped».
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import image
import manifests
import resolvers
from said import Said


def main():
    binary = Path(sys.argv[1]).resolve()
    parts = sys.argv[2:] or ["manifests", "image", "resolvers"]
    said = Said()
    work = Path(tempfile.mkdtemp(prefix="postward-deploy-"))
    try:
        authority = work / "authority"
        subprocess.run([binary, "ca", "init", "--out", authority], check=True, capture_output=True, timeout=60)
        (authority / "password").write_text("not-a-password")
        (authority / "password").chmod(0o600)
        if "manifests" in parts:
            manifests.compose(said, binary, work, authority)
            manifests.kubernetes(said, binary, work, authority)
        if "image" in parts:
            image.linted(said)
            image.context(said, binary)
            image.image(said, binary, work)
        if "resolvers" in parts:
            resolvers.resolvers(said, work)
            resolvers.balancer(said, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"deploy: {said.passed} passed, {said.failed} failed, {said.skipped} skipped")
    return 1 if said.failed else 0


if __name__ == "__main__":
    sys.exit(main())
