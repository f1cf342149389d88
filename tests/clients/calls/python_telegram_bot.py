"""python-telegram-bot: forms and multipart, with JSON in them that points into the text by units of UTF-16."""

import asyncio

import telegram
import words as posts
from platforms import telegram as platform

from . import PNG, Call, posted, version_of

NAME = f"{posts.FIRST} {posts.LAST}"


def marks(text):
    """The second and the last word, in the units that Telegram counts, and the name if it is there."""
    words = {text.split()[1]: "bold", text.split()[-1]: "italic"} | ({NAME: "underline"} if NAME in text else {})
    return [telegram.MessageEntity(kind, _units(text[: text.index(word)]), _units(word)) for word, kind in words.items()]


def _units(text):
    return len(text.encode("utf-16-le")) // 2


def run(call):
    async def with_bot():
        async with telegram.Bot("1:AA") as bot:
            return await call(bot)

    return asyncio.run(with_bot())


def message(words):
    return run(lambda bot: bot.send_message(1, words["text"], entities=marks(words["text"])))


def photo(words):
    return run(lambda bot: bot.send_photo(1, PNG, caption=words["caption"], caption_entities=marks(words["caption"])))


def check_marks(values, text, entities):
    """What the marks stand on is as it was; the one on the name is gone with it."""
    words = posts.NAMED.split()
    assert platform.marked(values, text, entities) == {words[1]: "bold", words[-1]: "italic"}


def check_photo(sent):
    check_marks(sent.posts[-1].values, "caption", "caption_entities")
    assert sent.posts[-1].parts["photo"][1] == PNG


def shown(sent):
    return str(posted(sent.error, telegram.error.Forbidden))


KNOWN = {
    "client": "python-telegram-bot",
    "version": version_of("python-telegram-bot"),
    "platform": "telegram",
    "shown": shown,
    "shown_in": "text of `Forbidden`",
}
CALLS = [
    Call(
        **KNOWN,
        name="message",
        make=message,
        fields={"text": lambda requests: requests[-1].values["text"]},
        check=lambda sent: check_marks(sent.posts[-1].values, "text", "entities"),
    ),
    Call(
        **KNOWN,
        name="photo",
        media=True,
        make=photo,
        fields={"caption": lambda requests: requests[-1].values["caption"]},
        check=check_photo,
    ),
]
