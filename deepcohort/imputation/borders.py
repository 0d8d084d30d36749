"""The phase of chunks that were phased apart, made one: what a part says at its borders, and what follows.

A chunk phases people over its padded stretch, so its neighbours know the sites on either side of their
common border too. There a person's last anchor before the border and the first one behind it (see
``consensus``) say how the haplotypes of one chunk lie to those of the next.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled
from deepcohort.genome.imputed_vcf import DIGITS, LENGTHS
from deepcohort.imputation.panel import PanelChunk
from deepcohort.imputation.unphased import Phase

LINE = "##phase_at_borders="
"""Start of the line in a part's header; a joined file has none."""

UNKNOWN = 0.5

Anchor = tuple[str, int]
"""A site (position:REF:ALT), and 1 where the first haplotype carries ALT, -1 where the second does."""


@dataclass(frozen=True)
class Border:
    """What a chunk knows of one person at one border: the anchors next to it, where it has any.

    confidence: chance that the relation of the two is right.
    """

    before: Anchor | None
    after: Anchor | None
    confidence: float


Borders = dict[str, list[Border | None]]
"""Under ``start`` and ``end``: the borders of a part's people; None for those whose input is phased."""


def borders_line(panel: PanelChunk, phase: Phase | None, n_people: int) -> str:
    """Write the header line of a part."""
    sides: dict[str, list[object]] = {"start": [None] * n_people, "end": [None] * n_people}
    people = [] if phase is None else phase.people.tolist()
    for column, person in enumerate(people):
        assert phase is not None
        anchors = np.flatnonzero(phase.consensus.order[:, column])
        order, confidence = phase.consensus.order[:, column], phase.consensus.confidence[:, column]
        for side, first_behind in (("start", panel.core[0]), ("end", panel.core[1] + 1)):
            place = int(np.searchsorted(panel.pos[phase.typed[anchors]], first_behind))
            near: list[object] = [
                [_site(panel, int(phase.typed[m])), int(order[m])] if m is not None else None
                for m in (
                    anchors[place - 1] if place > 0 else None,
                    anchors[place] if place < len(anchors) else None,
                )
            ]
            known = 0 < place < len(anchors)
            sure = round(float(confidence[anchors[place]]), 4) if known else UNKNOWN
            sides[side][person] = [*near, sure]
    return LINE + json.dumps(sides, separators=(",", ":")) + "\n"


def _site(panel: PanelChunk, site: int) -> str:
    return f"{panel.pos[site]}:{panel.ref[site]}:{panel.alt[site]}"


def read_borders(line: str) -> Borders:
    """Read what ``borders_line`` wrote."""

    def anchor(value: list[object] | None) -> Anchor | None:
        return None if value is None else (str(value[0]), int(str(value[1])))

    return {
        side: [None if one is None else Border(anchor(one[0]), anchor(one[1]), one[2]) for one in people]
        for side, people in json.loads(line.removeprefix(LINE)).items()
    }


@dataclass
class Ligation:
    """Follows people from chunk to chunk.

    turned: bool[n], whose haplotypes change places in the chunk at hand. confidence: for sites where it
    is not what the chunk itself says, by person.
    """

    turned: NDArray[np.bool_]
    confidence: dict[str, dict[int, float]] = field(default_factory=dict)
    _met: set[int] = field(default_factory=set)
    _ends: Sequence[Border | None] = ()

    def enter(self, parts: Iterable[Borders]) -> None:
        """Go on to the next chunk, whose batches lie side by side."""
        batches = list(parts)
        starts, ends = ([one for batch in batches for one in batch[side]] for side in ("start", "end"))
        self.confidence = {}
        for person, (left, right) in enumerate(zip(self._ends, starts, strict=True) if self._ends else ()):
            if right is None:  # phased in the input, or nothing to phase by
                self.turned[person] = False
                continue
            relation, confidence = joined(left, right)
            self.turned[person] ^= relation < 0
            if right.after is not None and person in self._met:
                self.confidence.setdefault(right.after[0], {})[person] = confidence
        self._ends = ends
        self._met |= {n for n, one in enumerate(ends) if one is not None and one.before is not None}


def joined(left: Border | None, right: Border) -> tuple[int, float]:
    """How the haplotypes of two chunks lie to each other (1: alike, -1: the other way round), and the chance
    that the anchors on either side of their border come out in right relation.

    Where both chunks know both anchors, the relation with the larger mean probability is taken.
    """
    if left is None:
        return 1, UNKNOWN
    here, there = _lie(left.before, right.before), _lie(left.after, right.after)
    if here and there:
        agree = here == there
        by_left, by_right = left.confidence, right.confidence
        if agree:
            return here, (by_left + by_right) / 2
        # By ``there`` the relation is the left chunk's, by ``here`` the right one's.
        if by_left >= by_right:
            return there, (by_left + 1 - by_right) / 2
        return here, (by_right + 1 - by_left) / 2
    if there:
        return there, left.confidence
    return (here, right.confidence) if here else (1, UNKNOWN)


def _lie(one: Anchor | None, other: Anchor | None) -> int:
    """Relation of two chunks at an anchor; 0 where they do not share it."""
    return one[1] * other[1] if one is not None and other is not None and one[0] == other[0] else 0


def turn_entries(entries: bytes, turned: NDArray[np.bool_], hds: int) -> bytes:
    """Swap the haplotypes of people in one site's entries (with tabs between); hds: its field, -1: none."""
    text = np.frombuffer(entries, np.uint8).copy()
    _turn(text, turned, hds)
    return text.tobytes()


@compiled
def _turn(text: NDArray[np.uint8], turned: NDArray[np.bool_], hds: int) -> None:
    tab, newline, colon, comma, bar = 9, 10, 58, 44, 124
    at = 0
    for person in range(len(turned)):
        start, number = at, 0
        while True:
            end, middle = start, -1
            while end < len(text) and text[end] != colon and text[end] != tab and text[end] != newline:
                if text[end] == comma:
                    middle = end
                end += 1
            if turned[person] and number == 0 and end - start == 3 and text[start + 1] == bar:
                text[start], text[start + 2] = text[start + 2], text[start]
            if turned[person] and number == hds and middle >= 0:
                first, second = text[start:middle].copy(), text[middle + 1 : end].copy()
                text[start : start + len(second)] = second
                text[start + len(second)] = comma
                text[start + len(second) + 1 : end] = first
            start, number = end + 1, number + 1
            if end >= len(text) or text[end] != colon:
                break
        at = start


def set_confidence(entries: bytes, confidence: dict[int, float], place: int) -> bytes:
    """Replace the confidence (field ``place``) of some people at one site."""
    cells = entries.split(b"\t")
    for person, value in confidence.items():
        fields = cells[person].split(b":")
        ending = b"\n" if fields[place].endswith(b"\n") else b""
        thousandths = int(1000 * value + 0.5)
        fields[place] = DIGITS[thousandths, : LENGTHS[thousandths]].tobytes() + ending
        cells[person] = b":".join(fields)
    return b"\t".join(cells)
