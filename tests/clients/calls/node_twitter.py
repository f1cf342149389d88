"""twitter-api-v2: version 2 in JSON, and version 1.1, where OAuth 1.0a signs a status in its form and no JSON."""

from node_client import NodeError, call, version_of

from . import PNG, Call, posted


def check_v2(sent):
    assert sent.posts[0].json["poll"]["options"][1] == "no"


def check_media(sent):
    *uploads, alt_text = sent.posts
    assert [upload.parts["media"][1] for upload in uploads if "media" in upload.parts] == [PNG]
    assert alt_text.json["media_id"] in (1, "1")


def shown(sent):
    error = posted(sent.error, NodeError)
    assert (error.kind, error.code) == ("ApiResponseError", 403), error.__dict__
    [fault] = error.data["errors"]
    assert error.data.get("detail", fault["message"]) == fault["message"]
    return error.message


KNOWN = {
    "client": "twitter-api-v2",
    "version": version_of("twitter-api-v2"),
    "language": "Node",
    "platform": "x",
    "shown": shown,
    "shown_in": "`ApiResponseError.message`",
}
CALLS = [
    Call(
        **KNOWN,
        name="v2 poll (OAuth 2)",
        make=call("x_v2"),
        fields={
            "text": lambda requests: requests[0].json["text"],
            "option": lambda requests: requests[0].json["poll"]["options"][0],
        },
        short=frozenset({"option"}),
        check=check_v2,
    ),
    Call(
        **KNOWN,
        name="v1.1 form",
        make=call("x_v1"),
        fields={"text": lambda requests: requests[0].form["status"]},
        sealed=frozenset({"text"}),
    ),
    Call(
        **KNOWN,
        name="v1.1 media",
        media=True,
        make=call("x_v1_media"),
        fields={"alt text": lambda requests: requests[-1].json["alt_text"]["text"]},
        check=check_media,
    ),
]
