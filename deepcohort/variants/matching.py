"""Called and true variants compared by the haplotypes that they spell, not by how they are written.

Both sides are laid on the reference from left to right, on two haplotypes each. A step takes the next
variant of either side and leaves it out or puts it on one haplotype (on both where it is homozygous); the
true and the called haplotype must never differ in what both have spelled so far. Of all ways the one that
keeps most variants wins, as in Cleary et al. (2015, bioRxiv 023754). Where the same variant stands on both
sides, ways that keep it win over ways that do not. Ways that have led to the same place are made one, so that
the work grows with how much is open at a time, not with the number of variants.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TRUTH, CALLS = 0, 1
"""The two sides."""

GAP = 100
"""Variants with this many bases of reference between them are compared apart."""

MOST_STATES = 1024
"""Ways that are followed at a time; beyond it those that keep the fewest variants are given up."""

Bools = NDArray[np.bool_]


class Unit(NamedTuple):
    """One allele of one person, as a change of the reference: the smallest thing that is right or wrong.

    The bases ``start`` to ``end`` (0-based, end left out) become ``bases``, on one haplotype or on both
    (``copies`` 1 or 2). ``key`` is the allele's normalised position (1-based), REF and ALT. Units of one
    ``record`` that are on one haplotype only stay together where ``allele`` is the same, and apart elsewhere.
    """

    start: int
    end: int
    bases: str
    copies: int
    key: tuple[int, str, str]
    record: int
    allele: int

    @property
    def reach(self) -> tuple[int, int]:
        """First base and end of all places where this change may be written."""
        return min(self.start, self.key[0] - 1), self.end


class Hap(NamedTuple):
    """A haplotype of both sides: bases of the reference used up, and what one side has spelled ahead.

    ``ahead`` is the text; ``leader`` the side that is ahead. ``inserted`` says for each side that its last
    change is an insertion right here, where no second may be.
    """

    at: tuple[int, int]
    inserted: tuple[bool, bool]
    leader: int
    ahead: str


class Way(NamedTuple):
    """A way so far: how many exact units and units in all it keeps, and its last step."""

    exact: int
    kept: int
    path: "Path | None"


class Path(NamedTuple):
    """The units that a way keeps, the last first."""

    number: int
    before: "Path | None"


Links = tuple[tuple[tuple[int, int], int], ...]
State = tuple[tuple[Hap, ...], Links]


@dataclass(frozen=True)
class Matched:
    """What was found: which units are right, of truth and of calls (bool[n] each).

    ``allele`` (bool[n] each): units that are wrong only in their genotype. ``block`` int64[n] each: the block
    in which a unit was compared. ``pair``: for calls, the truth's unit of the same allele and genotype, else
    -1. ``cut_short``: blocks in which not all ways could be followed.
    """

    right: tuple[Bools, Bools]
    allele: tuple[Bools, Bools]
    block: tuple[NDArray[np.int64], NDArray[np.int64]]
    pair: NDArray[np.int64]
    cut_short: int


def match(reference: bytes, truth: Sequence[Unit], calls: Sequence[Unit]) -> Matched:
    """Compare the units of one chromosome; ``reference`` is all of it, in capitals."""
    sides = (truth, calls)
    right = (np.zeros(len(truth), bool), np.zeros(len(calls), bool))
    allele = (np.zeros(len(truth), bool), np.zeros(len(calls), bool))
    block = (np.zeros(len(truth), np.int64), np.zeros(len(calls), np.int64))
    pair = _exact(truth, calls)
    right[CALLS][pair >= 0] = True
    right[TRUTH][pair[pair >= 0]] = True
    cut_short = 0
    for number, members in enumerate(_blocks(sides)):
        for side, i in members:
            block[side][i] = number
        if all(right[side][i] for side, i in members):
            continue
        search = _Search(reference, sides, members, right, ploidy=2)
        for side, i in search.kept():
            right[side][i] = True
        cut_short += search.cut_short
        wrong = [(side, i) for side, i in members if not right[side][i]]
        for side, i in _alleles(reference, sides, wrong):
            allele[side][i] = True
    return Matched(right, allele, block, pair, cut_short)


def _exact(truth: Sequence[Unit], calls: Sequence[Unit]) -> NDArray[np.int64]:
    """The truth's unit of the same allele and copies for each call, each taken once; -1 for none."""
    waiting: dict[tuple[tuple[int, str, str], int], list[int]] = defaultdict(list)
    for i in reversed(range(len(truth))):
        waiting[truth[i].key, truth[i].copies].append(i)
    pair = np.full(len(calls), -1, np.int64)
    for i, call in enumerate(calls):
        same = waiting.get((call.key, call.copies))
        if same:
            pair[i] = same.pop()
    return pair


def _blocks(sides: tuple[Sequence[Unit], Sequence[Unit]]) -> list[list[tuple[int, int]]]:
    """Units (side, number) in the order of the search, cut where ``GAP`` bases lie between."""
    units = [(side, i) for side in (TRUTH, CALLS) for i in range(len(sides[side]))]
    units.sort(key=lambda unit: sides[unit[0]][unit[1]].reach)
    blocks: list[list[tuple[int, int]]] = []
    last = 0
    for side, i in units:
        first, end = sides[side][i].reach
        if not blocks or first - last >= GAP:
            blocks.append([])
        blocks[-1].append((side, i))
        last = max(last, end)
    return blocks


def _alleles(
    reference: bytes, sides: tuple[Sequence[Unit], Sequence[Unit]], wrong: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Those of the wrong units whose alleles are on the other side too, however many copies are."""
    by_key: dict[tuple[int, str, str], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, i in wrong:
        by_key[sides[side][i].key][side].append(i)
    found = []
    for own, other in by_key.values():
        both = min(len(own), len(other))
        found += [(TRUTH, i) for i in own[:both]] + [(CALLS, i) for i in other[:both]]
    known = set(found)
    rest = [unit for unit in wrong if unit not in known]
    if {side for side, _ in rest} == {TRUTH, CALLS}:
        nothing = (np.zeros(len(sides[0]), bool), np.zeros(len(sides[1]), bool))
        found += _Search(reference, sides, rest, nothing, ploidy=1).kept()
    return found


@dataclass
class _Search:
    """The search over one block; ``ploidy`` 1 puts every unit on one haplotype, whatever its copies."""

    reference: bytes
    sides: tuple[Sequence[Unit], Sequence[Unit]]
    members: list[tuple[int, int]]
    exact: tuple[Bools, Bools]
    ploidy: int
    cut_short: bool = False
    last_of: dict[tuple[int, int], int] = field(default_factory=dict)
    first_allele: dict[tuple[int, int], int] = field(default_factory=dict)

    def kept(self) -> list[tuple[int, int]]:
        """Units (side, number) that the best way keeps."""
        self.members = sorted(self.members, key=lambda m: (*self._unit(m)[:3], m))
        self._find_links()
        start = min(self._unit(member).start for member in self.members)
        hap = Hap((start, start), (False, False), TRUTH, "")
        states: dict[State, Way] = {((hap,) * self.ploidy, ()): Way(0, 0, None)}
        for number, member in enumerate(self.members):
            states = self._step(states, number, member)
        end = max(self._unit(member).end for member in self.members)
        done = [(state, way) for state, way in self._moved(states, end).items() if _level(state)]
        _, _, path = max((way for _, way in done), key=lambda way: way[:2])
        kept = []
        while path is not None:
            kept.append(self.members[path.number])
            path = path.before
        return kept

    def _unit(self, member: tuple[int, int]) -> Unit:
        return self.sides[member[0]][member[1]]

    def _find_links(self) -> None:
        """Note records with several units on one haplotype: their last step, and their first allele."""
        members = defaultdict(list)
        for number, member in enumerate(self.members):
            if self._unit(member).copies == 1:
                members[member[0], self._unit(member).record].append(number)
        for record, numbers in members.items():
            if len(numbers) > 1 and self.ploidy == 2:
                self.last_of[record] = numbers[-1]
                self.first_allele[record] = self._unit(self.members[numbers[0]]).allele

    def _moved(self, states: dict[State, Way], to: int) -> dict[State, Way]:
        """Spell the reference up to ``to``; ways whose two sides differ then end."""
        moved: dict[State, Way] = {}
        for (haps, links), way in states.items():
            new = tuple(self._spelled(hap, to) for hap in haps)
            if None not in new:
                _keep(moved, [hap for hap in new if hap is not None], links, way)
        return moved

    def _spelled(self, hap: Hap, to: int) -> Hap | None:
        first, second = hap.at
        if first == second and not hap.ahead:
            return hap if first >= to else Hap((to, to), (False, False), TRUTH, "")
        for side in (TRUTH, CALLS):
            if hap.at[side] < to:
                text = self.reference[hap.at[side] : to].decode()
                moved = _added(hap, side, text, to, inserted=False)
                if moved is None:
                    return None
                hap = moved
        return hap

    def _step(self, states: dict[State, Way], number: int, member: tuple[int, int]) -> dict[State, Way]:
        side, unit = member[0], self._unit(member)
        exact = int(self.exact[side][member[1]])
        states = self._moved(states, unit.start)
        after: dict[State, Way] = {}
        record = (side, unit.record)
        over = self.last_of.get(record) == number
        for (haps, links), way in states.items():
            ended = tuple(link for link in links if link[0] != record) if over else links
            _keep(after, haps, ended, way)
            kept = Way(way.exact + exact, way.kept + 1, Path(number, way.path))
            for chosen, linked in self._choices(unit, record, links):
                new = [_with(hap, side, unit) if h in chosen else hap for h, hap in enumerate(haps)]
                if None not in new:
                    ended = tuple(link for link in linked if link[0] != record) if over else linked
                    _keep(after, [hap for hap in new if hap is not None], ended, kept)
        return self._pruned(after)

    def _choices(
        self, unit: Unit, record: tuple[int, int], links: Links
    ) -> list[tuple[tuple[int, ...], Links]]:
        """Haplotypes that a unit may be put on, and what is then known of its record's others."""
        if self.ploidy == 1:
            return [((0,), links)]
        if unit.copies == 2:
            return [((0, 1), links)]
        if record not in self.last_of:
            return [((0,), links), ((1,), links)]
        turned = int(unit.allele != self.first_allele[record])
        known = dict(links).get(record)
        if known is not None:
            return [((known ^ turned,), links)]
        return [((hap,), tuple(sorted((*links, (record, hap ^ turned))))) for hap in (0, 1)]

    def _pruned(self, states: dict[State, Way]) -> dict[State, Way]:
        if len(states) <= MOST_STATES:
            return states
        self.cut_short = True
        ranked = sorted(states.items(), key=lambda item: item[1][:2], reverse=True)
        # Level ways can always go on; without one the search could end with nothing.
        level = [item for item in ranked if _level(item[0])]
        return dict(ranked[:MOST_STATES] + level)


def _with(hap: Hap, side: int, unit: Unit) -> Hap | None:
    """Put a unit on a haplotype of one side; None where the place is taken or the sides then differ."""
    insertion = unit.start == unit.end
    if hap.at[side] > unit.start or (insertion and hap.inserted[side]):
        return None
    return _added(hap, side, unit.bases, unit.end, inserted=insertion)


def _added(hap: Hap, side: int, text: str, to: int, *, inserted: bool) -> Hap | None:
    """Let one side spell on; None where it says another base than the other side does."""
    at = (to, hap.at[CALLS]) if side == TRUTH else (hap.at[TRUTH], to)
    flags = (inserted, hap.inserted[CALLS]) if side == TRUTH else (hap.inserted[TRUTH], inserted)
    if not hap.ahead or hap.leader == side:
        ahead = hap.ahead + text
        return Hap(at, flags, side if ahead else TRUTH, ahead)
    shared = min(len(text), len(hap.ahead))
    if text[:shared] != hap.ahead[:shared]:
        return None
    if len(text) > shared:
        return Hap(at, flags, side, text[shared:])
    ahead = hap.ahead[shared:]
    return Hap(at, flags, hap.leader if ahead else TRUTH, ahead)


def _level(state: State) -> bool:
    return all(hap.at[TRUTH] == hap.at[CALLS] and not hap.ahead for hap in state[0])


def _keep(states: dict[State, Way], haps: Sequence[Hap], links: Links, way: Way) -> None:
    """Take a way in, under one name for both orders of the haplotypes, if it is the best that leads there."""
    state: State = (tuple(haps), links)
    if len(haps) == 2:
        turned = tuple((record, 1 - hap) for record, hap in links)
        state = min(state, (tuple(reversed(haps)), turned))
    known = states.get(state)
    if known is None or way[:2] > known[:2]:
        states[state] = way
