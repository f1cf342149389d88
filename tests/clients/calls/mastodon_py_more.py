"""Mastodon.py, harder: scheduled posts, lists, reports, notes on accounts, thumbnails."""

import datetime

from . import PNG, Call
from .mastodon_py import KNOWN, client


def scheduled(words):
    when = datetime.datetime(2030, 1, 2, tzinfo=datetime.timezone.utc)
    return client().status_post(words["text"], scheduled_at=when)


def named_list(words):
    return client().list_create(words["title"])


def report(words):
    return client().report("5", comment=words["comment"])


def note(words):
    return client().account_note_set("5", words["comment"])


def thumbnail(words):
    return client().media_post(PNG, mime_type="image/png", description=words["alt text"], thumbnail=PNG, thumbnail_mime_type="image/png", focus=(0.1, 0.2), file_name="garden.png")


def value(name):
    return lambda requests: requests[-1].values[name]


CALLS = [
    Call(**KNOWN, recorded=False, name="scheduled post", make=scheduled, fields={"text": value("status")}),
    Call(**KNOWN, recorded=False, name="list", make=named_list, fields={"title": value("title")}),
    Call(**KNOWN, recorded=False, name="report", make=report, fields={"comment": value("comment")}),
    Call(**KNOWN, recorded=False, name="note on an account", make=note, fields={"comment": value("comment")}),
    Call(**KNOWN, recorded=False, name="picture with a thumbnail", media=True, make=thumbnail, fields={"alt text": value("description")}, volatile=(rb'filename="mastodonpyupload_[^"]*"',)),
]
