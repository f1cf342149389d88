"""Mastodon's API, by the answers its clients wait for."""

import re

NAME = "mastodon"
HOSTS = ["mastodon.example"]
UPSTREAM = "plain"

ACCOUNT = {
    "id": "1",
    "username": "clinic",
    "acct": "clinic",
    "url": "https://mastodon.example/@clinic",
    "display_name": "Clinic",
    "note": "",
    "source": {},
}
STATUS = {
    "id": "10",
    "uri": "https://mastodon.example/statuses/10",
    "url": "https://mastodon.example/@clinic/10",
    "created_at": "2026-01-01T00:00:00.000Z",
    "content": "<p>posted</p>",
    "account": ACCOUNT,
    "visibility": "public",
    "spoiler_text": "",
    "media_attachments": [],
    "mentions": [],
    "tags": [],
    "emojis": [],
}
SCHEDULED = {"id": "11", "scheduled_at": "2030-01-02T00:00:00.000Z", "params": {"text": "posted"}, "media_attachments": []}
MEDIA = {"id": "9", "type": "image", "url": "https://mastodon.example/9.png", "preview_url": None, "description": ""}
INSTANCE = {
    "uri": "mastodon.example",
    "domain": "mastodon.example",
    "title": "stand-in",
    "version": "4.5.0",
    "api_versions": {"mastodon": 7},
    "configuration": {"statuses": {"max_characters": 500}},
}
TOKEN = {"access_token": "granted", "token_type": "Bearer", "scope": "read write follow push", "created_at": 1}
SEARCH = {"accounts": [], "statuses": [], "hashtags": []}

ANSWERS = [
    (r"GET \S+ /api/v[12]/instance", 200, INSTANCE),
    (r"POST \S+ /oauth/token", 200, TOKEN),
    (r"GET \S+ /api/v2/search", 200, SEARCH),
    (r"\S+ \S+ /api/v1/accounts/(verify|update)_credentials", 200, ACCOUNT),
    (r"(GET|POST|PUT) \S+ /api/v[12]/media", 200, MEDIA),
    (r"(POST|PUT) \S+ /api/v1/statuses", 200, lambda request: SCHEDULED if "scheduled_at" in request.values else STATUS),
    (r"POST \S+ /api/v1/lists", 200, {"id": "3", "title": "posted", "replies_policy": "list"}),
    (r"POST \S+ /api/v1/reports", 200, {"id": "4", "action_taken": False}),
    (r"POST \S+ /api/v1/accounts/\d+/note", 200, {"id": "5", "note": "posted"}),
]


def faults(request):
    """Mastodon refuses a status of over 500 characters, a link counting 23, and a poll whose options are empty, long or alike."""
    if not re.match(r"/api/v1/statuses(/\d+)?$", request.path) or request.method == "GET":
        return []
    values = request.values
    found = []
    text = f"{values.get('spoiler_text') or ''}{values.get('status') or ''}"
    if len(re.sub(r"https?://\S+", "x" * 23, text)) > 500:
        found.append("Text character limit of 500 exceeded")
    options = (values.get("poll") or {}).get("options", [])
    if any(not option.strip() or len(option) > 50 for option in options) or len(set(options)) < len(options):
        found.append("Validation failed: poll options are empty, too long or alike")
    return found
