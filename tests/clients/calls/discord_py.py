"""discord.py: a bot over aiohttp, with JSON or with JSON in a part that calls itself text, and a webhook over requests."""

import asyncio
import io
import os
import ssl

import aiohttp
import discord
import words as posts
from platforms import discord as platform

from . import PNG, Call, posted, version_of

WEBHOOK = "https://discord.com/api/webhooks/123456789012345678/" + "a" * 68


def run(call):
    async def with_client():
        # aiohttp reads the CA's file once, when it is imported; the tests go two ways.
        trust = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
        client = discord.Client(intents=discord.Intents.none(), connector=aiohttp.TCPConnector(ssl=trust))
        try:
            await client.login("tok")
            return await call(client.get_partial_messageable(1))
        finally:
            await client.close()

    return asyncio.run(with_client())


def message(words):
    embed = discord.Embed(title=words["title"], description=words["description"])
    embed.add_field(name=words["field's name"], value=words["field's value"])
    return run(lambda channel: channel.send(words["text"], embed=embed))


def with_file(words):
    def send(channel):
        return channel.send(words["text"], file=discord.File(io.BytesIO(PNG), f"{words['file name']}.png", description=words["alt text"]))

    return run(send)


def webhook(words):
    return discord.SyncWebhook.from_url(WEBHOOK).send(words["text"], username=words["name"])


def sent_as(requests):
    return platform.message(requests[-1])


def check_file(sent):
    file_name, content = sent.posts[-1].parts["files[0]"]
    assert content == PNG
    [attachment] = sent_as(sent.posts)["attachments"]
    assert attachment["id"] == 0
    assert posts.FIRST not in file_name and posts.FIRST not in attachment["filename"] and file_name.endswith(".png")


def shown(sent):
    error = posted(sent.error, discord.HTTPException)
    assert (error.status, error.code) == (400, 200000)
    assert error.text in str(error)
    return error.text


KNOWN = {
    "client": "discord.py",
    "version": version_of("discord.py"),
    "platform": "discord",
    "shown": shown,
    "shown_in": "`HTTPException.text`",
}
NONCE = rb'"nonce":"\d+"'
CALLS = [
    Call(
        **KNOWN,
        name="message with an embed",
        make=message,
        fields={
            "text": lambda requests: sent_as(requests)["content"],
            "title": lambda requests: sent_as(requests)["embeds"][0]["title"],
            "description": lambda requests: sent_as(requests)["embeds"][0]["description"],
            "field's name": lambda requests: sent_as(requests)["embeds"][0]["fields"][0]["name"],
            "field's value": lambda requests: sent_as(requests)["embeds"][0]["fields"][0]["value"],
        },
        volatile=(NONCE,),
    ),
    Call(
        **KNOWN,
        name="message with a file",
        media=True,
        make=with_file,
        fields={
            "text": lambda requests: sent_as(requests)["content"],
            "alt text": lambda requests: sent_as(requests)["attachments"][0]["description"],
            "file name": lambda requests: sent_as(requests)["attachments"][0]["filename"],
        },
        short=frozenset({"file name"}),
        volatile=(NONCE,),
        check=check_file,
    ),
    Call(
        **KNOWN,
        name="webhook",
        make=webhook,
        fields={"text": lambda requests: sent_as(requests)["content"], "name": lambda requests: sent_as(requests)["username"]},
        short=frozenset({"name"}),
    ),
]
