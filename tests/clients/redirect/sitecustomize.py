"""Lets a stock client believe it talks to the platform: names are resolved to the listener under test, nothing else changes.

Python imports a module of this name by itself when its folder is on PYTHONPATH, so a client that is a program of its own
(toot) is redirected without knowing; the tests' own process imports it by name. The client still asks for
https://mastodon.example, still sends that host in SNI and in Host, and still verifies the certificate. Needs no root, and
nothing of the machine changes.

POSTWARD_TEST_HOSTS="mastodon.example=41273 bsky.social=41273": every other name that is not loopback fails to resolve, so that
a client which would leave (for an address in an answer, say) is seen to. All names lead to one port.
"""

import ipaddress
import os
import socket

_resolve = socket.getaddrinfo
_connect = socket.socket.connect


def _redirected(host, port, family=0, type=0, proto=0, flags=0):
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    routes = _routes()
    if host in routes:
        return _resolve("127.0.0.1", int(routes[host]), family, type, proto, flags)
    if host is None or host == "localhost" or _is_loopback(host):
        return _resolve(host, port, family, type, proto, flags)
    raise socket.gaierror(socket.EAI_NONAME, f"the test house resolves no such name: {host}")


def _connected(self, address):
    """Some clients keep the port they asked for and not the one they were given (anyio), or connect by name (httplib2)."""
    if self.family == socket.AF_INET and address[1] == 443:
        routes = _routes()
        if address[0] in routes:
            address = ("127.0.0.1", int(routes[address[0]]))
        elif routes and _is_loopback(address[0]):
            address = (address[0], int(next(iter(routes.values()))))
    return _connect(self, address)


def _routes():
    return dict(pair.split("=") for pair in os.environ.get("POSTWARD_TEST_HOSTS", "").split())


def _is_loopback(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if "POSTWARD_TEST_HOSTS" in os.environ:
    socket.getaddrinfo = _redirected
    socket.socket.connect = _connected
