"""What the Node clients do beside their recorded calls: where a session leads them, and what a picture in several pieces comes to."""

import pytest
import words
from node_client import NodeError, call
from platforms import bluesky


def test_without_the_proxy_the_session_leads_away(world, platform):
    world.lead(platform.tls_port, platform.ca_file)
    with pytest.raises(NodeError) as raised:
        call("bluesky_post")({"text": words.CLEAN})
    assert any("resolves no such name: leads-away.example" in cause for cause in raised.value.causes), raised.value.__dict__


def test_through_the_proxy_it_leads_nowhere_else(world):
    sent = world.through(lambda: call("bluesky_post")({"text": words.CLEAN}))
    assert sent.error is None, sent.error
    assert bluesky.LEADS_AWAY.startswith("https://leads-away.")
    assert [request.path.rpartition(".")[2] for request in sent.posts] == ["createSession", "createRecord"]


def test_a_picture_in_several_pieces_arrives_whole(world):
    """Each piece after the first begins like nothing known, and none has a file name. They come in any order."""

    def upload():
        return call("x_v1_media")({"alt text": words.CLEAN, "rows": 2500})

    direct, through = world.direct(upload), world.through(upload)
    assert through.error is None, through.error
    assert pieces(through) == pieces(direct)
    picture = b"".join(piece for _, piece in sorted(pieces(through).items()))
    assert len(pieces(through)) == 3 and picture.startswith(b"\x89PNG") and picture[-8:-4] == b"IEND"


def pieces(sent):
    """The pieces of an upload by their number."""
    appended = [request.parts for request in sent.posts if b'name="media"' in request.body]
    return {int(parts["segment_index"][1]): parts["media"][1] for parts in appended}
