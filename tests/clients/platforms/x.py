"""X: version 2, version 1.1 and its upload host."""

import re
import unicodedata

NAME = "x"
HOSTS = ["api.twitter.com", "upload.twitter.com", "api.x.com", "upload.x.com"]

UPLOADED = {"media_id": 1, "media_id_string": "1", "size": 3, "expires_after_secs": 86400, "data": {"id": "1", "media_key": "3_1"}}
TWEET_1 = {"id": 1, "id_str": "1", "text": "posted", "created_at": "Mon Sep 24 03:35:21 +0000 2012"}

ANSWERS = [
    (r"\S+ \S+ /oauth/(request|access)_token", 200, b"oauth_token=c&oauth_token_secret=d&oauth_callback_confirmed=true"),
    (r"POST \S+ /1\.1/media/metadata/create", 200, None),
    (r"(GET|POST) \S+ /(1\.1|2)/media/upload", 200, UPLOADED),
    (r"POST \S+ /1\.1/jot/", 200, None),
    (r"\S+ \S+ /1\.1/search", 200, {"statuses": []}),
    (r"GET \S+ /2/", 200, {"data": [], "meta": {"result_count": 0}}),
    (r"\S+ \S+ /1\.1/", 200, TWEET_1),
    (r"POST \S+ /2/", 201, {"data": {"id": "1", "text": "posted"}}),
]


def faults(request):
    """X refuses a post of over 280 by its own weights, and a poll whose options are empty, over 25 or alike."""
    if request.path not in ("/2/tweets", "/1.1/statuses/update.json"):
        return []
    values = request.values
    found = []
    if weight(values.get("text") or values.get("status") or "") > 280:
        found.append("Your Tweet text is too long.")
    options = (values.get("poll") or {}).get("options", [])
    if any(not option.strip() or weight(option) > 25 for option in options) or len(set(options)) < len(options):
        found.append("poll options are empty, too long or alike")
    return found


def weight(text):
    """The length of a text as X counts it (twitter-text 3, without its count of emoji of several characters as 2)."""
    text = re.sub(r"https?://\S+", "x" * 23, unicodedata.normalize("NFC", text))
    light = ((0, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
    return sum(1 if any(low <= ord(character) <= high for low, high in light) else 2 for character in text)
