"""python-telegram-bot, harder: words within markup, a name that markup cuts, polls, albums, buttons."""

import json

import telegram
import words as posts
from telegram.constants import ParseMode

from . import PNG, Call
from .python_telegram_bot import KNOWN, run


def html(words):
    text = words["text"].replace(posts.FIRST, f"<b>{posts.FIRST}</b>")
    return run(lambda bot: bot.send_message(1, f"<i>Today</i>: {text}", parse_mode=ParseMode.HTML))


def markdown(words):
    text = telegram.helpers.escape_markdown(words["text"], version=2).replace(posts.FIRST, f"*{posts.FIRST}*")
    return run(lambda bot: bot.send_message(1, f"_Today_: {text}", parse_mode=ParseMode.MARKDOWN_V2))


def poll(words):
    async def send(bot):
        return await bot.send_poll(1, words["question"], [words["option"], "no"], explanation=words["explanation"], type="quiz", correct_option_ids=[1])

    return run(send)


def album(words):
    media = [telegram.InputMediaPhoto(PNG, caption=words["caption"]), telegram.InputMediaPhoto(PNG, caption=words["second caption"])]
    return run(lambda bot: bot.send_media_group(1, media))


def buttons(words):
    keyboard = telegram.InlineKeyboardMarkup([[telegram.InlineKeyboardButton(words["button"], url="https://example.org/a")]])
    return run(lambda bot: bot.edit_message_text(words["text"], chat_id=1, message_id=2, reply_markup=keyboard))


def form(requests):
    return requests[-1].values


def unescaped(text):
    return text.replace("\\", "")


def check_markdown(sent):
    text = form(sent.posts)["text"]
    assert text.startswith("_Today_: ") and "\\[name\\]" in text, "the marker's brackets are escaped, or Telegram refuses the message"


CALLS = [
    Call(**KNOWN, recorded=False, name="HTML", make=html, fields={"text": lambda requests: form(requests)["text"]}),
    Call(
        **KNOWN,
        recorded=False,
        name="MarkdownV2",
        make=markdown,
        fields={"text": lambda requests: unescaped(form(requests)["text"])},
        check=check_markdown,
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="poll",
        make=poll,
        fields={
            "question": lambda requests: form(requests)["question"],
            "option": lambda requests: json.loads(form(requests)["options"])[0]["text"],
            "explanation": lambda requests: form(requests)["explanation"],
        },
        short=frozenset({"option"}),
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="album",
        media=True,
        make=album,
        fields={
            "caption": lambda requests: json.loads(form(requests)["media"])[0]["caption"],
            "second caption": lambda requests: json.loads(form(requests)["media"])[1]["caption"],
        },
        volatile=(rb"attached\w+",),
    ),
    Call(
        **KNOWN,
        recorded=False,
        name="edit with a button",
        make=buttons,
        fields={
            "text": lambda requests: form(requests)["text"],
            "button": lambda requests: json.loads(form(requests)["reply_markup"])["inline_keyboard"][0][0]["text"],
        },
        short=frozenset({"button"}),
    ),
]
