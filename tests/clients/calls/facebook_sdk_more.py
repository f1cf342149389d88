"""facebook-sdk, harder: comments, and a batch, which is forms within JSON within a form."""

import json
from urllib.parse import parse_qs, urlencode

from . import Call
from .facebook_sdk import KNOWN, graph


def comment(words):
    return graph().put_comment("1_2", words["text"])


def batch(words):
    calls = [
        {"method": "POST", "relative_url": "me/feed", "body": urlencode({"message": words["text"], "link": "https://example.org"})},
        {"method": "POST", "relative_url": f"1_2/comments?{urlencode({'message': words['comment']})}"},
        {"method": "GET", "relative_url": "me"},
    ]
    return graph().request("", post_args={"batch": json.dumps(calls)}, method="POST")


def calls_of(requests):
    return json.loads(requests[0].form["batch"])


def check_batch(sent):
    assert len(calls_of(sent.posts)) == 3
    assert parse_qs(calls_of(sent.posts)[0]["body"])["link"] == ["https://example.org"]


CALLS = [
    Call(**KNOWN, recorded=False, name="comment", make=comment, fields={"text": lambda requests: requests[0].form["message"]}),
    Call(
        **KNOWN,
        recorded=False,
        name="batch",
        make=batch,
        fields={
            "text": lambda requests: parse_qs(calls_of(requests)[0]["body"])["message"][0],
            "comment": lambda requests: parse_qs(calls_of(requests)[1]["relative_url"].partition("?")[2])["message"][0],
        },
        check=check_batch,
    ),
]
