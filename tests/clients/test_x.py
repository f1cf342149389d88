"""tweepy: version 2 under both kinds of OAuth, and version 1.1 with the words in a signed query."""

import base64
import hashlib
import hmac
import io

import pytest
import requests
import tweepy
import words
from oauthlib.oauth1.rfc5849 import signature
from requests_oauthlib import OAuth1Session


def bearer():
    return tweepy.Client("tok")


def signed():
    return tweepy.Client(consumer_key="a", consumer_secret="b", access_token="c", access_token_secret="d")


def version_1():
    return tweepy.API(tweepy.OAuth1UserHandler("a", "b", "c", "d"))


def signature_holds(request):
    """Whether X itself, which knows the secrets, would accept the signature of what arrived."""
    form = request.body.decode() if request.header("content-type") == "application/x-www-form-urlencoded" else ""
    headers = {"Authorization": request.header("authorization")}
    query = request.target.partition("?")[2]
    signed = signature.collect_parameters(query, form, headers, exclude_oauth_signature=False)
    claimed = dict(signed).get("oauth_signature")
    parameters = signature.normalize_parameters([pair for pair in signed if pair[0] != "oauth_signature"])
    uri = signature.base_string_uri(f"https://{request.host}{request.path}")
    base = signature.signature_base_string(request.method, uri, parameters)
    expected = base64.b64encode(hmac.new(b"b&d", base.encode(), hashlib.sha1).digest()).decode()
    return claimed == expected


POLL = {"poll_options": ["tea", "coffee"], "poll_duration_minutes": 60}
CLEAN_POSTS = {
    "v2 bearer": lambda: bearer().create_tweet(text=words.CLEAN, user_auth=False),
    "v2 oauth1": lambda: signed().create_tweet(text=words.CLEAN, **POLL),
    "direct message": lambda: bearer().create_direct_message(participant_id="2", text=words.CLEAN, user_auth=False),
    "v1.1 query": lambda: version_1().update_status(words.CLEAN),
    "v1.1 alt text": lambda: version_1().create_media_metadata(1, "the new garden"),
}


@pytest.mark.parametrize("post", CLEAN_POSTS.values(), ids=CLEAN_POSTS.keys())
def test_a_clean_post_arrives_byte_for_byte(world, post):
    assert len(world.same(post).posts) == 1


def test_a_clean_picture_arrives_byte_for_byte(world, png):
    sent = world.same(lambda: version_1().media_upload("garden.png", file=io.BytesIO(png)))
    [upload] = sent.posts
    assert upload.host == "upload.twitter.com" and upload.parts["media"][1] == png


def form_post(text):
    """What version 1.1 takes as well: the words in a signed form."""
    session = OAuth1Session("a", "b", "c", "d")
    return session.post("https://api.twitter.com/1.1/statuses/update.json", data={"status": text}, timeout=30)


@pytest.mark.parametrize("post", [CLEAN_POSTS["v1.1 query"], lambda: form_post(words.CLEAN)], ids=["query", "form"])
def test_a_signature_over_the_words_still_holds(world, post):
    [arrived] = world.same(post).posts
    assert signature_holds(arrived)


def test_a_signed_form_that_cannot_be_redacted_is_blocked(world):
    sent = world.through(lambda: form_post(words.NAMED))
    assert sent.posts == [] and sent.result.status_code == 403
    assert sent.decisions[0]["fault"].startswith("cannot redact"), sent.decisions
    [error] = sent.result.json()["errors"]
    world.check_sentence(error["message"], sent)


REDACTED_POSTS = {
    "v2 bearer": (lambda: bearer().create_tweet(text=words.NAMED, user_auth=False), lambda body: body["text"]),
    "v2 oauth1 json": (lambda: signed().create_tweet(text=words.NAMED, **POLL), lambda body: body["text"]),
    "direct message": (
        lambda: bearer().create_direct_message(participant_id="2", text=words.NAMED, user_auth=False),
        lambda body: body["text"],
    ),
    "v1.1 alt text": (lambda: version_1().create_media_metadata(1, words.NAMED), lambda body: body["alt_text"]["text"]),
}


@pytest.mark.parametrize("post, text_of", REDACTED_POSTS.values(), ids=REDACTED_POSTS.keys())
def test_a_name_is_redacted(world, post, text_of):
    sent = world.through(post)
    assert sent.error is None, sent.error
    [arrived] = sent.posts
    assert words.is_redacted(text_of(arrived.json)), arrived.json
    [event] = sent.decisions
    assert event["verdict"] == "redact"


def test_a_redacted_poll_keeps_its_other_words(world):
    [arrived] = world.through(lambda: signed().create_tweet(text=words.NAMED, **POLL)).posts
    assert arrived.json["poll"] == {"options": ["tea", "coffee"], "duration_minutes": 60}
    assert signature_holds(arrived), "OAuth 1.0a signs no JSON"


BLOCKED_POSTS = {
    "v2 bearer": lambda: bearer().create_tweet(text=words.NUMBERED, user_auth=False),
    "v2 oauth1": lambda: signed().create_tweet(text=words.NUMBERED),
    "v2 poll": lambda: bearer().create_tweet(
        text=words.CLEAN, poll_options=[f"SSN {words.SSN}", "no"], poll_duration_minutes=60, user_auth=False
    ),
    "v1.1 query": lambda: version_1().update_status(words.NUMBERED),
    "v1.1 alt text": lambda: version_1().create_media_metadata(1, words.NUMBERED),
    # OAuth 1.0a signs the query: a name that would be redacted elsewhere cannot be here.
    "v1.1 query, cannot be redacted": lambda: version_1().update_status(words.NAMED),
}


@pytest.mark.parametrize("post", BLOCKED_POSTS.values(), ids=BLOCKED_POSTS.keys())
def test_a_blocked_post_shows_the_sentence_once(world, post):
    sent = world.refused(post, tweepy.Forbidden)
    [sentence] = sent.error.api_messages
    world.check_sentence(sentence, sent)


def test_what_cannot_be_redacted_is_named_as_such_in_the_audit(world):
    sent = world.refused(lambda: version_1().update_status(words.NAMED), tweepy.Forbidden)
    assert sent.decisions[0]["fault"].startswith("cannot redact"), sent.decisions


def test_a_search_passes(world):
    sent = world.through(lambda: bearer().search_recent_tweets(words.SEARCH))
    assert sent.error is None, sent.error
    assert sent.arrived[-1].query["query"] == words.SEARCH


def test_telemetry_passes(world):
    """What the web page sends home about itself: no words of anybody, and long numbers that mean nothing."""
    log = '[{"event_namespace":{"page":"home","action":"scroll"},"client_event_sequence_number":219094417,"ts":1795353326000}]'

    def send():
        return requests.post("https://api.twitter.com/1.1/jot/client_event.json", data={"debug": "true", "log": log}, timeout=30).status_code

    assert world.same(send).result == 200
