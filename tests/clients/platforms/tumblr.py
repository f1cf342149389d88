"""Tumblr's legacy posts."""

NAME = "tumblr"
HOSTS = ["api.tumblr.com"]

ANSWERS = [
    (r"GET \S+ /v2/tagged", 200, {"meta": {"status": 200, "msg": "OK"}, "response": []}),
    (r"POST \S+ /v2/blog/[^/]+/post", 201, {"meta": {"status": 201, "msg": "Created"}, "response": {"id": 1, "id_string": "1"}}),
]
