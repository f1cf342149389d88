"""facebook-sdk: everything as a form, pictures as multipart, the token among the fields."""

import io

import facebook

from . import PNG, Call, posted, version_of


def graph():
    return facebook.GraphAPI("tok", version="3.1")


def feed(words):
    return graph().put_object("me", "feed", message=words["text"], link="https://example.org")


def photo(words):
    return graph().put_photo(io.BytesIO(PNG), message=words["text"])


def check_feed(sent):
    assert sent.posts[0].form["link"] == "https://example.org" and sent.posts[0].form["access_token"] == "tok"


def check_photo(sent):
    assert sent.posts[0].parts["source"][1] == PNG


def shown(sent):
    return posted(sent.error, facebook.GraphAPIError).message


def text(requests):
    return requests[0].values["message"]


KNOWN = {
    "client": "facebook-sdk",
    "version": version_of("facebook-sdk"),
    "platform": "facebook",
    "shown": shown,
    "shown_in": "`GraphAPIError.message`",
}
CALLS = [
    Call(**KNOWN, name="feed", make=feed, fields={"text": text}, check=check_feed),
    Call(**KNOWN, name="photo", media=True, make=photo, fields={"text": text}, check=check_photo),
]
