"""Quality of imputed sites as the imputation estimates it: INFO R2 by frequency and along chromosomes."""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import genome_order
from deepcohort.report.sections import PALETTE, Line, Section, lines

COLUMNS = ("chrom", "pos", "id", "ref", "alt", "typed", "raf", "af", "r2", "er2")

CLASSES = {"rare (MAF below 0.5 %)": 0.005, "low (0.5 to 5 %)": 0.05, "common (5 % and more)": 1.0}
"""Upper ends of panel MAF by class."""

BARS = 20
"""Bars of the histogram of R2."""

STEP = 10_000
"""Bases of the finest window that is kept while files are read."""

POOR_ER2 = 0.3
"""Typed sites of a smaller ER2 are counted: what is imputed there without them does not fit them."""

WINDOWS = 150
"""Windows drawn for each chromosome, at most."""


@dataclass
class SiteSummary:
    """What is drawn of one chromosome of one cohort; its size does not grow with the number of sites."""

    cohort: str
    chrom: str
    imputed: int = 0
    typed: int = 0
    without_r2: int = 0
    histogram: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    windows: dict[str, dict[int, list[float]]] = field(default_factory=lambda: defaultdict(dict))
    """By class: number and sum of R2 in each window of ``STEP`` bases."""
    typed_windows: Counter[int] = field(default_factory=Counter)
    left_out: list[float] = field(default_factory=lambda: [0, 0.0, 0])
    """Of typed sites: how many have an ER2, its sum, and how many are below ``POOR_ER2``."""

    def add(self, pos: int, is_typed: bool, raf: float, r2: float | None, er2: float | None) -> None:
        """Take a site in."""
        if is_typed:
            self.typed += 1
            self.typed_windows[pos // STEP] += 1
            if er2 is not None:
                self.left_out[0] += 1
                self.left_out[1] += er2
                self.left_out[2] += er2 < POOR_ER2
            return
        self.imputed += 1
        if r2 is None:
            self.without_r2 += 1
            return
        maf = min(raf, 1 - raf)
        name = next(name for name, upper in CLASSES.items() if maf < upper)
        self.histogram[name][min(max(int(r2 * BARS), 0), BARS - 1)] += 1
        window = self.windows[name].setdefault(pos // STEP, [0, 0.0])
        window[0] += 1
        window[1] += r2


def summarise(path: Path) -> SiteSummary:
    """Read ``<cohort>.<chrom>.sites.tsv.gz`` line by line.

    Raises ``InputError`` where its name, its header or a number is not of that kind.
    """
    stem = path.name.removesuffix(".sites.tsv.gz")
    cohort, dot, chrom = stem.rpartition(".")
    if not dot or stem == path.name:
        raise InputError(f"{path.name}: not named <cohort>.<chrom>.sites.tsv.gz: rename the file")
    summary = SiteSummary(cohort, chrom)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        reader = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        header = tuple(next(reader, ()))
        if header != COLUMNS:
            raise InputError(f"{path.name}: its columns are not {', '.join(COLUMNS)}: make it with 'join'")
        for number, row in enumerate(reader, 2):
            try:
                _, pos, _, _, _, typed, raf, _, *told = row
                r2, er2 = (None if value == "NA" else float(value) for value in told)
                summary.add(int(pos), typed in ("1", "TYPED", "true"), float(raf), r2, er2)
            except (ValueError, StopIteration):
                raise InputError(
                    f"{path.name}: row {number} is not a site with numbers: make the file again with 'join'"
                ) from None
    return summary


def facts(summaries: list[SiteSummary]) -> list[str]:
    """What was imputed, and how typed sites are without themselves, in words."""
    said = []
    for cohort in _cohorts(summaries):
        own = [summary for summary in summaries if summary.cohort == cohort]
        imputed, typed = sum(s.imputed for s in own), sum(s.typed for s in own)
        chromosomes = "one chromosome" if len(own) == 1 else f"{len(own)} chromosomes"
        said.append(
            f"{cohort}: {imputed:,} sites of {chromosomes} were imputed from {typed:,} typed sites that the "
            "panel holds."
        )
        number, total, poor = (sum(s.left_out[place] for s in own) for place in range(3))
        if number:
            said.append(
                f"{cohort}: {number:,} typed sites were imputed without themselves, with a mean squared "
                f"correlation of {total / number:.2f} (ER2); {poor:,} of them are below {POOR_ER2}."
            )
    return said


def sections(summaries: list[SiteSummary]) -> list[Section]:
    """Histogram of INFO R2, and R2 and typed sites along each chromosome."""
    if not summaries:
        return []
    return [_histogram(summaries), _along(summaries), _typed(summaries)]


def _cohorts(summaries: Iterable[SiteSummary]) -> list[str]:
    return sorted({summary.cohort for summary in summaries})


def _histogram(summaries: list[SiteSummary]) -> Section:
    tabs: dict[str, list[Line]] = {}
    for cohort in _cohorts(summaries):
        drawn = []
        for color, name in zip(PALETTE, CLASSES, strict=False):
            counts: Counter[int] = Counter()
            for summary in summaries:
                if summary.cohort == cohort:
                    counts.update(summary.histogram.get(name, {}))
            total = counts.total()
            if total:
                points = [((bar + 0.5) / BARS, 100 * counts[bar] / total) for bar in range(BARS)]
                drawn.append(Line(f"{name}: {total:,} sites", points, color))
        if drawn:
            tabs[cohort] = drawn
    data, settings = lines(
        tabs, "% of the imputed sites", xlab="INFO R2 (estimated)", xmin=0, xmax=1, ymin=0, x_decimals=2
    )
    return Section(
        "info_r2_histogram", "imputation", "INFO R2 of imputed sites",
        "How sure the imputation is of its own sites: the estimated squared correlation of dosage and "
        "truth (INFO/R2), from 0 (no information) to 1. Many users keep sites of at least 0.3 for "
        "association tests and 0.8 for single variants. Typed sites are not counted.",
        "linegraph", data, settings,
    )  # fmt: skip


def _by_chromosome(summaries: list[SiteSummary]) -> dict[str, list[SiteSummary]]:
    found: dict[str, list[SiteSummary]] = {}
    for summary in sorted(summaries, key=lambda s: (genome_order(s.chrom), s.cohort)):
        found.setdefault(summary.chrom, []).append(summary)
    return found


def _width(summaries: list[SiteSummary]) -> int:
    """Steps in a drawn window, so that a chromosome has at most ``WINDOWS``."""
    steps = [step for s in summaries for window in s.windows.values() for step in window]
    steps += [step for s in summaries for step in s.typed_windows]
    return max(1, -(-(max(steps) - min(steps) + 1) // WINDOWS)) if steps else 1


def _middle(window: int, width: int) -> float:
    """Middle of a drawn window in Mb."""
    return round((window + 0.5) * width * STEP / 1e6, 4)


def _along(summaries: list[SiteSummary]) -> Section:
    tabs: dict[str, list[Line]] = {}
    for chrom, here in _by_chromosome(summaries).items():
        width = _width(here)
        drawn = []
        for number, summary in enumerate(here):
            for color, name in zip(PALETTE, CLASSES, strict=False):
                merged: dict[int, list[float]] = {}
                for step, (count, total) in summary.windows.get(name, {}).items():
                    window = merged.setdefault(step // width, [0, 0.0])
                    window[0] += count
                    window[1] += total
                points = [(_middle(w, width), total / count) for w, (count, total) in sorted(merged.items())]
                label = f"{summary.cohort}: {name}" if len(_cohorts(summaries)) > 1 else name
                if points:
                    drawn.append(Line(label, points, color, ("solid", "dash", "dot")[number % 3]))
        if drawn:
            tabs[f"chr{chrom.removeprefix('chr')}"] = drawn
    data, settings = lines(tabs, "mean INFO R2", xlab="position (Mb)", ymin=0, ymax=1)
    return Section(
        "info_r2_along_chromosome", "imputation", "INFO R2 along the chromosome",
        "Mean estimated R2 of the imputed sites in windows along the chromosome. A dip means too few typed "
        "sites (see below), a repeat-rich stretch, or haplotypes that the panel does not hold; a step "
        "would mean that neighbouring chunks do not fit.",
        "linegraph", data, settings,
    )  # fmt: skip


def _typed(summaries: list[SiteSummary]) -> Section:
    tabs: dict[str, list[Line]] = {}
    for chrom, here in _by_chromosome(summaries).items():
        width = _width(here)
        drawn = []
        for number, summary in enumerate(here):
            merged: Counter[int] = Counter()
            for step, count in summary.typed_windows.items():
                merged[step // width] += count
            if merged:
                spread = range(min(merged), max(merged) + 1)
                points = [(_middle(w, width), merged[w] / (width * STEP / 1e6)) for w in spread]
                drawn.append(Line(summary.cohort, points, PALETTE[number % len(PALETTE)]))
        if drawn:
            tabs[f"chr{chrom.removeprefix('chr')}"] = drawn
    data, settings = lines(tabs, "typed sites per Mb", xlab="position (Mb)", ymin=0)
    return Section(
        "typed_sites_along_chromosome", "imputation", "Typed sites along the chromosome",
        "How densely the input was typed at sites that the panel has. Usual arrays have 150 to 700 per Mb.",
        "linegraph", data, settings,
    )  # fmt: skip
