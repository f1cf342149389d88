"""praw, harder: polls as JSON, private messages, edits, wiki pages, moderators' mail."""

from praw.models import Redditor

from . import Call
from .praw import KNOWN, last, reddit


def poll(words):
    made = {"options": [words["option"], "no"], "duration": 3}
    return reddit().subreddit("t").submit(words["title"], selftext=words["text"], poll=made)


def message(words):
    return Redditor(reddit(), name="colleague").message(subject=words["subject"], message=words["text"])


def edit(words):
    return reddit().comment("c1").edit(words["text"])


def wiki(words):
    return reddit().subreddit("t").wiki["rota"].edit(content=words["text"], reason=words["reason"])


def json_field(name):
    return lambda requests: requests[-1].json[name]


CALLS = [
    Call(
        **KNOWN,
        recorded=False,
        name="poll",
        make=poll,
        fields={
            "title": json_field("title"),
            "text": json_field("text"),
            "option": lambda requests: requests[-1].json["options"][0],
        },
        short=frozenset({"option"}),
    ),
    Call(**KNOWN, recorded=False, name="private message", make=message, fields={"subject": last("subject"), "text": last("text")}, short=frozenset({"subject"})),
    Call(**KNOWN, recorded=False, name="edit", make=edit, fields={"text": last("text")}),
    Call(**KNOWN, recorded=False, name="wiki page", make=wiki, fields={"text": last("content"), "reason": last("reason")}),
]
