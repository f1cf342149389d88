"""Every recorded call of every recorded client, through the real binary over TLS: clean, redacted and blocked.

A clean post arrives byte for byte; a redacted one is valid at the stand-in, with its offsets at their words; a blocked one shows
the sentence where a user sees it, in one attempt. The calls are in `calls/`.
"""

import re

import calls
import house
import pytest
import record
import words

CALLS = calls.all_calls()
# One blocked post for each field, since each may be sent by a request of its own.
BLOCKED = [pytest.param(call, name, id=f"{call}-{name}".replace(" ", "-")) for call in CALLS for name in call.fields]
SEALED = [pytest.param(call, name, id=f"{call}-{name}".replace(" ", "-")) for call in CALLS for name in call.fields if name in call.sealed]
SENTENCE = re.compile(r"Blocked by hospital policy: this post seems to contain [a-z ,-]+\. Nothing was sent\. \(ref [a-z2-7]{8}\)")


def test_all_recorded_calls_are_driven():
    recorded = [call.language for call in CALLS if call.recorded]
    assert (recorded.count("Python"), recorded.count("Node")) == (27, 9)
    assert len({str(call) for call in CALLS}) == len(CALLS)


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_clean_post_arrives_byte_for_byte(world, calls_record, call):
    line = calls_record.line(call)
    line["clean"] = record.FAILED
    sent = world.same(lambda: call.make(call.clean()), call.volatile)
    assert sent.posts != [] and sent.n_at_proxy == len(sent.arrived)
    _check_understood(sent)
    line["clean"] = "same"


@pytest.mark.parametrize("call", [call for call in CALLS if set(call.fields) - call.sealed], ids=str)
def test_a_redacted_post_is_valid(world, calls_record, call):
    line = calls_record.line(call)
    line["redacted"] = record.FAILED
    sent = world.through(lambda: call.make(call.named()))
    assert sent.error is None, f"{sent.error!r}, {sent.faults}"
    assert sent.faults == [], "the platform would refuse it"
    for name, text_of in call.fields.items():
        text = text_of(sent.posts)
        if name in call.sealed:
            assert text == call.clean()[name]
            continue
        assert words.is_nameless(text) if name in call.short else words.is_redacted(text), (name, text)
    assert _is_nameless(sent), "a name stands somewhere else"
    call.check(sent)
    for request in sent.posts:
        assert "chunked" in (request.header("transfer-encoding") or "") or int(request.header("content-length")) == len(request.body)
    _check_understood(sent)
    assert "redact" in {event["verdict"] for event in sent.decisions} and _blocks(sent) == []
    line["redacted"] = "valid"


@pytest.mark.parametrize("call, in_field", SEALED)
def test_a_post_that_cannot_be_redacted_is_blocked_and_shown(world, calls_record, call, in_field):
    line = calls_record.line(call)
    before = line["sealed"]
    line["sealed"] = record.FAILED
    sent = world.through(lambda: call.make(call.named_in(in_field)))
    assert _is_nameless(sent)
    [event] = _blocks(sent)
    assert event["fault"].startswith("cannot redact"), event
    assert sent.decisions[-1] is event and sent.n_at_proxy == len(sent.arrived) + 1, "nothing was tried after it"
    _check_sentence(call.shown(sent), event)
    line["sealed"] = "shown" if before in (None, "shown") else before


@pytest.mark.parametrize("call, in_field", BLOCKED)
def test_a_blocked_post_shows_the_sentence_once(world, calls_record, call, in_field):
    line = calls_record.line(call)
    before = line["blocked"]
    line["blocked"] = record.FAILED
    sent = world.through(lambda: call.make(call.numbered(in_field)))
    assert not _stands(words.SSN, sent) and not _stands(words.MRN, sent), "it arrived"
    blocks = _blocks(sent)
    line["attempts"] = max(line["attempts"] or 0, sent.n_at_proxy - len(sent.arrived))
    [event] = blocks
    assert sent.decisions[-1] is event and sent.n_at_proxy == len(sent.arrived) + 1, "nothing was tried after it"
    _check_understood(sent)
    _check_sentence(call.shown(sent), event)
    line["blocked"] = "shown" if before in (None, "shown") else before


def _check_sentence(shown, event):
    found = SENTENCE.search(shown)
    assert found, f"the sentence is not shown: {shown!r}"
    assert house.reference(found.group()) in event.values(), event


def _check_understood(sent):
    assert [event for event in sent.decisions if "coverage" in event] == [], "a call of a stock client is no unknown one"


def _blocks(sent):
    return [event for event in sent.decisions if event["verdict"] == "block"]


def _is_nameless(sent):
    return not _stands(words.FIRST, sent) and not _stands(words.LAST, sent)


def _stands(word, sent):
    """Whether a word stands in what arrived, in any request. It has no letter that any encoding would write otherwise."""
    return any(word in request.target or word.encode() in request.body for request in sent.arrived)
