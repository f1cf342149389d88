"""masto.js: JSON for a status, multipart for a picture, which it then asks for until the server has it."""

from node_client import NodeError, call, version_of

from . import PNG, Call, posted


def status(requests):
    return requests[0].json


def check_status(sent):
    assert status(sent.posts)["poll"] == {"options": [status(sent.posts)["poll"]["options"][0], "no"], "expires_in": 60}
    assert status(sent.posts)["visibility"] == "unlisted"


def check_media(sent):
    assert sent.posts[0].parts["file"][1] == PNG


def shown(sent):
    error = posted(sent.error, NodeError)
    assert error.kind == "MastoHttpError" and error.status == 422, error.__dict__
    return error.message


KNOWN = {
    "client": "masto.js",
    "version": version_of("masto"),
    "language": "Node",
    "platform": "mastodon",
    "shown": shown,
    "shown_in": "`MastoHttpError.message`",
}
CALLS = [
    Call(
        **KNOWN,
        name="status with a poll",
        make=call("mastodon_status"),
        fields={
            "text": lambda requests: status(requests)["status"],
            "warning": lambda requests: status(requests)["spoiler_text"],
            "option": lambda requests: status(requests)["poll"]["options"][0],
        },
        short=frozenset({"option"}),
        check=check_status,
    ),
    Call(
        **KNOWN,
        name="media",
        media=True,
        make=call("mastodon_media"),
        fields={"alt text": lambda requests: requests[0].parts["description"][1].decode()},
        check=check_media,
    ),
]
