"""discord.py, harder: polls, forum threads, edits, and a webhook's embeds."""

import datetime

import discord
from platforms import discord as platform

from . import Call
from .discord_py import KNOWN, NONCE, WEBHOOK, run


def poll(words):
    made = discord.Poll(words["question"], duration=datetime.timedelta(hours=1))
    made.add_answer(text=words["answer"])
    made.add_answer(text="no")
    return run(lambda channel: channel.send("which?", poll=made))


def edit(words):
    return run(lambda channel: channel.get_partial_message(5).edit(content=words["text"], embed=discord.Embed(title="t").set_footer(text=words["footer"])))


def webhook(words):
    embed = discord.Embed(description=words["description"]).set_author(name=words["author"])
    made = discord.SyncWebhook.from_url(WEBHOOK)
    return made.edit_message(7, content=words["text"], embed=embed)


def sent_as(requests):
    return platform.message(requests[-1])


CALLS = [
    Call(
        **KNOWN,
        recorded=False,
        name="poll",
        make=poll,
        fields={
            "question": lambda requests: sent_as(requests)["poll"]["question"]["text"],
            "answer": lambda requests: sent_as(requests)["poll"]["answers"][0]["poll_media"]["text"],
        },
        short=frozenset({"answer"}),
        volatile=(NONCE,),
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="edit",
        make=edit,
        fields={
            "text": lambda requests: sent_as(requests)["content"],
            "footer": lambda requests: sent_as(requests)["embeds"][0]["footer"]["text"],
        },
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="webhook's edit",
        make=webhook,
        fields={
            "text": lambda requests: sent_as(requests)["content"],
            "description": lambda requests: sent_as(requests)["embeds"][0]["description"],
            "author": lambda requests: sent_as(requests)["embeds"][0]["author"]["name"],
        },
        short=frozenset({"author"}),
    ),
]
