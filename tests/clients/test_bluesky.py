"""atproto: posts whose links and tags are byte ranges into the text, and a session that would lead the client round the proxy."""

import pytest
import words
from atproto import Client, client_utils, models
from atproto_client.exceptions import NetworkError, UnauthorizedError
from calls import PNG
from platforms import bluesky


@pytest.fixture
def signed_in(world):
    """A client signed in through whichever way the call will go, on a clock that stands still."""

    def sign_in(identifier="clinic.test"):
        client = Client(base_url="https://bsky.social")
        client.get_current_time_iso = lambda: "2026-01-02T03:04:05.678Z"
        client.login(identifier, words.PASSWORD)
        return client

    return sign_in


def test_signing_in_with_an_address_passes_and_leads_nowhere_else(world, signed_in):
    sent = world.through(lambda: signed_in(words.SIGN_IN))
    assert sent.error is None, sent.error
    session = next(request for request in sent.arrived if request.path.endswith("createSession"))
    assert session.json == {"identifier": words.SIGN_IN, "password": words.PASSWORD}
    assert bluesky.LEADS_AWAY not in sent.result._base_url and "bsky.social" in sent.result._base_url


def test_without_the_proxy_the_session_does_lead_away(world, platform, signed_in):
    world.lead(platform.tls_port, platform.ca_file)
    with pytest.raises(NetworkError):
        signed_in()


def test_a_clean_post_arrives_byte_for_byte(world, signed_in):
    text = client_utils.TextBuilder().text(f"{words.CLEAN} ").tag("#Neurology", "Neurology")
    sent = world.same(lambda: signed_in().send_post(text))
    assert sent.posts[-1].path.endswith("createRecord")


def test_a_name_is_redacted_and_tags_still_point_at_their_words(world, signed_in):
    text = (
        client_utils.TextBuilder()
        .tag("#夜勤", "夜勤")
        .text(f" {words.NAMED} ")
        .tag("#Nursing", "Nursing")
        .text(" 🦴 ")
        .tag("#Recovery", "Recovery")
    )
    sent = world.through(lambda: signed_in().send_post(text))
    assert sent.error is None, sent.error
    record = sent.posts[-1].json["record"]
    assert words.is_redacted(record["text"]), record
    assert bluesky.facets(record) == {"#夜勤": "夜勤", "#Nursing": "Nursing", "#Recovery": "Recovery"}
    assert sent.decisions[-1]["verdict"] == "redact"


def test_a_link_over_a_redacted_name_is_dropped(world, signed_in):
    name = f"{words.FIRST} {words.LAST}"
    before, after = words.NAMED.split(name)
    text = (
        client_utils.TextBuilder()
        .text(before)
        .link(name, "https://example.org/story")
        .text(f"{after} ")
        .tag("#Nursing", "Nursing")
    )
    sent = world.through(lambda: signed_in().send_post(text))
    assert sent.error is None, sent.error
    record = sent.posts[-1].json["record"]
    assert words.is_redacted(record["text"]), record
    assert bluesky.facets(record) == {"#Nursing": "Nursing"}


def test_a_name_in_an_alt_text_is_redacted_and_the_picture_is_not_touched(world, signed_in, png):
    sent = world.through(lambda: signed_in().send_image(words.CLEAN, png, words.NAMED))
    assert sent.error is None, sent.error
    upload = next(request for request in sent.posts if request.path.endswith("uploadBlob"))
    assert upload.body == png
    record = sent.posts[-1].json["record"]
    assert record["text"] == words.CLEAN
    [image] = record["embed"]["images"]
    assert words.is_redacted(image["alt"]), image
    assert image["image"]["ref"]["$link"] == bluesky.CID


def test_a_name_in_a_batch_of_writes_is_redacted(world, signed_in):
    def write():
        client = signed_in()
        post = models.AppBskyFeedPost.Record(text=words.NAMED, created_at=client.get_current_time_iso())
        create = models.ComAtprotoRepoApplyWrites.Create(collection="app.bsky.feed.post", value=post)
        return client.com.atproto.repo.apply_writes({"repo": client.me.did, "writes": [create]})

    sent = world.through(write)
    assert sent.error is None, sent.error
    [creation] = sent.posts[-1].json["writes"]
    assert words.is_redacted(creation["value"]["text"]), creation


BLOCKED_POSTS = {
    "post": lambda client: client.send_post(words.NUMBERED),
    "alt text": lambda client: client.send_image(words.CLEAN, PNG, words.NUMBERED),
    "profile": lambda client: client.com.atproto.repo.put_record(
        {
            "repo": client.me.did,
            "collection": "app.bsky.actor.profile",
            "rkey": "self",
            "record": {"$type": "app.bsky.actor.profile", "displayName": "R.", "description": words.NUMBERED},
        }
    ),
}


@pytest.mark.parametrize("post", BLOCKED_POSTS.values(), ids=BLOCKED_POSTS.keys())
def test_a_blocked_post_shows_the_sentence_once(world, signed_in, post):
    client = world.through(signed_in).result
    sent = world.through(lambda: post(client))
    assert isinstance(sent.error, UnauthorizedError), sent.error
    records = [request for request in sent.posts if not request.path.endswith("uploadBlob")]
    assert records == []
    [event] = [event for event in sent.decisions if event["verdict"] == "block"]
    sent.decisions = [event]
    content = sent.error.response.content
    assert " " not in content.error, "a Bluesky error code is one word"
    world.check_sentence(content.message, sent)


def test_a_search_passes(world, signed_in):
    client = world.through(signed_in).result
    sent = world.through(lambda: client.app.bsky.feed.search_posts({"q": words.SEARCH}))
    assert sent.error is None, sent.error
    assert sent.arrived[-1].query["q"] == words.SEARCH

