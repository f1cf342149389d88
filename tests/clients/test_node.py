"""What the Node clients do beside their recorded calls: where a session leads them, and what a picture in several pieces comes to."""

import conftest
import house
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


def in_pieces():
    return call("x_v1_media")({"alt text": words.CLEAN, "rows": 2500})


def test_a_picture_in_several_pieces_is_refused(world):
    """Metadata cannot be taken out of a piece; the shipped policy lets none go, and its user reads so."""
    sent = world.through(in_pieces)
    assert "Nothing was sent" in str(sent.error), sent.error
    assert pieces(sent) == {}


def test_a_picture_in_several_pieces_arrives_whole_where_the_policy_lets_it(world_with_pieces):
    """Each piece after the first begins like nothing known, and none has a file name. They come in any order."""
    direct, through = world_with_pieces.direct(in_pieces), world_with_pieces.through(in_pieces)
    assert through.error is None, through.error
    assert pieces(through) == pieces(direct)
    picture = b"".join(piece for _, piece in sorted(pieces(through).items()))
    assert len(pieces(through)) == 3 and picture.startswith(b"\x89PNG") and picture[-8:-4] == b"IEND"


@pytest.fixture(scope="module")
def world_with_pieces(tmp_path_factory, platform, upstreams, mock_port):
    policy = (house.REPOSITORY / "config" / "policy.toml").read_text()
    with_pieces = policy.replace('pieces = "block"', 'pieces = "allow"')
    assert with_pieces != policy
    proxy = house.Postward(tmp_path_factory.mktemp("with-pieces"), upstreams, platform.ca_file, policy=with_pieces).start()
    yield conftest.World(platform, proxy, mock_port)
    assert proxy.stop() == 0


def pieces(sent):
    """The pieces of an upload by their number."""
    appended = [request.parts for request in sent.posts if b'name="media"' in request.body]
    return {int(parts["segment_index"][1]): parts["media"][1] for parts in appended}
