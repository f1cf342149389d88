"""Slack: the Web API, uploads and incoming webhooks."""

import json

NAME = "slack"
HOSTS = ["slack.com", "files.slack.com", "hooks.slack.com"]

ANSWERS = [
    (r"\S+ \S+ /api/files\.getUploadURLExternal", 200, {"ok": True, "upload_url": "https://files.slack.com/upload/v1/abc", "file_id": "F1"}),
    (r"\S+ files\.slack\.com /upload/", 200, b"OK - 5"),
    (r"\S+ hooks\.slack\.com /", 200, b"ok"),
    (r"\S+ slack\.com /api/", 200, {"ok": True, "ts": "1.2", "channel": "C1", "files": [{"id": "F1"}]}),
]


def faults(request):
    """Slack refuses blocks it cannot read, and sections that are empty or over 3000 characters."""
    if request.host == "files.slack.com":
        return []
    blocks = request.values.get("blocks") or []
    blocks = json.loads(blocks) if isinstance(blocks, str) else blocks
    texts = [block["text"]["text"] for block in blocks if block.get("type") == "section" and "text" in block]
    return ["invalid_blocks" for text in texts if not 0 < len(text) <= 3000]
