"""@atproto/api: the library of Bluesky's own app. Tags and links are byte ranges into the text."""

from node_client import NodeError, call, version_of
from platforms import bluesky

from . import Call, posted

FACETS = {"#夜勤": "夜勤", "#Nursing": "Nursing"}


def record(requests):
    return requests[-1].json["record"]


def written(requests, number):
    return requests[-1].json["writes"][number]["value"]


def check_post(sent):
    # In a post about a patient the link goes, too, and its facet with it.
    assert bluesky.facets(record(sent.posts)) == FACETS
    assert record(sent.posts)["text"].endswith(" #Nursing [link]")
    assert record(sent.posts)["langs"] == ["en"]


def check_writes(sent):
    first, second = written(sent.posts, 0), written(sent.posts, 1)
    assert bluesky.facets(first) == FACETS
    assert second["reply"]["parent"] == second["reply"]["root"]
    assert [write["rkey"] for write in sent.posts[-1].json["writes"]] == ["3la", "3lb"]


def shown(sent):
    error = posted(sent.error, NodeError)
    assert error.kind == "XRPCError" and error.error == "PolicyBlocked", error
    return error.message


KNOWN = {
    "client": "@atproto/api",
    "version": version_of("@atproto/api"),
    "language": "Node",
    "platform": "bluesky",
    "shown": shown,
    "shown_in": "`XRPCError.message`",
}
CALLS = [
    Call(**KNOWN, name="post", make=call("bluesky_post"), fields={"text": lambda requests: record(requests)["text"]}, check=check_post),
    Call(
        **KNOWN,
        name="applyWrites",
        make=call("bluesky_writes"),
        fields={
            "text": lambda requests: written(requests, 0)["text"],
            "second text": lambda requests: written(requests, 1)["text"],
        },
        check=check_writes,
    ),
]
