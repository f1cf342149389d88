"""Discord: what a bot and a webhook ask of it."""

import json

NAME = "discord"
HOSTS = ["discord.com"]
# With a charset, discord.py takes it for text.
JSON_TYPE = "application/json"

USER = {"id": "1", "username": "b", "discriminator": "0", "avatar": None, "bot": True}
APPLICATION = {
    "id": "1",
    "name": "b",
    "description": "",
    "icon": None,
    "bot_public": True,
    "bot_require_code_grant": False,
    "verify_key": "00",
    "flags": 0,
    "team": None,
    "summary": "",
    "owner": {"id": "2", "username": "o", "discriminator": "0", "avatar": None},
}
MESSAGE = {
    "id": "1",
    "channel_id": "1",
    "content": "posted",
    "type": 0,
    "timestamp": "2026-01-01T00:00:00+00:00",
    "edited_timestamp": None,
    "tts": False,
    "mention_everyone": False,
    "mentions": [],
    "mention_roles": [],
    "attachments": [],
    "embeds": [],
    "pinned": False,
    "author": USER,
}

ANSWERS = [
    (r"GET \S+ /api/v\d+/users/@me", 200, USER),
    (r"GET \S+ /api/v\d+/oauth2/applications/@me", 200, APPLICATION),
    (r"POST \S+ /api/v\d+/webhooks/", 204, None),
    (r"PATCH \S+ /api/v\d+/webhooks/", 200, MESSAGE | {"webhook_id": "123456789012345678"}),
    (r"(POST|PATCH) \S+ /api/", 200, MESSAGE),
]


def message(request):
    """The message of a request: its JSON, or the JSON among its parts."""
    values = request.values
    return json.loads(values["payload_json"]) if "payload_json" in values else values


def faults(request):
    """Discord refuses what is longer than its documentation says, and a message of nothing."""
    if "/messages" not in request.path and "/webhooks/" not in request.path:
        return []
    sent = message(request)
    embeds = sent.get("embeds") or []
    if not sent.get("content") and not embeds and request.method == "POST":
        return ["50006: Cannot send an empty message"]
    limits = [(sent.get("content") or "", 2000), (sent.get("username") or "b", 80)]
    for embed in embeds:
        limits += [(embed.get("title", ""), 256), (embed.get("description", ""), 4096)]
        for field in embed.get("fields", []):
            limits += [(field["name"], 256), (field["value"], 1024)]
            if not field["name"] or not field["value"]:
                return ["50035: This field is required"]
    limits += [(attachment.get("description") or "", 1024) for attachment in sent.get("attachments") or []]
    return [f"50035: Must be {limit} or fewer in length." for text, limit in limits if len(text) > limit]
