"""atproto, harder: threads in one batch, profiles, lists, direct messages, links over names, several pictures."""

from atproto import client_utils, models
from platforms import bluesky

from . import PNG, Call
from .atproto import KNOWN, check, client, record, tagged


def several(words):
    return client().send_images(tagged(words["text"]), [PNG, PNG], [words["alt text"], words["second alt text"]])


def profile(words):
    signed_in = client()
    record = models.AppBskyActorProfile.Record(display_name=words["name"], description=words["bio"])
    data = models.ComAtprotoRepoPutRecord.Data(collection="app.bsky.actor.profile", repo=signed_in.me.did, rkey="self", record=record)
    return signed_in.com.atproto.repo.put_record(data)


def named_list(words):
    signed_in = client()
    facets = client_utils.TextBuilder().tag("#夜勤", "夜勤").text(f" {words['description']} ").tag("#Nursing", "Nursing")
    listed = models.AppBskyGraphList.Record(
        name=words["name"],
        purpose="app.bsky.graph.defs#curatelist",
        description=facets.build_text(),
        description_facets=facets.build_facets(),
        created_at=signed_in.get_current_time_iso(),
    )
    return signed_in.app.bsky.graph.list.create(signed_in.me.did, listed)


def direct_message(words):
    chat = client().with_bsky_chat_proxy().chat.bsky.convo
    text = client_utils.TextBuilder().tag("#夜勤", "夜勤").text(f" {words['text']} ").tag("#Nursing", "Nursing")
    message = models.ChatBskyConvoDefs.MessageInput(text=text.build_text(), facets=text.build_facets())
    return chat.send_message(models.ChatBskyConvoSendMessage.Data(convo_id="c1", message=message))


def card(words):
    embed = models.AppBskyEmbedExternal.Main(
        external=models.AppBskyEmbedExternal.External(uri="https://example.org/a", title=words["title"], description=words["description"])
    )
    return client().send_post("see below", embed=embed)


def captions(words):
    return client().upload_blob(f"WEBVTT\n\n00:01.000 --> 00:04.000\n{words['caption']}\n".encode())


def check_captions(sent):
    assert sent.posts[-1].body.decode().startswith("WEBVTT\n\n00:01.000 --> 00:04.000\n")


def external(requests):
    return record(requests)["embed"]["external"]


def check_list(sent):
    listed = record(sent.posts)
    assert bluesky.facets({"text": listed["description"], "facets": listed["descriptionFacets"]}) == {"#夜勤": "夜勤", "#Nursing": "Nursing"}


def check_message(sent):
    message = sent.posts[-1].json["message"]
    assert bluesky.facets(message) == {"#夜勤": "夜勤", "#Nursing": "Nursing"}, message


CALLS = [
    Call(
        **KNOWN,
        recorded=False,
        name="post with two pictures",
        media=True,
        make=several,
        fields={
            "text": lambda requests: record(requests)["text"],
            "alt text": lambda requests: record(requests)["embed"]["images"][0]["alt"],
            "second alt text": lambda requests: record(requests)["embed"]["images"][1]["alt"],
        },
        check=check,
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="profile",
        make=profile,
        fields={"name": lambda requests: record(requests)["displayName"], "bio": lambda requests: record(requests)["description"]},
        short=frozenset({"name"}),
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="list",
        make=named_list,
        fields={"name": lambda requests: record(requests)["name"], "description": lambda requests: record(requests)["description"]},
        short=frozenset({"name"}),
        check=check_list,
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="direct message",
        make=direct_message,
        fields={"text": lambda requests: requests[-1].json["message"]["text"]},
        check=check_message,
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="link card",
        make=card,
        fields={"title": lambda requests: external(requests)["title"], "description": lambda requests: external(requests)["description"]},
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="captions",
        make=captions,
        fields={"caption": lambda requests: requests[-1].body.decode()},
        check=check_captions,
    ),
]
