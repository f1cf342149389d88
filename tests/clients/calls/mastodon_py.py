"""Mastodon.py: forms, JSON where there is a list, multipart for pictures, and a PATCH for the profile."""

from mastodon import Mastodon
from mastodon.errors import MastodonAPIError

from . import PNG, Call, posted, version_of


def client():
    return Mastodon(access_token="tok", api_base_url="https://mastodon.example", version_check_mode="none", request_timeout=30)


def status(words):
    return client().status_post(words["text"], spoiler_text=words["warning"], language="en", idempotency_key="k1")


def poll(words):
    return client().status_post(words["text"], poll=client().make_poll([words["option"], "no"], 3600))


def media(words):
    mastodon = client()
    picture = mastodon.media_post(PNG, mime_type="image/png", description=words["alt text"], file_name="garden.png")
    mastodon.media_update(picture, description=words["new alt text"])
    attributes = [mastodon.generate_media_edit_attributes(9, description=words["edited alt text"])]
    mastodon.status_update("10", words["edited text"], spoiler_text=words["warning"], media_attributes=attributes)
    return mastodon.account_update_credentials(note=words["bio"], display_name=words["name"], fields=[("work", words["profile field"])])


def profile_field(requests):
    return next(value for key, value in requests[3].values.items() if key.startswith("fields_attributes") and key.endswith("[value]"))


def check_media(sent):
    assert sent.posts[0].parts["file"] == ("garden.png", PNG), "the picture is not touched"
    [attribute] = sent.posts[2].json["media_attributes"]
    assert str(attribute["id"]) == "9"


def check_poll(sent):
    assert sent.posts[0].json["poll"]["options"][1] == "no"


def shown(sent):
    return posted(sent.error, MastodonAPIError).args[3]


KNOWN = {
    "client": "Mastodon.py",
    "version": version_of("Mastodon.py"),
    "platform": "mastodon",
    "shown": shown,
    "shown_in": "`MastodonAPIError`",
}
CALLS = [
    Call(
        **KNOWN,
        name="status",
        make=status,
        fields={"text": lambda requests: requests[0].form["status"], "warning": lambda requests: requests[0].form["spoiler_text"]},
    ),
    Call(
        **KNOWN,
        name="poll",
        make=poll,
        fields={"text": lambda requests: requests[0].json["status"], "option": lambda requests: requests[0].json["poll"]["options"][0]},
        short=frozenset({"option"}),
        check=check_poll,
    ),
    Call(
        **KNOWN,
        name="picture with edit and profile",
        media=True,
        make=media,
        fields={
            "alt text": lambda requests: requests[0].values["description"],
            "new alt text": lambda requests: requests[1].values["description"],
            "edited text": lambda requests: requests[2].json["status"],
            "warning": lambda requests: requests[2].json["spoiler_text"],
            "edited alt text": lambda requests: requests[2].json["media_attributes"][0]["description"],
            "bio": lambda requests: requests[3].values["note"],
            "name": lambda requests: requests[3].values["display_name"],
            "profile field": profile_field,
        },
        short=frozenset({"name"}),
        check=check_media,
    ),
]
