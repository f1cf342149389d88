"""@slack/web-api: forms with JSON in them. Its error shows a code alone; the sentence goes to its log. It tries all but 200 again."""

import json

from node_client import NodeError, call, version_of

from . import Call, posted


def shown(sent):
    error = posted(sent.error, NodeError)
    assert error.kind == "WebAPIPlatformError", error
    assert error.message == "An API error occurred: blocked_by_hospital_policy_phi"
    [message] = error.data["response_metadata"]["messages"]
    logged = error.log.strip()
    assert logged.startswith("[ERROR]") and message.removeprefix("[ERROR] ") in logged, logged
    return message


CALLS = [
    Call(
        client="@slack/web-api",
        version=version_of("@slack/web-api"),
        language="Node",
        platform="slack",
        name="chat.postMessage",
        make=call("slack_post"),
        fields={
            "text": lambda requests: requests[0].form["text"],
            "block": lambda requests: json.loads(requests[0].form["blocks"])[0]["text"]["text"],
        },
        shown=shown,
        shown_in="`WebAPIPlatformError.data.response_metadata.messages`, and in its log; `.message` has `blocked_by_hospital_policy_phi`",
    )
]
