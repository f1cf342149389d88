"""Reddit: the token host, and the API under OAuth."""

NAME = "reddit"
HOSTS = ["www.reddit.com", "oauth.reddit.com"]

COMMENT = {
    "kind": "t1",
    "data": {"id": "c1", "name": "t1_c1", "body": "posted", "link_id": "t3_abc", "parent_id": "t3_abc", "author": "clinic", "replies": ""},
}

ANSWERS = [
    (r"GET \S+ /r/t/search", 200, {"kind": "Listing", "data": {"children": [], "after": None, "before": None, "dist": 0}}),
    (r"POST www\.reddit\.com /api/v1/access_token", 200, {"access_token": "t", "token_type": "bearer", "expires_in": 86400, "scope": "*"}),
    (r"GET \S+ /api/v1/me", 200, {"name": "clinic", "id": "abc"}),
    (r"POST \S+ /api/submit", 200, {"json": {"errors": [], "data": {"id": "abc", "name": "t3_abc", "url": "https://www.reddit.com/r/t/comments/abc/"}}}),
    (r"POST \S+ /api/(compose|wiki/edit)|POST \S+ /r/t/api/wiki/edit", 200, {"json": {"errors": []}}),
    (r"POST \S+ /api/(comment|editusertext)", 200, {"json": {"errors": [], "data": {"things": [COMMENT]}}}),
]


def faults(request):
    """Reddit refuses an empty or long title, and an empty comment."""
    values = request.values
    if request.path.startswith("/api/submit") and not 0 < len(values.get("title", "")) <= 300:
        return ["NO_TEXT: we need a title of up to 300 characters"]
    if request.path.startswith("/api/comment") and not 0 < len(values.get("text", "")) <= 10000:
        return ["NO_TEXT: we need something here"]
    return []
