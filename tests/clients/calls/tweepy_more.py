"""tweepy, harder: lists, direct messages with media, alt texts of version 2's posts."""

import io

from . import Call
from .tweepy import KNOWN, bearer, signed, version_1


def new_list(words):
    return bearer().create_list(name=words["name"], description=words["description"], user_auth=False)


def reply(words):
    return signed().create_tweet(text=words["text"], in_reply_to_tweet_id="5", media_ids=["1"], media_tagged_user_ids=["2"])


def subtitles(words):
    track = f"1\n00:00:01,000 --> 00:00:04,000\n{words['subtitle']}\n".encode()
    return version_1().chunked_upload("talk.srt", file=io.BytesIO(track), file_type="text/srt", media_category="subtitles")


def check_reply(sent):
    assert sent.posts[0].json["reply"] == {"in_reply_to_tweet_id": "5"}
    assert sent.posts[0].json["media"] == {"media_ids": ["1"], "tagged_user_ids": ["2"]}


CALLS = [
    Call(
        **KNOWN,
        recorded=False,
        name="list",
        make=new_list,
        fields={"name": lambda requests: requests[0].json["name"], "description": lambda requests: requests[0].json["description"]},
        short=frozenset({"name", "description"}),
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="reply with a picture",
        make=reply,
        fields={"text": lambda requests: requests[0].json["text"]},
        check=check_reply,
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="subtitles",
        make=subtitles,
        fields={"subtitle": lambda requests: requests[1].parts["media"][1].decode()},
        # X was told the length before.
        sealed=frozenset({"subtitle"}),
    ),
]
