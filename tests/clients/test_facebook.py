"""facebook-sdk: everything as a form, pictures as multipart, the token among the fields."""

import io

import facebook
import pytest
import words
from calls import PNG


def graph():
    return facebook.GraphAPI("tok", version="3.1")


CLEAN_POSTS = {
    "feed": lambda: graph().put_object("me", "feed", message=words.CLEAN, link="https://example.org"),
    "comment": lambda: graph().put_comment("1_2", words.CLEAN),
}


@pytest.mark.parametrize("post", CLEAN_POSTS.values(), ids=CLEAN_POSTS.keys())
def test_a_clean_post_arrives_byte_for_byte(world, post):
    assert len(world.same(post).posts) == 1


def test_a_clean_picture_arrives_byte_for_byte(world, png):
    [upload] = world.same(lambda: graph().put_photo(io.BytesIO(png), message=words.CLEAN)).posts
    assert upload.parts["source"][1] == png


def test_a_name_in_a_form_is_redacted(world):
    sent = world.through(lambda: graph().put_object("me", "feed", message=words.NAMED, link="https://example.org"))
    assert sent.error is None, sent.error
    [post] = sent.posts
    assert words.is_redacted(post.form["message"]), post.form
    assert post.form["access_token"] == "tok"
    [event] = sent.decisions
    assert event["verdict"] == "redact"


def test_a_name_under_a_picture_is_redacted_and_the_picture_is_not_touched(world, png):
    sent = world.through(lambda: graph().put_photo(io.BytesIO(png), message=words.NAMED))
    assert sent.error is None, sent.error
    [post] = sent.posts
    assert words.is_redacted(post.parts["message"][1].decode()), post.parts["message"]
    assert post.parts["source"][1] == png


BLOCKED_POSTS = {
    "feed": lambda: graph().put_object("me", "feed", message=words.NUMBERED),
    "comment": lambda: graph().put_comment("1_2", words.NUMBERED),
    "photo": lambda: graph().put_photo(io.BytesIO(PNG), message=words.NUMBERED),
}


@pytest.mark.parametrize("post", BLOCKED_POSTS.values(), ids=BLOCKED_POSTS.keys())
def test_a_blocked_post_shows_the_sentence_once(world, post):
    sent = world.refused(post, facebook.GraphAPIError)
    world.check_sentence(sent.error.message, sent)
