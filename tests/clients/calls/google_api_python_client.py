"""google-api-python-client: JSON for a comment; for a video multipart/related with bare line feeds."""

import io
import os

from google.auth.credentials import AnonymousCredentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseUpload, build_http
from platforms import youtube as platform

from . import PNG, Call, posted, version_of


def youtube():
    http = build_http()
    # httplib2 looks for the CA's file once, when it is imported; the tests go two ways.
    http.ca_certs = os.environ["HTTPLIB2_CA_CERTS"]
    return build("youtube", "v3", http=AuthorizedHttp(AnonymousCredentials(), http=http), static_discovery=True)


def comment(words):
    body = {"snippet": {"videoId": "v", "topLevelComment": {"snippet": {"textOriginal": words["text"]}}}}
    return youtube().commentThreads().insert(part="snippet", body=body).execute()


def video(words):
    body = {"snippet": {"title": words["title"], "description": words["description"], "tags": [words["tag"], "staff"]}}
    media = MediaIoBaseUpload(io.BytesIO(PNG), "video/mp4")
    return youtube().videos().insert(part="snippet", body=body, media_body=media).execute()


def snippet(requests):
    return platform.video(requests[0])["snippet"]


def check_video(sent):
    assert sent.posts[0].parts[1][1] == PNG
    assert snippet(sent.posts)["tags"][1] == "staff"


def check_comment(sent):
    assert sent.posts[0].json["snippet"]["videoId"] == "v"


def shown(sent):
    error = posted(sent.error, HttpError)
    assert error.reason in str(error)
    return error.reason


KNOWN = {
    "client": "google-api-python-client",
    "version": version_of("google-api-python-client"),
    "platform": "youtube",
    "shown": shown,
    "shown_in": "`HttpError.reason`",
}
CALLS = [
    Call(
        **KNOWN,
        name="comment",
        make=comment,
        fields={"text": lambda requests: requests[0].json["snippet"]["topLevelComment"]["snippet"]["textOriginal"]},
        check=check_comment,
    ),
    Call(
        **KNOWN,
        name="video",
        media=True,
        make=video,
        fields={
            "title": lambda requests: snippet(requests)["title"],
            "description": lambda requests: snippet(requests)["description"],
            "tag": lambda requests: snippet(requests)["tags"][0],
        },
        # A title has 100 characters.
        short=frozenset({"title", "tag"}),
        check=check_video,
    ),
]
