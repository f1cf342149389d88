"""Runs one call of a Node library, for the files in `calls/`: a process a call, words in and result or error out as JSON."""

import json
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent / "node"


class NodeError(Exception):
    """What a library threw: its class as `kind`, its `message`, what it calls `name`,
    `code`, `status`, `error` and `data`, and the messages of its `causes`."""

    def __init__(self, thrown, log):
        super().__init__(f"{thrown['kind']}: {thrown['message']}")
        self.__dict__.update(thrown)
        # What the library wrote on standard error meanwhile.
        self.log = log


def modules():
    """The folder with the pinned libraries and the pinned Node, which `tests/run` installs."""
    folder = os.environ.get("POSTWARD_TEST_MODULES")
    assert folder, "POSTWARD_TEST_MODULES names no folder with tests/clients/node installed: `tests/run clients` does it"
    return Path(folder)


def node():
    """The pinned Node, or where there is none for this kind of machine, the machine's own."""
    return next((modules() / "node_modules").glob("node-linux-*/bin/node"), "node")


def version_of(package):
    """The installed version of a library."""
    return json.loads((modules() / "node_modules" / package / "package.json").read_text())["version"]


def call(name):
    """What makes the call of this name in `calls.mjs`, with the words of each field."""

    def make(words):
        command = [node(), "--import", HERE / "redirect.mjs", HERE / "calls.mjs", name]
        done = subprocess.run(command, input=json.dumps(words), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{name}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        said = json.loads(done.stdout.splitlines()[-1])
        if "error" in said:
            raise NodeError(said["error"], done.stderr)
        return said["result"]

    return make
