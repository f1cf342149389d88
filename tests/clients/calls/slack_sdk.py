"""slack_sdk: JSON for messages, a form and raw bytes for files, and a webhook that raises nothing."""

import json
from urllib.error import HTTPError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from . import Call, posted, version_of

VERSION = version_of("slack_sdk")


def post(words):
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": words["block"]}}]
    return WebClient("xoxb-1").chat_postMessage(channel="C1", text=words["text"], blocks=blocks)


def upload(words):
    return WebClient("xoxb-1").files_upload_v2(
        channel="C1",
        content=words["file"].encode(),
        filename="n.txt",
        title=words["title"],
        alt_txt=words["alt text"],
        initial_comment=words["comment"],
    )


def webhook(words):
    answer = WebhookClient("https://hooks.slack.com/services/T/B/x").send(text=words["text"])
    return answer.status_code, answer.body


def message_shown(sent):
    error = posted(sent.error, SlackApiError)
    assert error.response["error"] == "blocked_by_hospital_policy_phi"
    assert error.response["response_metadata"]["messages"][0] in str(error)
    return error.response["response_metadata"]["messages"][0]


def upload_shown(sent):
    return str(sent.error) if isinstance(sent.error, HTTPError) else message_shown(sent)


def webhook_shown(sent):
    status, body = sent.result
    assert status == 403
    return body


def _of(path, name):
    def read(requests):
        [request] = [request for request in requests if request.path == path]
        return request.values[name]

    return read


def _listed(value):
    return json.loads(value) if isinstance(value, str) else value


def completed(requests):
    return next(request.values for request in requests if request.path == "/api/files.completeUploadExternal")


KNOWN = {
    "client": "slack_sdk",
    "version": VERSION,
    "platform": "slack",
    "shown": message_shown,
    "shown_in": '`SlackApiError.response["response_metadata"]["messages"]`, and in its text',
}
CALLS = [
    Call(
        **KNOWN,
        name="chat.postMessage",
        make=post,
        fields={
            "text": lambda requests: requests[0].json["text"],
            "block": lambda requests: requests[0].json["blocks"][0]["text"]["text"],
        },
    ),
    Call(
        client="slack_sdk",
        version=VERSION,
        platform="slack",
        name="files_upload_v2",
        make=upload,
        fields={
            "file": lambda requests: next(request.body.decode() for request in requests if request.host == "files.slack.com"),
            "title": lambda requests: _listed(completed(requests)["files"])[0]["title"],
            "alt text": _of("/api/files.getUploadURLExternal", "alt_txt"),
            "comment": lambda requests: completed(requests)["initial_comment"],
        },
        # Slack was told the file's length before.
        sealed=frozenset({"file"}),
        shown=upload_shown,
        shown_in=KNOWN["shown_in"],
        note="For a file's bytes: the text of an `HTTPError`",
    ),
    Call(
        client="slack_sdk",
        version=VERSION,
        platform="slack",
        name="incoming webhook",
        make=webhook,
        fields={"text": lambda requests: requests[0].json["text"]},
        shown=webhook_shown,
        shown_in="`WebhookResponse.body`",
    ),
]
