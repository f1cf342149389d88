"""google-api-python-client, harder: a resumable upload, captions, which are text in a file, a playlist, a channel."""

import io

from googleapiclient.http import MediaIoBaseUpload
from platforms import youtube as platform

from . import PNG, Call
from .google_api_python_client import KNOWN, youtube


def resumable(words):
    body = {"snippet": {"title": words["title"], "description": words["description"]}}
    media = MediaIoBaseUpload(io.BytesIO(PNG), "video/mp4", resumable=True)
    return youtube().videos().insert(part="snippet", body=body, media_body=media).execute()


def captions(words):
    body = {"snippet": {"videoId": "v", "language": "en", "name": words["name"]}}
    track = f"WEBVTT\n\n00:01.000 --> 00:04.000\n{words['caption']}\n"
    media = MediaIoBaseUpload(io.BytesIO(track.encode()), "text/vtt")
    return youtube().captions().insert(part="snippet", body=body, media_body=media).execute()


def playlist(words):
    body = {"snippet": {"title": words["title"], "description": words["description"]}}
    return youtube().playlists().insert(part="snippet", body=body).execute()


def channel(words):
    body = {"id": "UC1", "brandingSettings": {"channel": {"description": words["description"], "keywords": "nursing"}}}
    return youtube().channels().update(part="brandingSettings", body=body).execute()


def snippet(requests):
    return requests[0].json["snippet"]


def check_resumable(sent):
    assert sent.posts[1].method == "PUT" and sent.posts[1].body == PNG


def check_captions(sent):
    track = sent.posts[0].parts[1][1].decode()
    assert track.startswith("WEBVTT\n\n00:01.000 --> 00:04.000\n")


CALLS = [
    Call(
        **KNOWN,
        recorded=False,
        name="resumable video",
        media=True,
        make=resumable,
        fields={"title": lambda requests: snippet(requests)["title"], "description": lambda requests: snippet(requests)["description"]},
        short=frozenset({"title"}),
        check=check_resumable,
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="captions",
        make=captions,
        fields={
            "name": lambda requests: platform.video(requests[0])["snippet"]["name"],
            "caption": lambda requests: requests[0].parts[1][1].decode(),
        },
        check=check_captions,
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="playlist",
        make=playlist,
        fields={"title": lambda requests: snippet(requests)["title"], "description": lambda requests: snippet(requests)["description"]},
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="channel",
        make=channel,
        fields={"description": lambda requests: requests[0].json["brandingSettings"]["channel"]["description"]},
    ),
]
