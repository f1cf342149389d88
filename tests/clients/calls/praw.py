"""praw: forms under OAuth 2, and errors that come with status 200."""

import praw
from praw.exceptions import RedditAPIException

from . import Call, posted, version_of


def reddit():
    return praw.Reddit(client_id="a", client_secret="b", username="u", password="p", user_agent="x", check_for_updates=False)


def submit(words):
    return reddit().subreddit("t").submit(words["title"], selftext=words["text"]).id


def comment(words):
    return reddit().submission("abc").reply(words["text"])


def last(name):
    return lambda requests: requests[-1].form[name]


def shown(sent):
    error = posted(sent.error, RedditAPIException)
    [item] = error.items
    assert item.message in str(error)
    return item.message


KNOWN = {
    "client": "praw",
    "version": version_of("praw"),
    "platform": "reddit",
    "shown": shown,
    "shown_in": "`RedditAPIException`",
}
CALLS = [
    Call(**KNOWN, name="submission", make=submit, fields={"title": last("title"), "text": last("text")}),
    Call(**KNOWN, name="comment", make=comment, fields={"text": last("text")}),
]
