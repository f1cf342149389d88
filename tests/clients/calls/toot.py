"""toot: a program of its own, which posts JSON and prints what went wrong on its error output."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import PNG, Call, posted, version_of

REDIRECT = Path(__file__).resolve().parents[1] / "redirect"
HOME = Path(tempfile.mkdtemp(prefix="postward-toot-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)


class Failed(Exception):
    """toot ended with an error; its text is what the user sees."""


def run(*arguments):
    """Runs toot, already signed in, as a user's shell would."""
    login = {"instance": "mastodon.example", "username": "clinic", "access_token": "tok"}
    app = {"instance": "mastodon.example", "base_url": "https://mastodon.example", "client_id": "x", "client_secret": "y"}
    config = {"apps": {"mastodon.example": app}, "users": {"clinic@mastodon.example": login}, "active_user": "clinic@mastodon.example"}
    (HOME / "toot").mkdir(exist_ok=True)
    (HOME / "toot" / "config.json").write_text(json.dumps(config))
    environment = dict(os.environ, HOME=str(HOME), XDG_CONFIG_HOME=str(HOME), PYTHONPATH=str(REDIRECT), PYTHONDONTWRITEBYTECODE="1")
    program = Path(sys.executable).with_name("toot")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, env=environment, timeout=120, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Failed(done.stderr)
    return done.stdout


def post(words):
    return run("post", words["text"])


def media(words):
    picture = HOME / "garden.png"
    picture.write_bytes(PNG)
    return run("post", words["text"], "--media", str(picture), "--description", words["alt text"], "--spoiler-text", words["warning"])


def check_media(sent):
    upload, status = sent.posts
    assert upload.parts["file"] == ("garden.png", PNG)
    assert status.json["media_ids"] == ["9"]


def shown(sent):
    text = str(posted(sent.error, Failed))
    assert text.startswith("Error: "), text
    return text


KNOWN = {
    "client": "toot",
    "version": version_of("toot"),
    "platform": "mastodon",
    "shown": shown,
    "shown_in": "its error output",
}
CALLS = [
    Call(**KNOWN, name="post", make=post, fields={"text": lambda requests: requests[0].json["status"]}),
    Call(
        **KNOWN,
        name="post with a picture",
        media=True,
        make=media,
        fields={
            "text": lambda requests: requests[1].json["status"],
            "alt text": lambda requests: requests[0].values["description"],
            "warning": lambda requests: requests[1].json["spoiler_text"],
        },
        check=check_media,
    ),
]
