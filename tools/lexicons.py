#!/usr/bin/env python3
"""Builds the derived word lists of rules/lexicons/ from a folder of public tables.

    tools/lexicons.py DATA [OUT]

DATA holds names.tsv, words.tsv, nicknames.tsv, cities.tsv and counties.tsv; what they are and on which terms they
may be used stands in rules/lexicons/README.md, which also says what is done to them here. OUT is rules/lexicons
of this repository unless given. The lists in OUT/classes/ are written by hand and are not touched.
"""

import math
import pathlib
import sys
import unicodedata

N_FIRST = 20_000
N_LAST = 70_000
# Kin of words that the word list lacks: unlisted and with a capital they look like names.
CONTRACTIONS = """
arent cant couldnt didnt doesnt dont hadnt hasnt havent hed hell heres hes id ill im isnt itd itll its ive lets mightnt
mustnt neednt oughtnt shant shed shell shes shouldnt thatd thatll thats theres theyd theyll theyre theyve wasnt wed
well were werent weve whats wheres whos wont wouldnt yall youd youll youre youve aint gonna wanna gotta kinda sorta
lemme gimme dunno cmon ok okay yep nope yeah nah lol lmao omg wtf tbh imo btw fyi pls plz thx idk smh ugh haha hahaha
aww yay wow whoa hmm tho cuz bc im u ur rn asap etc vs via app apps online email emails wifi internet website blog
podcast selfie emoji hashtag tweet tweets zoom tiktok instagram facebook youtube linkedin reddit covid vax
""".split()


def fold(text):
    """Lower case, no marks, letters and spaces only."""
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c)).lower()
    text = text.replace("'", "").replace("’", "").replace(".", " ").replace("-", " ").replace("/", " ")
    return " ".join("".join(c for c in text if c.isalnum() or c == " ").split())


def rows(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def names(data):
    table = {}
    for token, first, last in rows(data / "names.tsv"):
        if len(token) >= 2 and token.isalpha():
            table[token] = (float(first), float(last))
    first = sorted((t for t in table if table[t][0] > 0), key=lambda t: -table[t][0])[:N_FIRST]
    last = sorted((t for t in table if table[t][1] > 0), key=lambda t: -table[t][1])[:N_LAST]
    first, last = set(first), set(last)
    for token in sorted(first | last):
        f, l = table[token]
        f = max(1, round(f * 10)) if token in first else 0
        l = max(1, round(l * 10)) if token in last else 0
        yield f"{token}\t{f}\t{l}"


def words(data):
    table = {}
    for word, frequency in rows(data / "words.tsv"):
        word = fold(word)
        if word and " " not in word:
            table[word] = max(table.get(word, 0), int(frequency))
    for word in CONTRACTIONS:
        table.setdefault(word, 8)
    for word in sorted(table):
        yield f"{word}\t{table[word]}"


def places(data):
    table = {}
    for name, _, population in rows(data / "cities.tsv"):
        name = fold(name)
        for end in (" city", " town", " village", " cdp"):
            if name.endswith(end) and name.count(" ") > 1:
                name = name[: -len(end)]
        if len(name) > 2:
            table[name] = table.get(name, 0) + int(population)
    for name, _, population in rows(data / "counties.tsv"):
        name = fold(name)
        if name.endswith((" county", " parish", " borough")):
            table.setdefault(name, int(population))
    for name in sorted(table):
        yield f"{name}\t{max(1, round(math.log10(max(table[name], 1))))}"


def nicknames(data):
    table = {}
    for name, nickname in rows(data / "nicknames.tsv"):
        name, nickname = fold(name), fold(nickname)
        if len(nickname) > 1 and " " not in nickname:
            names = table.setdefault(nickname, set())
            if len(name) > 1 and " " not in name and name != nickname:
                names.add(name)
    for nickname in sorted(table):
        yield f"{nickname}\t{' '.join(sorted(table[nickname]))}"


def main():
    data = pathlib.Path(sys.argv[1])
    here = pathlib.Path(__file__).resolve().parent.parent / "rules" / "lexicons"
    out = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else here
    lists = {
        "names.tsv": (names, "token, bearers in ten million as first name, as last name"),
        "words.tsv": (words, "word, frequency class 0 (rare) to 16 (very common)"),
        "places.tsv": (places, "city or county, power of ten of its people"),
        "nicknames.txt": (nicknames, "nickname, names it stands for"),
    }
    for name, (build, header) in lists.items():
        body = "\n".join(build(data))
        (out / name).write_text(f"# {header}; built by tools/lexicons.py, provenance in README.md\n{body}\n", encoding="utf-8")
        print(f"{name}: {body.count(chr(10)) + 1} rows")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main()
