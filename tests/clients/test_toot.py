"""toot: a program of its own, which posts JSON and prints what went wrong on its error output."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import words

HERE = Path(__file__).resolve().parent


class Failed(Exception):
    """toot ended with an error; its text is what the user sees."""


@pytest.fixture
def toot(tmp_path):
    """Runs toot, already signed in, as a user's shell would."""
    login = {"instance": "mastodon.example", "username": "clinic", "access_token": "tok"}
    app = {"instance": "mastodon.example", "base_url": "https://mastodon.example", "client_id": "x", "client_secret": "y"}
    config = {"apps": {"mastodon.example": app}, "users": {"clinic@mastodon.example": login}, "active_user": "clinic@mastodon.example"}
    (tmp_path / "toot").mkdir()
    (tmp_path / "toot" / "config.json").write_text(json.dumps(config))

    def run(*arguments):
        environment = dict(os.environ, HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path), PYTHONPATH=str(HERE / "redirect"))
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        program = Path(sys.executable).with_name("toot")
        done = subprocess.run([program, *arguments], capture_output=True, text=True, env=environment, timeout=120, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Failed(done.stderr)
        return done.stdout

    return run


def test_a_clean_post_arrives_byte_for_byte(world, toot):
    sent = world.same(lambda: toot("post", words.CLEAN, "--spoiler-text", "about work"))
    assert len(sent.posts) == 1 and "https://mastodon.example/@clinic/10" in sent.result


def test_a_name_is_redacted(world, toot):
    sent = world.through(lambda: toot("post", words.NAMED))
    assert sent.error is None, sent.error
    [post] = sent.posts
    assert words.is_redacted(post.json["status"]), post.json
    assert post.json["sensitive"] is False


def test_a_name_in_an_alt_text_is_redacted(world, toot, tmp_path, png):
    picture = tmp_path / "garden.png"
    picture.write_bytes(png)
    sent = world.through(lambda: toot("post", words.CLEAN, "--media", str(picture), "--description", words.NAMED))
    assert sent.error is None, sent.error
    upload, post = sent.posts
    assert words.is_redacted(upload.parts["description"][1].decode()), upload.parts["description"]
    assert upload.parts["file"] == ("garden.png", png)
    assert post.json["status"] == words.CLEAN


def test_a_blocked_post_shows_the_sentence_once(world, toot):
    sent = world.refused(lambda: toot("post", words.NUMBERED), Failed)
    shown = str(sent.error).strip()
    assert shown.startswith("Error: "), shown
    world.check_sentence(shown.removeprefix("Error: "), sent)
