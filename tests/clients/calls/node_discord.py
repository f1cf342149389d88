"""discord.js: a bot's message over its own undici."""

from node_client import NodeError, call, version_of

from . import Call, posted


def message(requests):
    return requests[0].json


def shown(sent):
    error = posted(sent.error, NodeError)
    assert (error.kind, error.status, error.code) == ("DiscordAPIError", 400, 200000), error.__dict__
    return error.message


CALLS = [
    Call(
        client="discord.js",
        version=version_of("discord.js"),
        language="Node",
        platform="discord",
        name="message with an embed",
        make=call("discord_message"),
        fields={
            "text": lambda requests: message(requests)["content"],
            "title": lambda requests: message(requests)["embeds"][0]["title"],
            "description": lambda requests: message(requests)["embeds"][0]["description"],
        },
        shown=shown,
        shown_in="`DiscordAPIError.message`",
    )
]
