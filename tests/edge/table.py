"""docs/edge.md's tables, from what came of one run: how many cases of each family each door holds, and how each answers."""

import re
from dataclasses import dataclass
from pathlib import Path

import clocks
from doors import NAMES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "edge.md"
BEGIN = "<!-- {}: made by tests/edge/compare.py in a run of tests/run edge -->"
END = "<!-- {}: end -->"


@dataclass(frozen=True)
class Result:
    """What came of one case at one door."""

    family: str
    name: str
    door: str
    transport: str
    fault: str | None
    shown: str = ""
    row: str = ""


class Tables:
    """The tables of one run."""

    def __init__(self, results, versions, order):
        self.results, self.versions, self.order = results, versions, order
        self.doors = [name for name in NAMES if name in versions]

    def families(self):
        found = {result.family for result in self.results}
        return [family for family in self.order if family in found]

    def counts(self):
        """One row for each family: how many cases, and how many each door holds."""
        heads = " | ".join(self._title(door) for door in NAMES)
        made = [f"| family | cases | {heads} |", "| --- | --- | --- | --- | --- |"]
        sums = dict.fromkeys([*NAMES, "all"], 0)
        for family in self.families():
            own = [result for result in self.results if result.family == family]
            n_all = len({(result.name, result.transport) for result in own})
            sums["all"] += n_all
            held = {door: sum(result.fault is None for result in own if result.door == door) for door in NAMES}
            for door in NAMES:
                sums[door] += held[door]
            made.append(f"| {family} | {n_all} | {self._cells(held)} |")
        made.append(f"| **all** | {sums['all']} | {self._cells(sums)} |")
        return "\n".join(made)

    def answers(self):
        """One row for each case that has words for it: what each door answered. Plain TCP and TLS must agree, or both are shown."""
        made = [f"| case | {' | '.join(self._title(door) for door in NAMES)} |", "| --- | --- | --- | --- |"]
        for row in dict.fromkeys(result.row for result in self.results if result.row):
            cells = []
            for door in NAMES:
                shown = dict.fromkeys(result.shown for result in self.results if result.row == row and result.door == door)
                cells.append(" / ".join(shown))
            made.append(f"| {row} | {' | '.join(cells)} |")
        return "\n".join(made)

    def clocks(self):
        """One row for each slow client: when each door ended it."""
        made = [f"| what a client does | {' | '.join(self._title(door) for door in NAMES)} |", "| --- | --- | --- | --- |"]
        own = [result for result in self.results if result.family == clocks.FAMILY]
        for name in dict.fromkeys(result.name for result in own):
            shown = {result.door: result.shown for result in own if result.name == name}
            made.append(f"| {name} | {' | '.join(shown.get(door, '') for door in NAMES)} |")
        return "\n".join(made)

    def write(self):
        page = PAGE.read_text()
        for name, text in (("families", self.counts()), ("answers", self.answers()), ("clocks", self.clocks())):
            found = _find(page, name)
            page = page[: found.start(1)] + text + "\n" + page[found.end(1) :].lstrip("\n")
        PAGE.write_text(page)

    def check(self):
        """What differs from what the page says of Postward, line by line."""
        page = PAGE.read_text()
        worse = []
        for name, text, columns in (("families", self.counts(), (1, 2)), ("answers", self.answers(), (1,))):
            old, new = (_cells_of(lines, columns) for lines in (_find(page, name).group(1), text))
            worse += [f"{row}: {new.get(row)}, not {old.get(row)}" for row in {**old, **new} if not _is_as_good(old.get(row), new.get(row))]
        return ["docs/edge.md says otherwise of Postward; `tests/run edge-table` writes it anew:", *worse] if worse else []

    def _title(self, door):
        version = self.versions.get(door, "")
        return f"{NAMES[door]} {version}".strip() if door != "postward" else NAMES[door]

    def _cells(self, held):
        return " | ".join(str(held[door]) if door in self.doors else "" for door in NAMES)


def _find(page, name):
    found = re.search(f"{re.escape(BEGIN.format(name))}\n(.*?)\n?{re.escape(END.format(name))}", page, re.DOTALL)
    if found is None:
        raise SystemExit(f"docs/edge.md lacks the comments\n{BEGIN.format(name)}\n{END.format(name)}")
    return found


def _is_as_good(old, new):
    """Whether a row says the same; of a count it may say more."""
    if old is None or new is None or len(old) < 2:
        return old == new
    return old[0] == new[0] and int(new[1]) >= int(old[1])


def _cells_of(text, columns):
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]
    return {row[0]: tuple(row[column] for column in columns) for row in rows}
