#!/usr/bin/env python3
"""Fits rules/weights.toml on marked posts, and measures what was fitted on posts it has not seen.

    tools/fit.py measure CORPORA DUMPS          leave one author out: covered, safe and alarmed, twice over
    tools/fit.py write CORPORA DUMPS WEIGHTS    fit on everything, write WEIGHTS

CORPORA holds staff-posts.*.jsonl (one author each) and tweets-*.jsonl (names in public posts). DUMPS holds, for each of
them, the output of `postward scan --explain --format jsonl FILE`: every candidate with the features that it has,
also those without a weight. So the features live in the code, and nothing is computed twice in two languages.

What is fitted is one logistic regression over candidates of every kind, strongly regularised. A candidate's score is the
sum of its own features, by kind, and of the features of its post, which all kinds share: the care score. A post is about a
patient if its best candidate reaches the trigger; then everything down to the deny threshold counts. Thresholds are
chosen on posts whose author was left out of the fit as well (an inner round), never on those that are reported.

Needs numpy.
"""

import collections
import json
import math
import pathlib
import sys

import numpy

NEUTRAL = {"PERSON", "ORG"}
KINDS = {"name": "name", "date": "date", "location": "place", "age": "age"}
HITS = {"phone", "fax", "email", "url", "ip", "zip"}
HIT_FEATURES = HITS | {"labelled-number", "weak-number"}
STRENGTH = 12.0
EVEN = 1.1
# Public texts that count as well, each post for so much; every second post only, the others are for measuring.
PUBLIC = {"asq-phi": 0.4, "asq-lookalikes": 0.8, "eponyms": 0.5, "health-news-tweets": 0.25, "medquad": 0.2}
DENY = 4.5


OTHERS = []


class Post:
    def __init__(self, post, dump, author):
        self.id, self.author, self.text = post["id"], author, post["text"]
        self.clean = post["kind"] == "clean" if "kind" in post else not post["spans"]
        self.obfuscated = "obfus" in (post.get("note") or "")
        self.spans = [(s["start"], s["end"], s["label"]) for s in post["spans"] if s["label"] not in NEUTRAL]
        self.people = [(s["start"], s["end"]) for s in post["spans"] if s["label"] in NEUTRAL]
        self.people += [(s["start"], s["end"]) for s in post.get("extra", [])]
        explain = dump.get("explain", dump)
        care = explain["care"]
        parts = care["parts"] if isinstance(care, dict) else explain["careparts"]
        self.care = [f"care:{name(p)}" for p in parts]
        self.candidates = [c for c in explain["candidates"] if kind(c)]
        found = [c for c in explain["candidates"] if c["outcome"] == "found" and not kind(c)]
        self.numbers = [c for c in found if c["category"] not in HITS and c["category"] not in KINDS]
        # Hits that count only where a post is about a patient.
        self.hits = [c for c in found if c["category"] in HITS or c["category"] in KINDS and "bias" not in map(name, c["parts"])]


def name(part):
    return part if isinstance(part, str) else part["feature"]


def kind(c):
    """Which weights a candidate is scored by: none if no composer weighed it. A pattern says itself how sure it is, a repeat
    follows its name; what a hit of a pattern says of its post stands in a candidate of its own, which is no finding."""
    parts = set(map(name, c["parts"]))
    if "bias" not in parts:
        return None
    if parts & HIT_FEATURES and c["outcome"] != "found" and c["category"] not in KINDS:
        return "hit" if not parts & {"labelled-number", "weak-number"} else None
    return KINDS.get(c["category"])


def features(c):
    of = kind(c)
    return [f"{of}:{name(p)}" for p in c["parts"]]


def load(corpora, dumps, files):
    posts = []
    for file in files:
        marked = {p["id"]: p for p in map(json.loads, open(corpora / f"{file}.jsonl", encoding="utf-8"))}
        for line in open(dumps / f"{file}.jsonl", encoding="utf-8"):
            dump = json.loads(line)
            posts.append(Post(marked[dump["id"]], dump, file))
    return posts


def overlap(a, b, spans):
    return any(min(b, e) - max(a, s) > 0 for s, e, *_ in spans)


class Rows:
    """The candidates of posts as rows of a table of features."""

    def __init__(self, posts, index=None):
        grow = index is None
        self.index = {} if grow else index
        counts = collections.Counter()
        if grow:
            for post in posts:
                for c in post.candidates:
                    counts.update(features(c))
                counts.update(post.care)
            for feature, n in sorted(counts.items()):
                if n >= 4:
                    self.index[feature] = len(self.index)
        self.post, self.candidate, self.y, self.weight, rows, columns = [], [], [], [], [], []
        for p, post in enumerate(posts):
            care = [self.index[f] for f in post.care if f in self.index]
            for c in post.candidates:
                hit = overlap(c["start"], c["end"], post.spans)
                person = not hit and overlap(c["start"], c["end"], post.people)
                row = len(self.y)
                self.post.append(p)
                self.candidate.append(c)
                self.y.append(1.0 if hit else 0.0)
                # In a disclosing post a colleague's name is neither right nor wrong.
                self.weight.append(0.0 if person and not post.clean else 1.0)
                own = [self.index[f] for f in features(c) if f in self.index]
                rows.extend([row] * (len(own) + len(care)))
                columns.extend(own + care)
        self.post = numpy.array(self.post, dtype=int)
        self.y, self.weight = numpy.array(self.y), numpy.array(self.weight)
        # Each post weighs the same whatever it proposes: what is to be right is its best candidate.
        n = numpy.bincount(self.post, minlength=len(posts))[self.post]
        share = numpy.array([PUBLIC.get(p.author, 1.5 if p.clean else 1.0) for p in posts])[self.post]
        self.weight = self.weight / n**EVEN * share * 4
        self.x = numpy.zeros((len(self.y), len(self.index)), dtype=numpy.float32)
        self.x[rows, columns] = 1.0


def fit(x, y, weight, penalty, start=None, n_steps=150):
    """L-BFGS on the weighted logistic loss with an L2 penalty (none on biases: `penalty` is a vector)."""
    w = numpy.zeros(x.shape[1]) if start is None else start.copy()

    def loss(w):
        z = x @ w.astype(numpy.float32)
        z = z.astype(float)
        value = float(weight @ (numpy.logaddexp(0, z) - y * z) + 0.5 * penalty @ (w * w))
        p = 1 / (1 + numpy.exp(-z))
        gradient = (x.T @ (weight * (p - y)).astype(numpy.float32)).astype(float) + penalty * w
        return value, gradient

    value, gradient = loss(w)
    memory = []
    for _ in range(n_steps):
        q = gradient.copy()
        alphas = []
        for s, t, rho in reversed(memory):
            a = rho * (s @ q)
            alphas.append(a)
            q -= a * t
        if memory:
            s, t, _ = memory[-1]
            q *= (s @ t) / (t @ t)
        else:
            q /= max(1.0, numpy.linalg.norm(gradient))
        for (s, t, rho), a in zip(memory, reversed(alphas)):
            q += s * (a - rho * (t @ q))
        step = 1.0
        slope = gradient @ -q
        while True:
            new_value, new_gradient = loss(w - step * q)
            if new_value <= value + 1e-4 * step * slope or step < 1e-6:
                break
            step /= 2
        s, t = -step * q, new_gradient - gradient
        w, done = w - step * q, abs(value - new_value) < 1e-5 * abs(value)
        value, gradient = new_value, new_gradient
        if s @ t > 1e-10:
            memory = [*memory, (s, t, 1 / (s @ t))][-10:]
        if done:
            break
    return w


def penalties(index, strength):
    return numpy.array([1e-3 if f.endswith(":bias") else strength for f in index])


def train(posts, strength=STRENGTH):
    rows = Rows(posts + OTHERS)
    w = fit(rows.x, rows.y, rows.weight, penalties(rows.index, strength))
    return rows.index, w


def scores(model, posts):
    """Each post's candidates with their scores."""
    index, w = model
    out = []
    for post in posts:
        care = sum(w[index[f]] for f in post.care if f in index)
        out.append([(c, care + sum(w[index[f]] for f in features(c) if f in index)) for c in post.candidates])
    return out


def top(scored):
    return max((s for _, s in scored), default=-math.inf)


def acted(post, scored, trigger, deny):
    """The spans that the shipped policy acts on."""
    spans = [(c["start"], c["end"]) for c in post.numbers if c["confidence"] not in (None, "low")]
    certain = any(c["confidence"] == "certain" for c in post.numbers)
    if certain or top(scored) >= trigger:
        # Patterns say themselves how sure they are; only what composers propose is weighed.
        spans += [(c["start"], c["end"]) for c, s in scored if s >= deny and kind(c) != "hit"]
        spans += [(c["start"], c["end"]) for c in post.hits if c["confidence"] not in (None, "low")]
        words = {post.text[c["start"] : c["end"]].lower() for c, s in scored if c["category"] == "name" and s >= deny}
        for word in {w for phrase in words for w in phrase.split() if len(w) > 2}:
            spans += [(i, i + len(word)) for i in find_all(post.text.lower(), word)]
    return spans


def find_all(text, word):
    i = text.find(word)
    while i >= 0:
        yield i
        i = text.find(word, i + 1)


def covered(post, spans):
    marks = bytearray(len(post.text))
    for a, b in spans:
        marks[a:b] = b"\x01" * (b - a)
    return [all(marks[i] for i in range(s, e) if post.text[i].isalnum()) for s, e, _ in post.spans]


def report(posts, scored, trigger, deny):
    n = collections.Counter()
    labels = collections.defaultdict(lambda: [0, 0])
    for post, candidates in zip(posts, scored):
        spans = acted(post, candidates, trigger, deny)
        if post.clean:
            n["clean"] += 1
            n["alarmed"] += bool(spans)
            continue
        hits = covered(post, spans)
        n["phi"] += 1
        n["safe"] += all(hits)
        n["spans"] += len(hits)
        n["covered"] += sum(hits)
        if post.obfuscated:
            n["obfuscated"] += 1
            n["obfuscated-safe"] += all(hits)
        for (_, _, label), hit in zip(post.spans, hits):
            labels[label][0] += hit
            labels[label][1] += 1
    rate = lambda a, b: 100 * n[a] / max(1, n[b])
    return rate("covered", "spans"), rate("safe", "phi"), rate("alarmed", "clean"), rate("obfuscated-safe", "obfuscated"), labels


def trigger_for(posts, scored, alarmed):
    """The trigger at which so many percent of clean posts would alarm."""
    best = sorted((top(s) for p, s in zip(posts, scored) if p.clean), reverse=True)
    allowed = int(len(best) * alarmed / 100)
    return best[min(allowed, len(best) - 1)] + 1e-6


def deny_for(posts, scored, trigger):
    """The lowest threshold that still leaves half of what it adds right, in triggered posts."""
    return trigger - 4.0


def authors(posts):
    return sorted({p.author for p in posts})


def out_of_fold(posts, strength):
    """Scores of every post by a model that has not seen its author."""
    scored = {}
    for author in authors(posts):
        model = train([p for p in posts if p.author != author], strength)
        held = [p for p in posts if p.author == author]
        scored.update({id(p): s for p, s in zip(held, scores(model, held))})
    return [scored[id(p)] for p in posts]


def measure(posts, strength=STRENGTH, deny=DENY):
    levels = (1, 2, 3, 5, 8, 10)
    table = collections.defaultdict(list)
    totals = collections.defaultdict(lambda: [0, 0])
    for author in authors(posts):
        rest = [p for p in posts if p.author != author]
        held = [p for p in posts if p.author == author]
        inner = out_of_fold(rest, strength)
        held_scores = scores(train(rest, strength), held)
        for level in levels:
            trigger = trigger_for(rest, inner, level)
            *figures, labels = report(held, held_scores, trigger, trigger - deny)
            table[level].append(figures)
            if level == 5:
                print(f"{author:18} at 5 % of the others' clean posts: covered {figures[0]:.1f} safe {figures[1]:.1f} alarmed {figures[2]:.1f} obfuscated safe {figures[3]:.1f}")
                for label, (a, b) in labels.items():
                    totals[label][0] += a
                    totals[label][1] += b
    print("left-out authors, thresholds from the others: mean (worst)")
    for level in levels:
        rows = numpy.array(table[level])
        mean, worst = rows.mean(axis=0), [rows[:, 0].min(), rows[:, 1].min(), rows[:, 2].max()]
        print(f"  aimed at {level:2} %: covered {mean[0]:.1f} ({worst[0]:.1f})  safe {mean[1]:.1f} ({worst[1]:.1f})  alarmed {mean[2]:.1f} ({worst[2]:.1f})  obfuscated safe {mean[3]:.1f}")
    print("  ".join(f"{label} {a}/{b}" for label, (a, b) in sorted(totals.items(), key=lambda t: -t[1][1])))


def likeness(posts, strength=STRENGTH):
    """Weights for being a person's name at all, fitted on everybody's names."""
    index, rows, columns, y, weight = {}, [], [], [], []
    for post in posts:
        public = post.author.startswith("tweets")
        for c in post.candidates:
            if c["category"] != "name":
                continue
            label = overlap(c["start"], c["end"], [s for s in post.spans if s[2] == "NAME"] + ([] if public else post.people))
            extra = public and overlap(c["start"], c["end"], post.people)
            y.append(1.0 if label else 0.0)
            weight.append(0.0 if extra else 1.0)
            for f in features(c):
                rows.append(len(y) - 1)
                columns.append(index.setdefault(f, len(index)))
    x = numpy.zeros((len(y), len(index)), dtype=numpy.float32)
    x[rows, columns] = 1.0
    w = fit(x, numpy.array(y), numpy.array(weight), penalties(index, strength))
    return {f.split(":", 1)[1]: w[i] for f, i in index.items()}


HAND = """
[date-likeness]
bias = 1.0
numeric = -0.9
range = -2.0
month-alone = -0.5
ordinal-day = -0.2

[place-likeness]
bias = 0.5
address = 2.5
in-number = -2.0
in-low-number = -2.0
line-number = -1.0
room-code = -0.4
unlisted-place = -1.2
bed-number = 0.4
"""


def write(posts, public, path, aim=5, deny=DENY):
    oof = out_of_fold(posts, STRENGTH)
    trigger = trigger_for(posts, oof, aim)
    index, w = train(posts)
    sections = collections.defaultdict(dict)
    for f, i in index.items():
        section, feature = f.split(":", 1)
        if abs(w[i]) >= 0.015 or feature == "bias":
            sections[section][feature] = w[i]
    like = likeness(posts + public)
    sections["name-likeness"] = {f: v for f, v in like.items() if abs(v) >= 0.015 or f == "bias"}
    with open(path, "w", encoding="utf-8") as out:
        out.write(
            "# What each feature of a candidate is worth: log-odds, fitted by tools/fit.py on posts by five authors.\n"
            "# A candidate's score is the sum of its own features and of those of its post (`care`). A post is about a patient\n"
            "# if its best candidate reaches `trigger`; then everything down to `deny` is a finding, from `high` on of high\n"
            "# confidence. Elsewhere a candidate is of low confidence if its likeness reaches `low`.\n\n[thresholds]\n"
        )
        out.write(f"trigger = {trigger:.3f}\ndeny = {trigger - deny:.3f}\nhigh = {trigger + 2:.3f}\nlow = 0.0\n")
        for section in ("care", "name", "name-likeness", "date", "place", "age", "hit"):
            out.write(f"\n[{section}]\n")
            for feature, value in sorted(sections[section].items(), key=lambda t: (t[0] != "bias", t[0])):
                out.write(f"{feature} = {value:.2f}\n")
        out.write(HAND)


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    what, corpora, dumps = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    files = sorted(p.stem for p in corpora.glob("staff-posts.*.jsonl") if "inline" not in p.name)
    posts = load(corpora, dumps, files)
    for file in PUBLIC:
        if (dumps / f"{file}.jsonl").exists():
            OTHERS.extend(load(corpora, dumps, [file])[::2])
    if what == "measure":
        measure(posts)
    elif what == "write":
        public = load(corpora, dumps, [f for f in ("tweets-wnut17", "tweets-btc") if (dumps / f"{f}.jsonl").exists()])
        write(posts, public, sys.argv[4])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
