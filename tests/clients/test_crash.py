"""The process is killed in the middle of its work: every post a platform received must be in the audit, and the chain must hold.

The audit writes no words, so a post is known by its sender: each comes from a loopback address of its own.
"""

import http.client
import re
import socket
import ssl
import threading
import time

import house
import words

N_POSTS = 400
N_SENDERS = 8


def test_every_forwarded_post_is_in_the_audit_after_kill_9(tmp_path, platform):
    upstreams = [(["mastodon.example"], "mastodon", f"http://127.0.0.1:{platform.plain_port}")]
    proxy = house.Postward(tmp_path, upstreams, platform.ca_file).start()
    platform.take()
    senders = [threading.Thread(target=_send, args=(proxy, range(n, N_POSTS, N_SENDERS))) for n in range(N_SENDERS)]
    for sender in senders:
        sender.start()
    deadline = time.monotonic() + 60
    while len(platform.requests) < N_POSTS // 4 and time.monotonic() < deadline:
        time.sleep(0.002)
    proxy.kill()
    for sender in senders:
        sender.join()
    time.sleep(0.2)

    received = {_address(int(re.search(r"number (\d+)", request.json["status"]).group(1))) for request in platform.take()}
    decided = {event["client"] for event in proxy.all_events() if event.get("verdict") == "forward"}
    assert N_POSTS // 4 <= len(received) < N_POSTS, "the kill came in the middle"
    assert received <= decided, f"forwarded without a line: {sorted(received - decided)}"
    house.run("audit", "verify", proxy.audit_file)

    # A line torn by the crash is named as such, and is no broken link.
    whole = proxy.audit_file.read_bytes()
    torn = tmp_path / "torn.jsonl"
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    torn.write_bytes(whole[: last + 40])
    assert "torn" in house.run("audit", "verify", torn).lower()

    # A changed line is a broken one.
    lines = whole[:last].splitlines(keepends=True)
    assert b'"forward"' in lines[3] or b'"forward"' in lines[2]
    changed = tmp_path / "changed.jsonl"
    changed.write_bytes(b"".join(line.replace(b'"forward"', b'"block"', 1) if n < 4 else line for n, line in enumerate(lines)))
    assert "line" in house.run("audit", "verify", changed, expect=1).lower()

    # The next process goes on with the chain.
    proxy.start()
    _post(proxy, 1, context=_context(proxy))
    assert proxy.stop() == 0
    house.run("audit", "verify", *sorted(tmp_path.glob("audit*.jsonl")))
    assert words.CLEAN_PRAISE not in proxy.written()


def _send(proxy, numbers):
    context = _context(proxy)
    for number in numbers:
        try:
            _post(proxy, number, context)
        except (OSError, http.client.HTTPException):
            if proxy.process.poll() is not None:
                return


def _context(proxy):
    return ssl.create_default_context(cafile=proxy.ca_file)


def _address(number):
    return f"127.1.{number // 200}.{number % 200 + 1}"


def _post(proxy, number, context):
    source = (_address(number), 0)
    raw = socket.create_connection(("127.0.0.1", proxy.port), timeout=20, source_address=source)
    with context.wrap_socket(raw, server_hostname="mastodon.example") as secure:
        body = f'{{"status":"{words.CLEAN_PRAISE} number {number}"}}'.encode()
        head = f"POST /api/v1/statuses HTTP/1.1\r\nHost: mastodon.example\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        secure.sendall(head.encode() + body)
        if not secure.recv(1024).startswith(b"HTTP/1.1 200"):
            raise http.client.BadStatusLine("not forwarded")
