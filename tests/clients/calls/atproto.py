"""atproto: posts whose tags are byte ranges into the text."""

from atproto import Client, client_utils
from atproto_client.exceptions import UnauthorizedError
from platforms import bluesky

from . import PNG, Call, posted, version_of


def client():
    signed_in = Client(base_url="https://bsky.social")
    signed_in.get_current_time_iso = lambda: "2026-01-02T03:04:05.678Z"
    signed_in.login("clinic.test", "pw")
    return signed_in


def tagged(text):
    return client_utils.TextBuilder().tag("#夜勤", "夜勤").text(f" {text} ").tag("#Nursing", "Nursing")


def post(words):
    return client().send_post(tagged(words["text"]))


def image(words):
    return client().send_image(tagged(words["text"]), PNG, words["alt text"])


def record(requests):
    return requests[-1].json["record"]


def check(sent):
    assert bluesky.facets(record(sent.posts)) == {"#夜勤": "夜勤", "#Nursing": "Nursing"}


def check_image(sent):
    check(sent)
    assert next(request.body for request in sent.posts if request.path.endswith("uploadBlob")) == PNG
    assert record(sent.posts)["embed"]["images"][0]["image"]["ref"]["$link"] == bluesky.CID


def shown(sent):
    content = posted(sent.error, UnauthorizedError).response.content
    assert " " not in content.error, "a Bluesky error code is one word"
    return content.message


KNOWN = {
    "client": "atproto",
    "version": version_of("atproto"),
    "platform": "bluesky",
    "shown": shown,
    "shown_in": "`UnauthorizedError.response.content.message`",
}
CALLS = [
    Call(**KNOWN, name="post", make=post, fields={"text": lambda requests: record(requests)["text"]}, check=check),
    Call(
        **KNOWN,
        name="post with a picture",
        media=True,
        make=image,
        fields={
            "text": lambda requests: record(requests)["text"],
            "alt text": lambda requests: record(requests)["embed"]["images"][0]["alt"],
        },
        check=check_image,
    ),
]
