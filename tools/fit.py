#!/usr/bin/env python3
"""Fits the weights of names, dates, places and ages on marked posts, and measures the fit on authors it has not seen.

    tools/fit.py measure POSTWARD CORPUS.jsonl..        leave one author out, and the curve of alarms against misses
    tools/fit.py write POSTWARD RULES CORPUS.jsonl..    fit on everything, write RULES/weights.toml and RULES/weights-words.tsv

POSTWARD is the binary: `scan --explain` says which features every candidate has, also those without a weight, so that the
features live in one place, the code. A corpus is a set of posts by one hand, {"id","kind","text","spans"} a line. Those
named `staff-posts.*` are left out in turn; the others are always learned from, `tweets-*` only for what a name is, and
`disguised*` with little weight.

What is fitted is one logistic regression over candidates of every kind, strongly regularised. A candidate's score is the
sum of its own features, by kind, and of those of its post, which all kinds share: the care score. A post is about a
patient if its best candidates, one of each kind, together reach the trigger; then everything down to the deny threshold
counts. Thresholds are chosen on posts whose author was left out of the fit as well (an inner round), never on those that are reported.

Needs numpy and scipy.
"""

import collections
import json
import math
import pathlib
import re
import subprocess
import sys

import numpy
from scipy import sparse
from scipy.optimize import minimize

NEUTRAL = {"PERSON", "ORG"}
KINDS = {"name": "name", "date": "date", "location": "place", "age": "age"}
HITS = {"phone", "fax", "email", "url", "ip", "zip"}
HIT_FEATURES = HITS | {"labelled-number", "weak-number"}
# Rules whose findings count where the rest of a post is about a patient.
WITH_POST = {"other-id-bare", "other-id-coded"}
# Strength of the prior; how far a post's weight falls with what it proposes; how much a clean post counts.
STRENGTH = 20.0
EVEN = 1.1
CLEAN = 1.5
# Below the trigger by so much, what a post about a patient holds still counts.
DENY = 5.0
# As in src/detect/compose/evidence.rs.
SOFTNESS = 0.7
# A word has weights of its own if so many posts by so many hands use it.
LEAST_POSTS = 5
LEAST_HANDS = 2
# Public texts count so much a post; every second post only, the others are for measuring.
PUBLIC = {"asq-phi": 0.4, "asq-lookalikes": 0.8, "eponyms": 0.5, "health-news-tweets": 0.25, "medquad": 0.2}
# What merely looks like a name is of low confidence where so many percent of all other words would be, too.
TOUCHED = 2.6
WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
# Disguised copies of our own posts, by `cargo run --example disguise -- mixed`, count so much a post.
DISGUISED = 0.3
LEVELS = (1, 2, 3, 5, 8, 10)


class Post:
    def __init__(self, post, dump, author):
        self.author, self.text = author, post["text"]
        # Whoever wrote it: of our own posts each persona is a hand.
        self.hand = post["id"].rsplit("-", 1)[0]
        self.clean = post["kind"] == "clean" if "kind" in post else not post["spans"]
        own = (CLEAN if self.clean else 1.0) * (DISGUISED if author.startswith("disguised") else 1.0)
        self.weight = PUBLIC.get(author, own)
        self.obfuscated = "obfus" in (post.get("note") or "")
        self.spans = [(s["start"], s["end"], s["label"]) for s in post["spans"] if s["label"] not in NEUTRAL]
        self.people = [(s["start"], s["end"]) for s in post["spans"] if s["label"] in NEUTRAL]
        self.people += [(s["start"], s["end"]) for s in post.get("extra", [])]
        explain = dump["explain"]
        self.care = [f"care:{p['feature']}" for p in explain["care"]["parts"]]
        self.candidates, self.hits, self.numbers, self.codes = [], [], [], []
        for c in explain["candidates"]:
            c["features"] = [p["feature"] for p in c.pop("parts")]
            c["kind"] = kind(c)
            if c["rule"] in WITH_POST:
                if c["outcome"] == "found":
                    self.codes.append(c)
            elif c["kind"]:
                c["sure"] = "certain-cue" in c["features"]
                c["features"] = [f"{c['kind']}:{f}" for f in c["features"]]
                self.candidates.append(c)
            elif c["outcome"] == "found":
                # Hits of patterns that count only where a post is about a patient, and those that say so themselves.
                alone = c["category"] not in HITS and c["category"] not in KINDS
                (self.numbers if alone else self.hits).append(c)


def kind(c):
    """Which weights a candidate is scored by: none if no composer weighed it. A pattern says itself how sure it is, a repeat
    follows its name; what a hit of a pattern says of its post stands in a candidate of its own, which is no finding."""
    parts = set(c["features"])
    if "bias" not in parts:
        return None
    if parts & HIT_FEATURES and c["outcome"] != "found" and c["category"] not in KINDS:
        return "hit" if not parts & {"labelled-number", "weak-number"} else None
    return KINDS.get(c["category"])


def load(binary, path):
    marked = [json.loads(line) for line in open(path, encoding="utf-8")]
    dump = subprocess.run(
        [binary, "scan", "--explain", "--format", "jsonl", path], capture_output=True, text=True, check=False
    ).stdout.splitlines()
    if len(dump) != len(marked):
        sys.exit(f"{path}: {len(marked)} posts, but {binary} read {len(dump)}")
    author = pathlib.Path(path).stem
    return [Post(post, json.loads(line), author) for post, line in zip(marked, dump)]


def overlap(a, b, spans):
    return any(min(b, e) - max(a, s) > 0 for s, e, *_ in spans)


def vocabulary(posts):
    """Words that enough people use for their weights to say something of the language."""
    n_posts, hands = collections.Counter(), collections.defaultdict(set)
    for post in posts:
        for feature in post.care:
            if "=" in feature:
                word = feature.split("=", 1)[1]
                n_posts[word] += 1
                hands[word].add(post.hand)
    return {w for w, n in n_posts.items() if n >= LEAST_POSTS and len(hands[w]) >= LEAST_HANDS}


def known(features, words):
    """Features with rare words as `<other>`."""
    for feature in features:
        head, equals, word = feature.partition("=")
        if not equals or word.startswith("<") or word in words:
            yield feature
        elif head != "care:has":
            yield f"{head}=<other>"


class Rows:
    """The candidates of posts as rows of a table of features."""

    def __init__(self, posts, words, index=None):
        rows, self.post, self.candidate, y, weight = [], [], [], [], []
        for p, post in enumerate(posts):
            care = list(known(post.care, words))
            for c in post.candidates:
                rows.append(list(known(c["features"], words)) + care)
                self.post.append(p)
                self.candidate.append(c)
                hit = overlap(c["start"], c["end"], post.spans)
                person = not hit and overlap(c["start"], c["end"], post.people)
                y.append(float(hit))
                # In a disclosing post a colleague's name is neither right nor wrong.
                weight.append(0.0 if person and not post.clean else 1.0)
        if index is None:
            counts = collections.Counter(feature for row in rows for feature in row)
            index = {f: i for i, f in enumerate(sorted(f for f, n in counts.items() if n >= 4))}
        self.index, self.x, self.y = index, table(rows, index), numpy.array(y)
        self.post = numpy.array(self.post, dtype=int)
        # Each post weighs the same whatever it proposes: what is to be right is its best candidate.
        n = numpy.bincount(self.post, minlength=len(posts))[self.post]
        share = numpy.array([p.weight for p in posts])[self.post]
        self.weight = numpy.array(weight) / n**EVEN * share * 4


def table(rows, index):
    ends, columns = [0], []
    for row in rows:
        columns.extend(sorted({index[f] for f in row if f in index}))
        ends.append(len(columns))
    ones = numpy.ones(len(columns))
    return sparse.csr_matrix((ones, numpy.array(columns, dtype=numpy.int32), ends), shape=(len(rows), len(index)))


def regress(x, y, weight, index, strength):
    """The weighted logistic loss with an L2 penalty (none on biases)."""
    penalty = numpy.array([1e-3 if f.endswith("bias") else strength for f in index])
    turned = x.T.tocsr()

    def loss(w):
        z = x @ w
        value = weight @ (numpy.logaddexp(0, z) - y * z) + 0.5 * penalty @ (w * w)
        return value, turned @ (weight * (1 / (1 + numpy.exp(-z)) - y)) + penalty * w

    return minimize(loss, numpy.zeros(len(index)), jac=True, method="L-BFGS-B", options={"maxiter": 300, "ftol": 1e-7}).x


class Fitted:
    def __init__(self, posts, strength=None):
        self.words = vocabulary(posts)
        rows = Rows(posts, self.words)
        self.index, self.w = rows.index, regress(rows.x, rows.y, rows.weight, rows.index, strength or STRENGTH)

    def scores(self, posts):
        """Each post's candidates with their scores."""
        rows = Rows(posts, self.words, self.index)
        out = [[] for _ in posts]
        for p, c, score in zip(rows.post, rows.candidate, rows.x @ self.w):
            out[p].append((c, score))
        return out


def top(scored):
    """What the candidates of a post say together: the best of each kind, softly added up."""
    best = {}
    for c, score in scored:
        best[c["kind"]] = max(score, best.get(c["kind"], -math.inf))
    if not best:
        return -math.inf
    most = max(best.values())
    return most + SOFTNESS * math.log(sum(math.exp((score - most) / SOFTNESS) for score in best.values()))


def about_a_patient(post, scored, trigger):
    """Whether the post as a whole is: by its candidates together, by a certain number, by a name that says so itself."""
    certain = any(c["confidence"] == "certain" for c in post.numbers) or any(c["sure"] for c in post.candidates)
    return certain or top(scored) >= trigger


def acted(post, scored, trigger, deny):
    """The spans that the shipped policy acts on."""
    spans = [(c["start"], c["end"]) for c in post.numbers if c["confidence"] not in (None, "low")]
    if about_a_patient(post, scored, trigger):
        # Patterns say themselves how sure they are; only what composers propose is weighed.
        spans += [(c["start"], c["end"]) for c, s in scored if (s >= deny or c["sure"]) and c["kind"] != "hit"]
        spans += [(c["start"], c["end"]) for c in post.codes]
        spans += [(c["start"], c["end"]) for c in post.hits if c["confidence"] not in (None, "low")]
        names = {post.text[c["start"] : c["end"]].lower() for c, s in scored if c["kind"] == "name" and s >= deny}
        for word in {w for name in names for w in name.split() if len(w) > 2}:
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
    """Percent covered, safe (all covered, or blocked), alarmed, safe among the obfuscated; found and marked by label."""
    n = collections.Counter()
    labels = collections.defaultdict(lambda: [0, 0])
    for post, candidates in zip(posts, scored):
        spans = acted(post, candidates, trigger, deny)
        if post.clean:
            n["clean"] += 1
            n["alarmed"] += bool(spans)
            continue
        hits = covered(post, spans)
        # The shipped policy blocks a post for a number that identifies by itself.
        numbers = any(c["confidence"] not in (None, "low") for c in post.numbers)
        safe = all(hits) or numbers or (post.codes and about_a_patient(post, candidates, trigger))
        n["phi"] += 1
        n["safe"] += bool(safe)
        n["spans"] += len(hits)
        n["covered"] += sum(hits)
        if post.obfuscated:
            n["obfuscated"] += 1
            n["obfuscated-safe"] += bool(safe)
        for (_, _, label), hit in zip(post.spans, hits):
            labels[label][0] += hit
            labels[label][1] += 1
    rate = lambda a, b: 100 * n[a] / n[b] if n[b] else math.nan
    return rate("covered", "spans"), rate("safe", "phi"), rate("alarmed", "clean"), rate("obfuscated-safe", "obfuscated"), labels


def trigger_for(posts, scored, alarmed):
    """The trigger at which so many percent of clean posts would alarm, those that alarm at any trigger counted in."""
    anyway = lambda p: math.inf if acted(p, [], math.inf, 0.0) else -math.inf
    best = sorted((max(top(s), anyway(p)) for p, s in zip(posts, scored) if p.clean), reverse=True)
    allowed = int(len(best) * alarmed / 100)
    at = best[min(allowed, len(best) - 1)]
    return at + 1e-6 if math.isfinite(at) else 99.0


def out_of_fold(judged, always):
    """Scores of every judged post by a fit that has not seen its author."""
    scored = {}
    for author in sorted({p.author for p in judged}):
        fitted = Fitted([p for p in judged if p.author != author] + always)
        held = [p for p in judged if p.author == author]
        scored.update({id(p): s for p, s in zip(held, fitted.scores(held))})
    return [scored[id(p)] for p in judged]


def ceiling(posts):
    """Percent of identifiers that anything proposes, before any scoring."""
    hits = []
    for post in (p for p in posts if not p.clean):
        spans = [(c["start"], c["end"]) for c in post.candidates + post.hits + post.numbers + post.codes]
        hits.extend(covered(post, spans))
    return 100 * sum(hits) / max(1, len(hits))


def measure(judged, always):
    held_out = collections.defaultdict(list)
    exact = collections.defaultdict(list)
    totals = collections.defaultdict(lambda: [0, 0])
    print("author             proposed  at 5 % of the others' clean posts")
    for author in sorted({p.author for p in judged}):
        rest = [p for p in judged if p.author != author]
        held = [p for p in judged if p.author == author]
        inner = out_of_fold(rest, always)
        scores = Fitted(rest + always).scores(held)
        for level in LEVELS:
            trigger = trigger_for(rest, inner, level)
            *figures, labels = report(held, scores, trigger, trigger - DENY)
            held_out[level].append(figures)
            trigger = trigger_for(held, scores, level)
            exact[level].append(report(held, scores, trigger, trigger - DENY)[:4])
            if level == 5:
                print(
                    f"{author:18} {ceiling(held):6.1f}    covered {figures[0]:.1f} safe {figures[1]:.1f}"
                    f" alarmed {figures[2]:.1f} obfuscated safe {figures[3]:.1f}"
                )
                for label, (a, b) in labels.items():
                    totals[label][0] += a
                    totals[label][1] += b
    for title, curve in (
        ("thresholds chosen on the other authors, mean (worst)", held_out),
        ("the curve: thresholds at which the left-out author's clean posts alarm so often, mean (worst)", exact),
    ):
        print(title)
        for level in LEVELS:
            rows = numpy.array(curve[level])
            mean = numpy.nanmean(rows, axis=0)
            print(
                f"  {level:2} %: covered {mean[0]:.1f} ({rows[:, 0].min():.1f})  safe {mean[1]:.1f} ({rows[:, 1].min():.1f})"
                f"  alarmed {mean[2]:.1f} ({rows[:, 2].max():.1f})  obfuscated safe {mean[3]:.1f}"
            )
    print("  ".join(f"{label} {a}/{b}" for label, (a, b) in sorted(totals.items(), key=lambda t: -t[1][1])))


def likeness(posts, words):
    """Weights for being a person's name at all, fitted on everybody's names."""
    rows, y, weight = [], [], []
    for post in posts:
        public = post.author.startswith("tweets")
        names = [s for s in post.spans if s[2] == "NAME"] + ([] if public else post.people)
        for c in post.candidates:
            if c["kind"] != "name":
                continue
            rows.append(list(known(c["features"], words)))
            y.append(float(overlap(c["start"], c["end"], names)))
            # Handles, and what only may be a name, teach nothing.
            weight.append(0.0 if public and overlap(c["start"], c["end"], post.people) else 1.0)
    index = {f: i for i, f in enumerate(sorted({f for row in rows for f in row}))}
    w = regress(table(rows, index), numpy.array(y), numpy.array(weight), index, STRENGTH / 2)
    return {f: w[i] for f, i in index.items()}


def alike(posts, weights, words):
    """Each post's name candidates with their likeness."""
    score = lambda c: sum(weights.get(f, 0.0) for f in known(c["features"], words))
    return [[(c, score(c)) for c in post.candidates if c["kind"] == "name"] for post in posts]


def touched(posts, scored, threshold):
    """Percent of persons' names that are covered, and of all other words that are touched."""
    hits, n_words, n_touched = [], 0, 0
    for post, candidates in zip(posts, scored):
        spans = [(c["start"], c["end"]) for c, score in candidates if score >= threshold]
        names = [label == "NAME" for _, _, label in post.spans]
        hits += [hit for hit, name in zip(covered(post, spans), names) if name]
        for word in WORD.finditer(post.text):
            if not overlap(*word.span(), post.spans) and not overlap(*word.span(), post.people):
                n_words += 1
                n_touched += overlap(*word.span(), spans)
    return 100 * sum(hits) / max(1, len(hits)), 100 * n_touched / max(1, n_words)


def likeness_threshold(posts, tweets, words):
    """The likeness at which TOUCHED percent of other words count as names, on tweets that were left out."""
    scored, order = [], []
    for fold in range(5):
        held = [t for i, t in enumerate(tweets) if i % 5 == fold]
        weights = likeness(posts + [t for i, t in enumerate(tweets) if i % 5 != fold], words)
        scored += alike(held, weights, words)
        order += held
    low, high = -10.0, 10.0
    for _ in range(20):
        middle = (low + high) / 2
        if touched(order, scored, middle)[1] > TOUCHED:
            low = middle
        else:
            high = middle
    figures = touched(order, scored, high)
    print(f"names in public posts, left out: {figures[0]:.1f} % covered, {figures[1]:.2f} % of other words touched")
    return high


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

HEAD = """\
# What each feature of a candidate is worth: log-odds, fitted by tools/fit.py on posts by many hands.
# A candidate's score is the sum of its own features and of those of its post (`care`). A post is about a patient
# if its best candidates, one of each kind, together reach `trigger`; then everything down to `deny` is a finding, from
# `high` on of high confidence. Elsewhere a candidate is of low confidence if its likeness reaches `low`.

[thresholds]
"""

WORDS_HEAD = """\
# What single words are worth, fitted by tools/fit.py: the word, then `post` for anywhere in a post, or the kind of a
# candidate and where beside it the word stands; `like` is a name's likeness. `<name>` stands for a word of a candidate.
"""


def write(judged, always, tweets, folder, aim):
    trigger = trigger_for(judged, out_of_fold(judged, always), aim)
    fitted = Fitted(judged + always)
    weights = {f: fitted.w[i] for f, i in fitted.index.items()}
    like = likeness(judged + always + tweets, fitted.words)
    if tweets:
        like["name:bias"] -= likeness_threshold(judged + always, tweets, fitted.words)
    weights |= {f.replace("name:", "name-likeness:", 1): w for f, w in like.items()}
    sections, words = collections.defaultdict(dict), {w: [] for w in fitted.words}
    for feature, value in sorted(weights.items()):
        section, name = feature.split(":", 1)
        seat, equals, word = name.partition("=")
        if not equals:
            if abs(value) >= 0.015 or name == "bias":
                sections[section][name] = value
        elif abs(value) >= 0.02:
            place = "post" if seat == "has" else f"{section.replace('name-likeness', 'like')}-{seat}"
            words.setdefault(word, []).append(f"{place} {value:.2f}")
    with open(folder / "weights.toml", "w", encoding="utf-8") as out:
        out.write(HEAD)
        out.write(f"trigger = {trigger:.3f}\ndeny = {trigger - DENY:.3f}\nhigh = {trigger + 2:.3f}\nlow = 0.0\n")
        for section in ("care", "name", "name-likeness", "date", "place", "age", "hit"):
            out.write(f"\n[{section}]\n")
            for feature, value in sorted(sections[section].items(), key=lambda t: (t[0] != "bias", t[0])):
                out.write(f"{feature} = {value:.2f}\n")
        out.write(HAND)
    with open(folder / "weights-words.tsv", "w", encoding="utf-8") as out:
        out.write(WORDS_HEAD)
        for word, fields in sorted(words.items()):
            out.write("\t".join([word, *fields]) + "\n")


def main():
    arguments = sys.argv[1:]
    if len(arguments) < 3 or arguments[0] not in ("measure", "write"):
        sys.exit(__doc__)
    what, binary, *rest = arguments
    folder = pathlib.Path(rest.pop(0)) if what == "write" else None
    judged, always, tweets = [], [], []
    for path in rest:
        posts = load(binary, path)
        author = pathlib.Path(path).stem
        if author.startswith("staff-posts"):
            judged += posts
        elif author.startswith("tweets"):
            tweets += posts
        else:
            always += posts[::2] if author in PUBLIC else posts
    if what == "measure":
        measure(judged, always)
    else:
        write(judged, always, tweets, folder, aim=5)


if __name__ == "__main__":
    main()
