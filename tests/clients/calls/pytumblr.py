"""PyTumblr: a form that OAuth 1.0a signs, and a dictionary instead of an exception."""

import pytumblr

from . import Call, version_of


def text(words):
    client = pytumblr.TumblrRestClient("a", "b", "c", "d")
    return client.create_text("blog", title=words["title"], body=words["text"], tags=["staff", words["tag"]])


def shown(sent):
    assert sent.error is None, sent.error
    assert sent.result["meta"]["status"] == 403
    [error] = sent.result["errors"]
    assert error["title"] == error["detail"]
    return error["detail"]


FIELDS = {
    "title": lambda requests: requests[0].form["title"],
    "text": lambda requests: requests[0].form["body"],
    "tag": lambda requests: requests[0].form["tags"].split(",")[1],
}
CALLS = [
    Call(
        client="PyTumblr",
        version=version_of("PyTumblr"),
        platform="tumblr",
        name="legacy text",
        make=text,
        fields=FIELDS,
        sealed=frozenset(FIELDS),
        shown=shown,
        shown_in='`errors[0]["title"]` of the dictionary it returns',
    ),
]
