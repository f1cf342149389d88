"""The clock is put back and leaps ahead under a running proxy: libfaketime tells it another time of day, and leaves alone the clock
that only goes on, as setting a machine's clock does."""

import ssl
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import house
import pytest
from test_crash import _context, _post

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed (Debian: faketime)")

DAY = 86_400


def test_no_clock_breaks_the_chain_or_keeps_a_wrong_certificate(tmp_path, platform, monkeypatch):
    upstreams = [(["mastodon.example"], "mastodon", f"http://127.0.0.1:{platform.plain_port}")]
    proxy = house.Postward(tmp_path, upstreams, platform.ca_file)
    offset = tmp_path / "offset"
    offset.write_text("+0")
    monkeypatch.setenv("LD_PRELOAD", str(LIBRARY))
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(offset))
    monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    monkeypatch.setenv("DONT_FAKE_MONOTONIC", "1")
    proxy.start()
    monkeypatch.delenv("LD_PRELOAD")
    platform.take()

    wanted = []
    moves = [(0, None), (-0.5, None), (-30, None), (400, "not yet valid"), (0, None), (-3000, "expired"), (0, None)]
    for number, (days, distrust) in enumerate(moves, 1):
        offset.write_text(f"{round(days * DAY):+d}")
        context = _context(proxy)
        if distrust:
            # The leaf is of the proxy's own day, which to us has not come yet, or is long past.
            with pytest.raises(ssl.SSLCertVerificationError, match=distrust):
                _post(proxy, number, context)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        _post(proxy, number, context)
        wanted.append(datetime.now(timezone.utc) + timedelta(days=days))
    assert len(platform.take()) == len(wanted)
    assert "ready" in proxy.admin("readyz")
    began = time.monotonic()
    assert proxy.stop() == 0
    assert time.monotonic() - began < 25, "it drains by a clock that nobody can set"

    decided = [event for event in proxy.all_events() if event.get("verdict") == "forward"]
    assert len(decided) == len(wanted)
    for event, due in zip(decided, wanted):
        written = datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
        assert abs(written - due) < timedelta(minutes=5), f"{written} is not {due}"
    house.run("audit", "verify", proxy.audit_file)
