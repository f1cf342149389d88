"""slack_sdk, harder: rich text whose pieces cut a name, attachments, updates, schedules, topics, a webhook's blocks."""

import json
import re

import words as posts
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from . import PNG, Call
from .slack_sdk import KNOWN, VERSION, completed, upload_shown, webhook_shown


def picture(words):
    return WebClient("xoxb-1").files_upload_v2(channel="C1", content=PNG, filename="garden.png", title=words["title"])


def check_picture(sent):
    assert next(request.body for request in sent.posts if request.host == "files.slack.com") == PNG


def rich(words):
    """A name cut by bold: no piece holds the whole."""
    before, found, after = words["text"].partition(posts.FIRST)
    pieces = [before, found, after] if found else [words["text"][:40], words["text"][40:60], words["text"][60:]]
    elements = [{"type": "text", "text": piece} for piece in pieces]
    elements[1]["style"] = {"bold": True}
    elements.append({"type": "user", "user_id": "U1"})
    blocks = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}]
    return WebClient("xoxb-1").chat_postMessage(channel="C1", text="see below", blocks=blocks)


def attachment(words):
    listed = [{"pretext": words["pretext"], "text": words["text"], "fields": [{"title": "Note", "value": words["value"]}], "color": "#36a64f"}]
    return WebClient("xoxb-1").chat_update(channel="C1", ts="1.2", text="see below", attachments=listed)


def scheduled(words):
    return WebClient("xoxb-1").chat_scheduleMessage(channel="C1", post_at=1999999999, text=f"<@U1> in <#C2|ward>, see <https://example.org/a|here>: {words['text']}")


def topic(words):
    return WebClient("xoxb-1").conversations_setTopic(channel="C1", topic=words["topic"])


def webhook(words):
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": words["header"]}}]
    answer = WebhookClient("https://hooks.slack.com/services/T/B/x").send(text="see below", blocks=blocks)
    return answer.status_code, answer.body


def elements(requests):
    return requests[-1].json["blocks"][0]["elements"][0]["elements"]


def check_rich(sent):
    assert elements(sent.posts)[-1] == {"type": "user", "user_id": "U1"}
    assert all(piece["text"] for piece in elements(sent.posts) if piece["type"] == "text"), "Slack refuses an empty piece"


def check_scheduled(sent):
    """A mention, a channel and a link's label stay, and no angle is left over."""
    text = sent.posts[-1].json["text"]
    assert text.startswith("<@U1> in <#C2|ward>, see ") and "here" in text, text
    assert re.fullmatch(r"([^<>]|<(https://|[@#])[\w./]+(\|\w+)?>)*", text), text


def listed(value):
    return json.loads(value) if isinstance(value, str) else value


def first_attachment(requests):
    return listed(requests[-1].json["attachments"])[0]


CALLS = [
    Call(
        **KNOWN,
        recorded=False,
        name="rich text",
        make=rich,
        fields={"text": lambda requests: "".join(piece.get("text", "") for piece in elements(requests))},
        check=check_rich,
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="update with attachments",
        make=attachment,
        fields={
            "pretext": lambda requests: first_attachment(requests)["pretext"],
            "text": lambda requests: first_attachment(requests)["text"],
            "value": lambda requests: first_attachment(requests)["fields"][0]["value"],
        },
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="scheduled message",
        make=scheduled,
        fields={"text": lambda requests: requests[-1].json["text"]},
        check=check_scheduled,
    ),
    Call(
        **KNOWN | {"shown": upload_shown},
        recorded=False,
        name="picture",
        media=True,
        make=picture,
        fields={"title": lambda requests: listed(completed(requests)["files"])[0]["title"]},
        check=check_picture,
    ),
    Call(**KNOWN, recorded=False, name="topic", make=topic, fields={"topic": lambda requests: requests[-1].values["topic"]}),
    Call(
        client="slack_sdk",
        version=VERSION,
        platform="slack",
        recorded=False,
        name="webhook's header",
        make=webhook,
        fields={"header": lambda requests: requests[-1].json["blocks"][0]["text"]["text"]},
        shown=webhook_shown,
        shown_in="`WebhookResponse.body`",
    ),
]
