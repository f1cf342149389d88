"""YouTube's data API, by the host Google's own client asks."""

import json

NAME = "youtube"
HOSTS = ["youtube.googleapis.com"]

# A resumable upload begins with a POST of JSON; the bytes go to the address that its answer names.
UPLOAD = "https://youtube.googleapis.com/upload/youtube/v3/videos?uploadType=resumable&upload_id=u1"

ANSWERS = [
    (r"GET \S+ /youtube/v3/search", 200, {"kind": "youtube#searchListResponse", "items": []}),
    (r"POST \S+ /youtube/v3/commentThreads", 200, {"kind": "youtube#commentThread", "id": "t"}),
    (r"POST \S+ /youtube/v3/playlists", 200, {"kind": "youtube#playlist", "id": "p"}),
    (r"PUT \S+ /youtube/v3/channels", 200, {"kind": "youtube#channel", "id": "UC1"}),
    (r"POST \S+ /upload/youtube/v3/captions", 200, {"kind": "youtube#caption", "id": "c"}),
    (r"(POST|PUT) \S+ /upload/youtube/v3/videos", 200, {"kind": "youtube#video", "id": "v"}, ("Location", UPLOAD)),
]


def video(request):
    """What an upload says of its video: the JSON of the first part."""
    return json.loads(request.parts[0][1])


def faults(request):
    """A title has 1 to 100 characters, a description up to 5000 bytes, and neither has < or >; a comment is not empty."""
    if request.path.endswith("upload/youtube/v3/videos") and request.method == "POST":
        snippet = (request.json if request.query.get("uploadType") == "resumable" else video(request))["snippet"]
        title, description = snippet["title"], snippet.get("description", "")
        is_valid = 0 < len(title) <= 100 and len(description.encode()) <= 5000 and not set("<>") & set(title + description)
        return [] if is_valid else ["invalidVideoMetadata"]
    if request.path.endswith("/commentThreads"):
        text = request.json["snippet"]["topLevelComment"]["snippet"]["textOriginal"]
        return [] if 0 < len(text) <= 10000 else ["commentTextRequired"]
    return []
