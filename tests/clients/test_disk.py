"""A disk that is really full, and one that is read-only: a small one of memory, which takes root rights to mount."""

import os
import subprocess

import house
import pytest
import words
from test_crash import _context, _post

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root rights")


@pytest.fixture
def disk(tmp_path):
    """A disk of 256 KiB, and how to mount it again otherwise."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "postward-test", folder], capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")

    mount("size=256k")
    try:
        yield folder, mount
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False)


def _proxy(tmp_path, platform, folder):
    upstreams = [(["mastodon.example"], "mastodon", f"http://127.0.0.1:{platform.plain_port}")]
    proxy = house.Postward(tmp_path, upstreams, platform.ca_file)
    proxy.audit_file = folder / "audit.jsonl"
    proxy.config.write_text(proxy.config.read_text().replace('file = "audit.jsonl"', 'file = "disk/audit.jsonl"'))
    return proxy


def _answered(proxy, number):
    try:
        _post(proxy, number, _context(proxy))
    except OSError:
        raise
    except Exception as refusal:  # noqa: BLE001 -- anything but 200
        assert "not forwarded" in str(refusal)
        return False
    return True


def test_a_full_disk_refuses_until_there_is_room_again(tmp_path, platform, disk):
    folder, _ = disk
    filler = folder / "filler"
    proxy = _proxy(tmp_path, platform, folder).start()
    platform.take()
    with filler.open("wb", buffering=0) as file:
        assert _answered(proxy, 1)
        try:
            while True:
                file.write(b"\0" * 512)
        except OSError:
            pass
    # What is left of the file's last page takes a few lines more.
    answered = [_answered(proxy, number) for number in range(2, 40)]
    assert not any(answered[-5:])
    assert len(platform.take()) == 1 + sum(answered)
    filler.unlink()
    assert _answered(proxy, 40)
    assert proxy.stop() == 0
    assert [event for event in proxy.all_events() if event["event"] == "lost"], "the chain says how many are missing"
    forwarded = [event for event in proxy.all_events() if event.get("verdict") == "forward"]
    assert len(forwarded) == 2 + sum(answered)
    house.run("audit", "verify", proxy.audit_file)
    assert words.CLEAN_PRAISE not in proxy.audit_file.read_text()


def test_a_read_only_disk_starts_nothing(tmp_path, platform, disk):
    folder, mount = disk
    proxy = _proxy(tmp_path, platform, folder)
    mount("remount", "ro")
    platform.take()
    with pytest.raises(AssertionError, match="cannot open the audit file"):
        proxy.start()
    assert not platform.take()
