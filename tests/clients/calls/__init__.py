"""What the platforms' own libraries do, each call as one thing that can be made with any words.

36 calls are those of the recorded facts (what they put on the wire, and how they take a refusal); the files named `.._more` hold
others of the same libraries, in shapes that are harder to read and to edit.

A file here holds the calls of one client and lists them as CALLS. `test_calls.py` makes each of them with
clean words, with a name in every field, and with a number in each field in turn; `table.py` writes what came of it.
"""

import importlib
import importlib.metadata
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field

import words as posts


# A picture of one pixel, with no metadata to strip.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000b4944415478da636000020000050001e9fadcd80000000049454e44ae426082"
)


@dataclass(frozen=True)
class Call:
    """One call of one client."""

    # The library and its version; the platform, as postward's routes name it; what the call does, for people: «post a message».
    client: str
    version: str
    platform: str
    name: str
    # Makes the call, with the words of each field, and returns what the library returns.
    make: Callable[[dict], object]
    # Each field of words, and how its text is read from the requests that arrived at the stand-in (those that are no GETs).
    fields: dict[str, Callable[[list], str]]
    # What a user sees of a refusal (of a `conftest.Sent`), and where: «`SlackApiError.response["error"]`».
    shown: Callable[[object], str]
    shown_in: str
    language: str = "Python"
    # Fields with room for few words: a poll's options.
    short: frozenset = frozenset()
    # Fields that cannot be edited (a form or query that OAuth 1.0a signs): what should be redacted there is refused, and shown.
    sealed: frozenset = frozenset()
    # What a library draws anew for each call, within a body or target: equal but for these.
    volatile: tuple[bytes, ...] = ()
    # What else must hold of a redacted post (of a `conftest.Sent`): ranges point at their words, other fields are as they were.
    check: Callable[[object], None] = field(default=lambda sent: None)
    # Whether it carries a picture or a film, which a policy may refuse.
    media: bool = False
    # For the record, such as what could not be tried.
    note: str = ""
    # Whether it is one of the 36 of the recorded facts; the others are harder shapes of the same clients.
    recorded: bool = True

    def __str__(self):
        return f"{self.client} {self.name}".replace(" ", "-")

    def clean(self):
        return {name: posts.CLEAN_SHORT if name in self.short else posts.CLEAN for name in self.fields}

    def named(self):
        return self.clean() | {
            name: posts.NAMED_SHORT if name in self.short else posts.NAMED for name in self.fields if name not in self.sealed
        }

    def named_in(self, field_name):
        return self.clean() | {field_name: posts.NAMED}

    def numbered(self, in_field):
        return self.clean() | {in_field: posts.NUMBERED_SHORT if in_field in self.short else posts.NUMBERED}


def version_of(distribution):
    """The installed version of a Python library."""
    return importlib.metadata.version(distribution)


def posted(error, kind):
    """The error a refusal must raise; anything else is shown as it is."""
    assert isinstance(error, kind), f"{type(error).__mro__}: {error!r}"
    return error


def all_calls():
    modules = sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name)
    return [call for module in modules for call in importlib.import_module(f"{__name__}.{module.name}").CALLS]
