"""YouTube's data API, by the host Google's own client asks."""

import json

NAME = "youtube"
HOSTS = ["youtube.googleapis.com"]

ANSWERS = [
    (r"POST \S+ /youtube/v3/commentThreads", 200, {"kind": "youtube#commentThread", "id": "t"}),
    (r"POST \S+ /upload/youtube/v3/videos", 200, {"kind": "youtube#video", "id": "v"}),
]


def video(request):
    """What an upload says of its video: the JSON of the first part."""
    return json.loads(request.parts[0][1])


def faults(request):
    """A title has 1 to 100 characters, a description up to 5000 bytes, and neither has < or >; a comment is not empty."""
    if request.path.startswith("/upload/"):
        snippet = video(request)["snippet"]
        title, description = snippet["title"], snippet.get("description", "")
        is_valid = 0 < len(title) <= 100 and len(description.encode()) <= 5000 and not set("<>") & set(title + description)
        return [] if is_valid else ["invalidVideoMetadata"]
    if request.path.endswith("/commentThreads"):
        text = request.json["snippet"]["topLevelComment"]["snippet"]["textOriginal"]
        return [] if 0 < len(text) <= 10000 else ["commentTextRequired"]
    return []
