"""What a camera or a person wrote into a picture does not leave with it, whichever stock client sends it, and the pixels do."""

import importlib
import pkgutil
import random
import struct
import zlib

import calls
import pytest
import words

WRITTEN = f"Mrs. {words.FIRST} {words.LAST}, MRN {words.MRN}"


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def picture(*more):
    """A picture of noise, 32 by 32, with more chunks before its pixels. One of a single pixel with a long comment would be mostly
    words, and be read as words."""
    noise = random.Random(4)
    rows = b"".join(b"\0" + noise.randbytes(32 * 4) for _ in range(32))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 6, 0, 0, 0))
    return b"".join([b"\x89PNG\r\n\x1a\n", header, *more, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")])


CLEAN = picture()
MARKED = picture(chunk(b"tEXt", b"Comment\0" + WRITTEN.encode()))
MODULES = [importlib.import_module(f"calls.{module.name}") for module in pkgutil.iter_modules(calls.__path__)]
# What Node's libraries send is their own script's.
CALLS = [call for call in calls.all_calls() if call.media and call.language == "Python"]


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_metadata_stays_and_pixels_go(world, monkeypatch, call):
    for module in MODULES:
        if hasattr(module, "PNG"):
            monkeypatch.setattr(module, "PNG", MARKED)
    sent = world.through(lambda: call.make(call.clean()))
    assert sent.error is None, f"{sent.error!r}, {sent.faults}"
    pictures = [request for request in sent.arrived if b"\x89PNG" in request.body]
    assert pictures != []
    for request in pictures:
        assert words.LAST.encode() not in request.body and words.MRN.encode() not in request.body
        assert CLEAN[CLEAN.index(b"IDAT") :] in request.body, "the pixels are as they were"
        assert int(request.header("content-length")) == len(request.body)
    _check_lengths(sent)


def _check_lengths(sent):
    """A length that was said before is the length that came."""
    for request in sent.posts:
        if request.path == "/api/files.getUploadURLExternal":
            [file] = [upload for upload in sent.posts if upload.host == "files.slack.com"]
            assert int(request.values["length"]) == len(file.body)
        if request.path == "/1.1/media/upload.json" and request.values.get("command") == "INIT":
            pieces = [piece for piece in sent.posts if piece is not request and piece.values.get("command") == "APPEND"]
            assert int(request.values["total_bytes"]) == sum(len(piece.parts["media"][1]) for piece in pieces)
        if length := request.header("x-upload-content-length"):
            [file] = [upload for upload in sent.posts if upload.method == "PUT"]
            assert int(length) == len(file.body)
