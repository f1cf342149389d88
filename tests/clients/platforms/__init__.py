"""What the stand-in knows of each platform: one small file a platform.

A file says:

    NAME = "slack"                the platform's name in postward's routes
    HOSTS = ["slack.com"]         the hosts its clients believe in; each is led to the listener under test
    ANSWERS = [(pattern, status, answer)]
                                  a regular expression on «METHOD host path», the first that fits answers; the answer is JSON, bytes
                                  (then as text/plain), None (nothing) or a function of the request; pairs of further headers may follow
    UPSTREAM = "plain"            if the proxy is to reach it without TLS
    JSON_TYPE = "application/json"
                                  the content type of JSON answers, if it is not «application/json; charset=utf-8»
    def faults(request): ..       what the platform itself would refuse in a post: lengths, offsets, required fields. A list of
                                  sentences; where it is not empty the stand-in answers 400, so that a client fails as it would
"""

import importlib
import pkgutil

ALL = [importlib.import_module(f"{__name__}.{module.name}") for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name)]
HOSTS = [host for platform in ALL for host in platform.HOSTS]


def of_host(host):
    """The platform that a host belongs to, or None."""
    return next((platform for platform in ALL if host in platform.HOSTS), None)
