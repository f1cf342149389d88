#!/usr/bin/env python3
"""What operators watch, as the programs that watch it see it.

    check.py BINARY

Starts Postward with a platform and a collector of traces, sends posts, and lets others read what it says of itself: `promtool` and
the OpenMetrics parser of Prometheus' own Python client the page, a real Prometheus the page, the alerts and every query of the
dashboard, OpenTelemetry's own types the traces. Without Prometheus on the machine its checks are skipped. Ends with
«watch: N passed, N failed, N skipped».
"""

import http.client
import http.server
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOST = "mastodon.example"
SECRET = "987-65-4321"
HARMLESS = "a long day, and a good one"


class Stand_in(http.server.BaseHTTPRequestHandler):
    """A platform and a collector: takes everything, and remembers it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append((self.path, body))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}" if self.path != "/v1/traces" else b"\x0a\x00")

    def log_message(self, *_):
        pass


def stand_in():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stand_in)
    server.received = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Postward:
    def __init__(self, binary, folder, platform, collector):
        file = folder / "postward.toml"
        file.write_text(f"""
[[listener]]
address = "127.0.0.1:0"
[[route]]
hosts = ["{HOST}"]
platform = "mastodon"
upstream = "http://127.0.0.1:{platform}"
[admin]
address = "127.0.0.1:0"
[audit]
file = "audit.jsonl"
[traces]
endpoint = "http://127.0.0.1:{collector}"
one-in = 1
[log]
format = "json"
""")
        self.child = subprocess.Popen([binary, "serve", "--config", file], stderr=subprocess.PIPE, text=True)
        for line in self.child.stderr:
            said = json.loads(line) if line.startswith("{") else {}
            if said.get("message") == "ready":
                self.door = int(re.search(r":(\d+)", said["listening"]).group(1))
                self.admin = int(said["admin"].rsplit(":", 1)[1])
                break
        else:
            raise SystemExit("postward does not start")
        threading.Thread(target=self.child.stderr.read, daemon=True).start()

    def post(self, text, headers=()):
        door = http.client.HTTPConnection("127.0.0.1", self.door, timeout=30)
        door.request("POST", "/api/v1/statuses", json.dumps({"status": text}), {"Host": HOST, "Content-Type": "application/json", **dict(headers)})
        status = door.getresponse().status
        door.close()
        return status

    def page(self, path, accept="*/*"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin}{path}", headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.headers["content-type"], answer.read().decode()


class Prometheus:
    """A real one, which asks Postward every second and reads the repository's alerts."""

    def __init__(self, folder, admin):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "prometheus.yml").write_text(f"""
global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: ["{ROOT}/docker/prometheus/alerts.yml"]
scrape_configs:
  - job_name: postward
    static_configs: [{{ targets: ["127.0.0.1:{admin}"] }}]
""")
        self.child = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error"],
            stderr=subprocess.DEVNULL,
        )

    def ask(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            # Before it is ready it says so in other words.
            return {"fault": json.loads(text)["error"] if text.startswith("{") else text}

    def wait(self, query):
        """The first value of a query, once there is one."""
        for _ in range(300):
            try:
                found = self.ask("query", query=query).get("result")
                if found:
                    return float(found[0]["value"][1])
            except OSError:
                pass
            time.sleep(0.1)
        return None


class Checks:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def __call__(self, what, faults):
        print(f"{'failed' if faults else 'ok'}: {what}")
        for fault in faults[:20]:
            print(f"    {fault}")
        self.failed += bool(faults)
        self.passed += not faults

    def skip(self, what):
        print(f"skipped: {what}")
        self.skipped += 1


def promtool(*arguments, given=None):
    ran = subprocess.run(["promtool", *arguments], input=given, capture_output=True, text=True)
    said = (ran.stdout + ran.stderr).strip().splitlines()
    # An older name, kept for scripts that read it: its successor counts seconds. Nothing else is passed over.
    known = 'postward_inspect_microseconds_total use base unit "seconds" instead of "microseconds"'
    left = [line for line in said if line != known]
    return left if ran.returncode and (left or not said) else []


def open_metrics(page):
    """What Prometheus' own parser says of the page, as an OpenMetrics reader that lets nothing pass."""
    try:
        families = list(text_string_to_metric_families(page))
    except ValueError as why:
        return [str(why)]
    return [] if len(families) > 50 else [f"only {len(families)} families"]


def spans(collector, n):
    """Every span that has come, once there are so many."""
    for _ in range(300):
        found = []
        for path, body in list(collector.received):
            if path == "/v1/traces":
                request = ExportTraceServiceRequest.FromString(body)
                found += [(resource.resource, span) for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
        if len(found) >= n:
            return found
        time.sleep(0.1)
    return found


def trace_faults(found):
    faults = []
    names = sorted(span.name for _, span in found)
    if names != sorted(["request", "inspect", "upstream"] * 6 + ["request", "inspect"]):
        faults.append(f"the spans are {names}")
    allowed = {"postward.platform", "postward.endpoint", "postward.verdict", "http.response.status_code", "error.type"}
    for resource, span in found:
        about = {attribute.key: attribute.value.string_value for attribute in resource.attributes}
        if set(about) != {"service.name", "service.version", "service.instance.id"} or about["service.name"] != "postward":
            faults.append(f"the resource is {about}")
        more = {attribute.key for attribute in span.attributes} - allowed
        if more or span.events or span.links or span.trace_state:
            faults.append(f"{span.name} says more than it may: {more}")
        if not 0 < span.start_time_unix_nano <= span.end_time_unix_nano < (time.time() + 60) * 1e9:
            faults.append(f"{span.name} has no time")
        if len(span.trace_id) != 16 or len(span.span_id) != 8:
            faults.append(f"{span.name} has no ids")
    return faults


def queries():
    """Every query of the dashboard, as Grafana would ask it."""
    board = json.loads((ROOT / "docker/grafana/postward.json").read_text())
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    found += [note["expr"] for note in board["annotations"]["list"]]
    return [query.replace("$__rate_interval", "1m").replace("$instance", ".*") for query in found]


def main():
    checks = Checks()
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        platform, collector = stand_in(), stand_in()
        postward = Postward(binary, folder, platform.server_port, collector.server_port)
        watcher = None
        try:
            has_prometheus = shutil.which("prometheus") and shutil.which("promtool")
            if has_prometheus:
                watcher = Prometheus(folder, postward.admin)
                watcher.wait("postward_ready")
            statuses = [postward.post(HARMLESS) for _ in range(5)] + [postward.post(f"her ssn is {SECRET}")]
            statuses.append(postward.post(HARMLESS, [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]))
            checks("posts are judged", [] if statuses == [200] * 5 + [422, 200] else [str(statuses)])
            kind, page = postward.page("/metrics")
            checks("the page is Prometheus' text", [] if kind.startswith("text/plain; version=0.0.4") else [kind])
            kind, opened = postward.page("/metrics", "application/openmetrics-text; version=1.0.0")
            checks("who asks for OpenMetrics gets it", [] if kind.startswith("application/openmetrics-text; version=1.0.0") else [kind])
            checks("a strict parser reads it", open_metrics(opened))
            checks("no text of a post stands on it", [secret for secret in (SECRET, HARMLESS, HOST) if secret in page])
            found = spans(collector, 20)
            checks("OpenTelemetry's own types read the traces, and they say no more than they may", trace_faults(found))
            sent = b"".join(body for path, body in collector.received)
            checks("no text of a post is sent to the collector", [secret for secret in (SECRET, HARMLESS, HOST) if secret.encode() in sent])
            health = subprocess.run([binary, "health", "--address", f"127.0.0.1:{postward.admin}"], capture_output=True, text=True)
            checks("postward health says so", [] if health.returncode == 0 and json.loads(health.stdout) == {"ready": True} else [health.stdout + health.stderr])
            if not has_prometheus:
                for what in ("promtool reads the page", "promtool reads the alerts", "a real Prometheus asks for it", "every query of alerts and dashboard is one"):
                    checks.skip(f"{what}: prometheus is not installed")
            else:
                checks("promtool reads the page", promtool("check", "metrics", given=page))
                checks("promtool reads the alerts", promtool("check", "rules", str(ROOT / "docker/prometheus/alerts.yml")))
                value = None
                for _ in range(300):
                    value = watcher.wait('sum(postward_posts_total{verdict="forward"})')
                    if value == 6:
                        break
                    time.sleep(0.1)
                target = watcher.ask("targets")["activeTargets"][0]
                checks("a real Prometheus asks for it", [] if value == 6 and target["health"] == "up" else [f"{value}, {target['lastError']}"])
                alerts = [rule for group in watcher.ask("rules")["groups"] for rule in group["rules"]]
                wrong = [f"{rule['name']}: {rule.get('lastError')}" for rule in alerts if rule["health"] == "err"]
                firing = [rule["name"] for rule in alerts if rule["state"] == "firing"]
                checks("every alert can be evaluated", wrong if len(alerts) > 15 else ["there are none"])
                checks("none fires on a proxy that is well", firing)
                answers = [(query, watcher.ask("query", query=query)) for query in queries()]
                checks("every query of the dashboard is one", [f"{query}: {answer['fault']}" for query, answer in answers if "fault" in answer])
                silent = [query for query, answer in answers if not answer.get("result") and re.search("rate|increase|_sink_|_roster_|changes|expiry", query) is None]
                checks("those that need no traffic have an answer", silent)
        finally:
            for child in (postward.child, watcher and watcher.child):
                if child:
                    child.terminate()
                    child.wait(timeout=30)
    print(f"watch: {checks.passed} passed, {checks.failed} failed, {checks.skipped} skipped")
    sys.exit(checks.failed > 0)


if __name__ == "__main__":
    main()
