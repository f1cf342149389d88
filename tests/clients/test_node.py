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
    """Each piece after the first begins like nothing known, and has no file name."""
    sent = world.through(lambda: call("x_v1_media")({"alt text": words.CLEAN, "padding": 2_500_000}))
    assert sent.error is None, sent.error
    *uploads, alt_text = sent.posts
    pieces = [upload.parts["media"][1] for upload in uploads if "media" in upload.parts]
    assert len(pieces) == 3 and sum(map(len, pieces)) == 2_500_000 + 70
    assert alt_text.json["alt_text"]["text"] == words.CLEAN
