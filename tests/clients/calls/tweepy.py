"""tweepy: version 2 under both kinds of OAuth, direct messages, and version 1.1, where the words stand in a signed query."""

import io

import tweepy

from . import PNG, Call, posted, version_of


def bearer():
    return tweepy.Client("tok")


def signed():
    return tweepy.Client(consumer_key="a", consumer_secret="b", access_token="c", access_token_secret="d")


def version_1():
    return tweepy.API(tweepy.OAuth1UserHandler("a", "b", "c", "d"))


def poll(words):
    return signed().create_tweet(text=words["text"], poll_options=[words["option"], "no"], poll_duration_minutes=60)


def tweet(words):
    return bearer().create_tweet(text=words["text"], user_auth=False)


def message(words):
    return bearer().create_direct_message(participant_id="2", text=words["text"], user_auth=False)


def status(words):
    return version_1().update_status(words["text"], attachment_url=None)


def media(words):
    api = version_1()
    api.media_upload("garden.png", file=io.BytesIO(PNG))
    api.create_media_metadata(1, words["alt text"])
    return api.chunked_upload("garden.png", file=io.BytesIO(PNG), file_type="image/png", media_category="tweet_image")


def check_poll(sent):
    assert sent.posts[0].json["poll"]["options"][1] == "no" and sent.posts[0].json["poll"]["duration_minutes"] == 60


def check_media(sent):
    whole, alt_text, *_, append, _ = sent.posts
    assert whole.parts["media"][1] == append.parts["media"][1] == PNG
    assert alt_text.json["media_id"] in (1, "1")


def shown(sent):
    error = posted(sent.error, tweepy.Forbidden)
    [sentence] = error.api_messages
    assert sentence in str(error)
    return sentence


def text(requests):
    return requests[0].json["text"]


KNOWN = {
    "client": "tweepy",
    "version": version_of("tweepy"),
    "platform": "x",
    "shown": shown,
    "shown_in": "`Forbidden.api_messages`",
}
CALLS = [
    Call(
        **KNOWN,
        name="v2 poll (OAuth 1.0a)",
        make=poll,
        fields={"text": text, "option": lambda requests: requests[0].json["poll"]["options"][0]},
        short=frozenset({"option"}),
        check=check_poll,
    ),
    Call(**KNOWN, name="v2 (OAuth 2)", make=tweet, fields={"text": text}),
    Call(**KNOWN, name="direct message", make=message, fields={"text": text}),
    Call(
        **KNOWN,
        name="v1.1 query",
        make=status,
        fields={"text": lambda requests: requests[0].query["status"]},
        sealed=frozenset({"text"}),
    ),
    Call(
        **KNOWN,
        name="v1.1 media",
        media=True,
        make=media,
        fields={"alt text": lambda requests: requests[1].json["alt_text"]["text"]},
        check=check_media,
    ),
]
