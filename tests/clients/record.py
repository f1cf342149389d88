"""What came of each recorded call, one line of JSON a call: what `table.py` makes the README's table of platforms from."""

import json

FAILED = "failed"


class Record:
    """The lines of one run. What a test does not say in the end, because it failed, stays «failed»; what was not run is null."""

    def __init__(self):
        self.lines = {}

    def line(self, call):
        key = (call.platform, call.language, call.client, call.name)
        return self.lines.setdefault(
            key,
            {
                "client": call.client,
                "version": call.version,
                "language": call.language,
                "platform": call.platform,
                "call": call.name,
                "recorded": call.recorded,
                # «same»: byte for byte as without the proxy.
                "clean": None,
                # «valid»: every name gone, every range at its words, taken by the stand-in.
                "redacted": None,
                # «shown»: what could not be redacted, since it is signed, was refused, and the sentence shown.
                "sealed": None,
                # «shown»: the sentence stood where a user sees it, for each field.
                "blocked": None,
                "shown_in": call.shown_in,
                # The most requests that a blocked post was tried with.
                "attempts": None,
                "note": call.note,
            },
        )

    def write(self, file):
        lines = [json.dumps(line, ensure_ascii=False) for _, line in sorted(self.lines.items())]
        file.write_text("".join(line + "\n" for line in lines))
