"""A hospital that lets no pictures out: every call that carries one is refused, once, and its user reads why."""

import calls
import conftest
import house
import pytest

CALLS = [call for call in calls.all_calls() if call.media]


@pytest.fixture(scope="module")
def world_without_media(tmp_path_factory, platform, upstreams, mock_port):
    policy = (house.REPOSITORY / "config" / "policy.toml").read_text()
    without_media = policy.replace('[media]\ndefault = "strip-metadata"', '[media]\ndefault = "block"')
    assert without_media != policy
    proxy = house.Postward(tmp_path_factory.mktemp("without-media"), upstreams, platform.ca_file, policy=without_media).start()
    yield conftest.World(platform, proxy, mock_port)
    assert proxy.stop() == 0


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_picture_is_refused_and_the_sentence_is_shown_once(world_without_media, call):
    sent = world_without_media.through(lambda: call.make(call.clean()))
    assert not any(calls.PNG in request.body for request in sent.arrived), "it arrived"
    [event] = [event for event in sent.decisions if event["verdict"] == "block"]
    assert sent.decisions[-1] is event and sent.n_at_proxy == len(sent.arrived) + 1, "nothing was tried after it"
    shown = call.shown(sent)
    assert "pictures" in shown and house.reference(shown) in event.values(), shown
