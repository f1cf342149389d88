"""Tumblr's legacy posts."""

NAME = "tumblr"
HOSTS = ["api.tumblr.com"]

ANSWERS = [
    (r"POST \S+ /v2/blog/[^/]+/post", 201, {"meta": {"status": 201, "msg": "Created"}, "response": {"id": 1, "id_string": "1"}}),
]
