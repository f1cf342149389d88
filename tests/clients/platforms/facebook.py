"""Facebook's Graph API."""

NAME = "facebook"
HOSTS = ["graph.facebook.com"]

ANSWERS = [
    (r"GET \S+ /(v3\.1/)?oauth/access_token", 200, {"access_token": "tok", "token_type": "bearer"}),
    (r"\S+ \S+ /.*/photos", 200, {"id": "1", "post_id": "1_2"}),
    (r"\S+ \S+ /.*search", 200, {"data": []}),
    (r"\S+ \S+ /", 200, {"id": "1_1"}),
]


def faults(request):
    """A post of the feed needs words."""
    if request.method == "POST" and request.path.endswith(("/feed", "/comments")) and not request.values.get("message"):
        return ["(#100) Missing message or attachment"]
    return []
