"""Telegram's Bot API."""

import json

NAME = "telegram"
HOSTS = ["api.telegram.org"]

MESSAGE = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "posted"}

ANSWERS = [
    (r"\S+ \S+ /bot[^/]+/getMe", 200, {"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "b", "username": "b_bot"}}),
    (r"\S+ \S+ /bot[^/]+/sendMediaGroup", 200, {"ok": True, "result": [MESSAGE, MESSAGE]}),
    (r"\S+ \S+ /bot[^/]+/(send(Message|Photo|Poll)|editMessageText)", 200, {"ok": True, "result": MESSAGE}),
]


def faults(request):
    """A message has 1 to 4096 characters and a caption up to 1024; each entity covers whole characters within the text."""
    values = request.values
    found = []
    for name, entities_name, limit in (("text", "entities", 4096), ("caption", "caption_entities", 1024)):
        if name not in values:
            continue
        units = values[name].encode("utf-16-le")
        if not 0 < len(units) // 2 <= limit:
            found.append(f"Bad Request: message {name} is empty or too long")
        for entity in entities(values, entities_name):
            start, end = entity["offset"], entity["offset"] + entity["length"]
            if not 0 <= start < end <= len(units) // 2:
                found.append(f"Bad Request: entity {start}..{end} lies outside the text")
            try:
                units[2 * start : 2 * end].decode("utf-16-le")
            except UnicodeDecodeError:
                found.append(f"Bad Request: entity {start}..{end} cuts a character")
    return found


def entities(values, name="entities"):
    """The list of entities, which is JSON within a form."""
    listed = values.get(name) or []
    return json.loads(listed) if isinstance(listed, str) else listed


def marked(values, text="text", name="entities"):
    """Each entity's words, cut out of the text by its UTF-16 range, with its type."""
    units = values[text].encode("utf-16-le")
    return {
        units[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le"): entity["type"]
        for entity in entities(values, name)
    }
