"""The stand-in refuses what the platforms would: a redaction that left a post broken would not pass unseen."""

import json
from urllib.parse import urlencode

import platforms
import pytest
import stand_in

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
LONG = "word " * 200


def request(host, path, kind, body, method="POST"):
    content = json.dumps(body) if kind == JSON else urlencode({key: json.dumps(value) if isinstance(value, list) else value for key, value in body.items()})
    return stand_in.Request(method, host, path, [("Content-Type", kind)], content.encode(), "127.0.0.1")


def bluesky(text, *facets):
    listed = [{"index": {"byteStart": start, "byteEnd": end}, "features": []} for start, end in facets]
    return request("bsky.social", "/xrpc/com.atproto.repo.createRecord", JSON, {"record": {"text": text, "facets": listed}})


def telegram(text, offset, length):
    entities = [{"type": "bold", "offset": offset, "length": length}]
    return request("api.telegram.org", "/bot1:AA/sendMessage", FORM, {"text": text, "entities": entities})


BROKEN = {
    "a facet behind the end": bluesky("夜勤 x", (7, 99)),
    "a facet that cuts a character": bluesky("夜勤 x", (0, 2)),
    "facets one over the other": bluesky("one two", (0, 5), (4, 7)),
    "a facet of nothing": bluesky("one two", (3, 3)),
    "a long post on Bluesky": bluesky(LONG),
    "an entity behind the end": telegram("🏥 x", 3, 4),
    "an entity that cuts a character": telegram("🏥 x", 0, 1),
    "an empty message": telegram("", 0, 0),
    "a long post on X": request("api.twitter.com", "/2/tweets", JSON, {"text": "é" * 300}),
    "poll options alike on X": request("api.twitter.com", "/2/tweets", JSON, {"text": "x", "poll": {"options": ["a", "a"]}}),
    "a long status": request("mastodon.example", "/api/v1/statuses", FORM, {"status": LONG}),
    "a long comment on Reddit": request("oauth.reddit.com", "/api/comment", FORM, {"text": LONG * 20}),
    "a Reddit post without a title": request("oauth.reddit.com", "/api/submit", FORM, {"title": ""}),
    "an empty section on Slack": request("slack.com", "/api/chat.postMessage", JSON, {"blocks": [{"type": "section", "text": {"text": ""}}]}),
    "an empty message on Discord": request("discord.com", "/api/v10/channels/1/messages", JSON, {"content": ""}),
    "an empty field on Discord": request(
        "discord.com", "/api/v10/channels/1/messages", JSON, {"embeds": [{"fields": [{"name": "", "value": "v"}]}]}
    ),
    "an empty comment on YouTube": request(
        "youtube.googleapis.com", "/youtube/v3/commentThreads", JSON, {"snippet": {"topLevelComment": {"snippet": {"textOriginal": ""}}}}
    ),
    "an empty post on Facebook": request("graph.facebook.com", "/v3.1/me/feed", FORM, {"message": ""}),
}
SOUND = {
    "facets": bluesky("夜勤 x", (0, 6), (7, 8)),
    "entities": telegram("🏥 x", 3, 1),
    "a post on X": request("api.twitter.com", "/2/tweets", JSON, {"text": "夜" * 140}),
}


@pytest.mark.parametrize("post", BROKEN.values(), ids=BROKEN.keys())
def test_what_a_platform_would_refuse_is_refused(post):
    assert platforms.of_host(post.host).faults(post) != []


@pytest.mark.parametrize("post", SOUND.values(), ids=SOUND.keys())
def test_what_it_would_take_is_taken(post):
    assert platforms.of_host(post.host).faults(post) == []
