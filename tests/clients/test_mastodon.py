"""Mastodon.py: forms, JSON, multipart and a PATCH, against the stand-in and against a Mastodon server with a memory."""

import pytest
import words
from calls import PNG
from mastodon import Mastodon
from mastodon.errors import MastodonAPIError


def client(host="mastodon.example", token="tok"):
    return Mastodon(access_token=token, api_base_url=f"https://{host}", version_check_mode="none", request_timeout=30)


def sentence_of(error):
    """Where a user of Mastodon.py reads what went wrong."""
    return error.args[3]


CLEAN_POSTS = {
    "status": lambda: client().status_post(words.CLEAN, spoiler_text="about work", language="en", idempotency_key="k1"),
    "poll": lambda: client().status_post(words.CLEAN_PRAISE, poll=client().make_poll(["tea", "coffee"], 3600)),
    "edit": lambda: client().status_update("10", words.CLEAN, spoiler_text="again"),
    "profile": lambda: client().account_update_credentials(note="Nurse. Own views.", display_name="R.", fields=[("pronouns", "she/her")]),
}


@pytest.mark.parametrize("post", CLEAN_POSTS.values(), ids=CLEAN_POSTS.keys())
def test_a_clean_post_arrives_byte_for_byte(world, post):
    assert len(world.same(post).posts) == 1


def test_a_clean_picture_arrives_byte_for_byte(world, png):
    sent = world.same(lambda: client().media_post(png, mime_type="image/png", description="the new garden", file_name="garden.png"))
    [upload] = sent.posts
    assert upload.parts["file"][1] == png


def test_a_name_in_a_status_is_redacted(world):
    sent = world.through(lambda: client().status_post(words.NAMED, language="en"))
    assert sent.error is None, sent.error
    [post] = sent.posts
    assert words.is_redacted(post.form["status"]), post.form
    assert post.form["language"] == "en"
    assert int(post.header("content-length")) == len(post.body)
    [event] = sent.decisions
    assert event["verdict"] == "redact"


def test_a_name_in_an_edit_is_redacted(world):
    attributes = [client().generate_media_edit_attributes(9, description=words.NAMED)]
    [post] = world.through(lambda: client().status_update("10", words.NAMED, media_attributes=attributes)).posts
    assert post.method == "PUT" and words.is_redacted(post.json["status"]), post.json
    [attribute] = post.json["media_attributes"]
    assert words.is_redacted(attribute["description"]) and str(attribute["id"]) == "9", post.json


def test_a_name_in_a_poll_option_is_redacted(world):
    options = [f"Mrs. {words.FIRST} {words.LAST} goes home", "stays"]
    sent = world.through(lambda: client().status_post(words.NAMED, poll=client().make_poll(options, 3600)))
    [post] = sent.posts
    assert words.is_redacted(post.json["status"]), post.json
    first, second = post.json["poll"]["options"]
    assert words.LAST not in first and words.NAME_MARKER in first and second == "stays", post.json


def test_a_name_in_an_alt_text_is_redacted_and_the_picture_is_not_touched(world, png):
    [upload] = world.through(lambda: client().media_post(png, mime_type="image/png", description=words.NAMED)).posts
    assert words.is_redacted(upload.parts["description"][1].decode()), upload.parts["description"]
    assert upload.parts["file"][1] == png


def test_a_name_in_a_profile_is_redacted(world):
    [post] = world.through(lambda: client().account_update_credentials(note=words.NAMED, display_name="R.")).posts
    assert post.method == "PATCH"
    text = post.form["note"] if post.header("content-type").startswith("application/x-www") else post.parts["note"][1].decode()
    assert words.is_redacted(text), text


BLOCKED_POSTS = {
    "status": lambda: client().status_post(words.NUMBERED),
    "warning": lambda: client().status_post(words.CLEAN, spoiler_text=words.NUMBERED),
    "poll": lambda: client().status_post(words.CLEAN, poll=client().make_poll([f"SSN {words.SSN}", "no"], 3600)),
    "edit": lambda: client().status_update("10", words.NUMBERED),
    "alt text": lambda: client().media_post(PNG, mime_type="image/png", description=words.NUMBERED),
    "profile": lambda: client().account_update_credentials(note=words.NUMBERED),
}


@pytest.mark.parametrize("post", BLOCKED_POSTS.values(), ids=BLOCKED_POSTS.keys())
def test_a_blocked_post_shows_the_sentence_once(world, post):
    sent = world.refused(post, MastodonAPIError)
    world.check_sentence(sentence_of(sent.error), sent)


def test_signing_in_with_an_address_passes(world):
    def log_in():
        mastodon = Mastodon(client_id="id", client_secret="secret", api_base_url="https://mastodon.example", version_check_mode="none")
        return mastodon.log_in(username=words.SIGN_IN, password=words.PASSWORD, scopes=["read", "write", "follow", "push"])

    sent = world.same(log_in)
    assert sent.result == "granted"
    assert sent.posts[0].form["username"] == words.SIGN_IN


def test_a_search_passes(world):
    sent = world.through(lambda: client().search_v2(words.SEARCH, resolve=False))
    assert sent.error is None, sent.error
    [search] = [request for request in sent.arrived if request.path == "/api/v2/search"]
    assert search.query["q"] == words.SEARCH


def test_a_server_with_a_memory_shows_what_the_world_would_see(world):
    mastodon = client("mock.example", "mock_token")
    clean = world.through(lambda: mastodon.status_post(words.CLEAN))
    assert clean.error is None, clean.error
    named = world.through(lambda: mastodon.status_post(words.NAMED))
    assert named.error is None, named.error
    world.refused(lambda: mastodon.status_post(words.NUMBERED), MastodonAPIError)

    seen = world.through(lambda: mastodon.account_statuses(mastodon.me()["id"], limit=40))
    assert seen.error is None, seen.error
    contents = [status["content"] for status in seen.result]
    assert any("guidance on Parkinson" in content for content in contents)
    assert any(words.NAME_MARKER in content and "recovering well" in content for content in contents)
    assert not any(canary in content for content in contents for canary in (words.LAST, words.SSN, words.MRN))
