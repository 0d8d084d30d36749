"""Bring a cohort and a labelled panel together: sites that both have, read once, cut into windows."""

import logging
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from deepcohort.genome.builds import build_of
from deepcohort.genome.errors import InputError
from deepcohort.genome.families import groups_of, relatives
from deepcohort.genome.genotypes import alt_copies, genotypes_of
from deepcohort.genome.harmonise import AGREEMENTS, DROPS, match_sites
from deepcohort.genome.progress import progress
from deepcohort.genome.regions import chrom_key, genome_order
from deepcohort.genome.samples import read_labels, read_pedigree
from deepcohort.genome.vcf import Sites, open_vcf, read_header, read_sites, records
from deepcohort.population.artificial import ArtificialFiles, read_artificial
from deepcohort.population.people import duplicates, labelled, split
from deepcohort.population.study import ARTIFICIAL, INPUT, MISSING, PANEL, Int8, Int64, Study, Window

log = logging.getLogger(__name__)

MIN_FREQUENCY = 0.01
"""Rarer alleles of the panel tell little of populations that are learnt from some dozens of people."""

AT_ONCE = 512
"""Sites that are read before they are turned to people's rows."""

Site = tuple[str, int, str, str]
"""Chromosome, position, REF and ALT of the panel."""


@dataclass(frozen=True)
class Known:
    """What trained networks ask for: their windows (chromosome and sites by name), and each person's fold."""

    windows: dict[str, tuple[str, list[tuple[int, str, str]]]]
    fold: dict[str, int]


@dataclass(frozen=True)
class Stretch:
    """Shared sites of one chromosome: files, contigs and records of both, whether turned round, and names."""

    panel: Path
    panel_contig: str
    panel_record: Int64
    target: Path
    target_contig: str
    target_record: Int64
    swapped: NDArray[np.bool_]
    sites: list[Site]

    def only(self, kept: NDArray[np.bool_]) -> "Stretch":
        """Some of the sites."""
        sites = [site for site, keep in zip(self.sites, kept, strict=True) if keep]
        return Stretch(
            self.panel, self.panel_contig, self.panel_record[kept],
            self.target, self.target_contig, self.target_record[kept], self.swapped[kept], sites,
        )  # fmt: skip


def gather(
    cohort: str,
    panel: Sequence[Path],
    target: Sequence[Path],
    labels: Path,
    out: Path,
    *,
    pedigree: Path | None = None,
    known: Known | None = None,
    artificial: ArtificialFiles | None = None,
    min_sites: int = 500,
    max_sites: int = 100_000,
    window_sites: int = 4000,
    folds: int = 5,
    seed: int = 1,
) -> Study:
    """Read both at the sites they share and write a ``Study`` into the folder ``out``.

    Single-ALT sites are matched by position and alleles. Where more than ``max_sites`` are shared, that many
    are taken evenly. Sites that do not vary in the panel (MAF below ``MIN_FREQUENCY``), or that nobody of the
    cohort has, are left out. All of it is counted. ``artificial`` people are in no fold.
    Raises ``InputError`` where builds differ, fewer than ``min_sites`` are left, files of one cohort have
    other people, or labels do not fit.
    """
    counts: Counter[str] = Counter()
    _require_one_build(panel, target)
    panel_names, names = _people_of(panel, "panel"), _people_of(target, "cohort")
    everybody = read_labels(labels)
    chosen, label, populations, continent, superpopulations = labelled(panel_names, everybody, labels)
    notes = _notes_on_people(cohort, panel_names, names, chosen, everybody)
    stretches = _shared(panel, target, counts)
    shared = sum(len(stretch.sites) for stretch in stretches)
    _require_sites(cohort, shared, min_sites, "shared by panel and input")
    if shared > max_sites:
        stretches = _thinned(stretches, max_sites)
        counts["thinned"] = shared - max_sites
    out.mkdir(parents=True, exist_ok=True)
    sites = [site for stretch in stretches for site in stretch.sites]
    ours = _copies(stretches, "panel", chosen, out / f"all.{PANEL}")
    theirs = _copies(stretches, "target", names, out / f"all.{INPUT}")
    kept = _informative(ours, theirs, counts)
    _require_sites(cohort, len(kept), min_sites, "shared and varying in the panel")
    panel_copies, people = ours[:, kept], _kept_on_disk(theirs, kept, out / INPUT)
    for name in (PANEL, INPUT):
        (out / f"all.{name}").unlink()
    pairs = duplicates(panel_copies, chosen)
    counts["duplicates_in_panel"] = len(pairs)
    group = groups_of(chosen, pairs + (relatives(read_pedigree(pedigree)) if pedigree else []))
    counts["people_in_groups"] = int((np.bincount(group)[group] > 1).sum())
    if known and known.fold:
        fold = _known_folds(chosen, group, known.fold)
    else:
        fold = split(label, group, folds, seed)
    counts["used"] = len(kept)
    made = None
    if artificial:
        made = read_artificial(artificial, [sites[i] for i in kept], populations, chosen, group, fold)
        made.save(out / ARTIFICIAL)
        counts["artificial_people"] = len(made.label)
        counts["sites_of_artificial_people"] = int((made.copies >= 0).any(axis=0).sum())
        counts["held_out_from_their_generator"] = int(made.strangers.sum())
    study = Study(
        cohort, panel_copies, people, chosen, names, label, populations, continent, superpopulations,
        fold, _windows([sites[i] for i in kept], window_sites, known), dict(counts), notes,
        made,
    )  # fmt: skip
    study.save_facts(out)
    np.save(out / PANEL, panel_copies)
    log.info("%s: %s", cohort, ", ".join(f"{what} {number:,}" for what, number in counts.items()))
    return study


def _require_one_build(panel: Sequence[Path], target: Sequence[Path]) -> None:
    for ours in panel:
        for theirs in target:
            builds = [build_of(read_header(path).contigs) for path in (ours, theirs)]
            if None not in builds and builds[0] != builds[1]:
                raise InputError(
                    f"{theirs.name} is of {builds[1]}, but the panel {ours.name} of {builds[0]}: lift one of "
                    "them over (bcftools +liftover, CrossMap)"
                )


def _people_of(files: Sequence[Path], kind: str) -> list[str]:
    """The people, who must be the same in all files of a cohort; of a panel, those whom all files have."""
    lists = [read_header(path).samples for path in files]
    if kind == "cohort":
        for path, names in zip(files, lists, strict=True):
            if set(names) != set(lists[0]):
                raise InputError(
                    f"{path.name}: its people are not those of {files[0].name}: chromosomes of one cohort "
                    "must have the same ones (bcftools view -S), or name two cohorts"
                )
        return lists[0]
    common = set(lists[0]).intersection(*lists[1:])
    return [name for name in lists[0] if name in common]


def _notes_on_people(
    cohort: str, panel: list[str], names: list[str], chosen: list[str], labels: Collection[str]
) -> list[str]:
    without, absent = len(panel) - len(chosen), len(set(labels) - set(panel) - set(names))
    notes = []
    if without:
        notes.append(f"{cohort}: {without:,} people of the panel have no label and were not learnt from.")
    if absent:
        notes.append(f"{cohort}: {absent:,} labels are of people who are not in the panel.")
    if both := len(set(chosen) & set(names)):
        notes.append(f"{cohort}: {both:,} people have the name of a person of the panel.")
    return notes


def _require_sites(cohort: str, found: int, wanted: int, what: str) -> None:
    if found < wanted:
        raise InputError(
            f"{cohort}: {found:,} sites are {what}, and --population_min_sites asks for {wanted:,}: check "
            "that both are of the same genome build and vary, or ask for fewer"
        )


def _single(sites: Sites) -> Int64:
    """Which entries are the only ALT of their record."""
    times = np.bincount(sites.record, minlength=int(sites.record.max(initial=-1)) + 1)
    return np.flatnonzero(times[sites.record] == 1)


def _by_chromosome(files: Sequence[Path]) -> dict[str, list[tuple[Path, str]]]:
    """Files and contig names by chromosome."""
    found: dict[str, list[tuple[Path, str]]] = {}
    for path in files:
        vcf = open_vcf(path, samples=[])
        for contig in vcf.seqnames:
            found.setdefault(chrom_key(contig), []).append((path, contig))
        vcf.close()
    return found


def _shared(panel: Sequence[Path], target: Sequence[Path], counts: Counter[str]) -> list[Stretch]:
    """Match the sites of each chromosome; counts go by the names of ``harmonise``."""
    ours, theirs = _by_chromosome(panel), _by_chromosome(target)
    stretches = []
    for chrom in sorted(ours.keys() & theirs.keys(), key=genome_order):
        for file, contig in ours[chrom]:
            panel_sites = read_sites(file, contig)
            if not len(panel_sites.pos):
                continue
            for other, other_contig in theirs[chrom]:
                target_sites = read_sites(other, other_contig)
                if len(target_sites.pos):
                    stretches.append(
                        _matched(
                            chrom, (file, contig, panel_sites), (other, other_contig, target_sites), counts
                        )
                    )
    return stretches


def _matched(
    chrom: str, ours: tuple[Path, str, Sites], theirs: tuple[Path, str, Sites], counts: Counter[str]
) -> Stretch:
    (file, contig, panel), (other, other_contig, target) = ours, theirs
    single, other_single = _single(panel), _single(target)
    counts["dropped_multiallelic"] += len(set(target.record.tolist())) - len(other_single)
    found = match_sites(
        panel.pos[single], [panel.ref[i] for i in single], [panel.alt[i] for i in single],
        target.pos[other_single],
        [target.ref[i] for i in other_single], [target.alt[i] for i in other_single],
    )  # fmt: skip
    for what in ("target_sites", "shared", *AGREEMENTS, *DROPS):
        counts[what] += found.counts[what]
    mine, yours = single[found.panel_index], other_single[found.target_index]
    sites = [(chrom, int(panel.pos[i]), panel.ref[i], panel.alt[i]) for i in mine]
    return Stretch(
        file, contig, panel.record[mine], other, other_contig, target.record[yours], found.swapped, sites
    )


def _thinned(stretches: list[Stretch], most: int) -> list[Stretch]:
    sizes = [len(stretch.sites) for stretch in stretches]
    kept = np.zeros(sum(sizes), bool)
    kept[np.unique(np.linspace(0, len(kept) - 1, most).astype(np.int64))] = True
    parts = np.split(kept, np.cumsum(sizes)[:-1])
    return [stretch.only(part) for stretch, part in zip(stretches, parts, strict=True)]


def _copies(stretches: list[Stretch], side: str, people: list[str], path: Path) -> Int8:
    """Copies of the panel's ALT of some people at all sites, int8[people, S], on disk."""
    total = sum(len(stretch.sites) for stretch in stretches)
    matrix: Int8 = open_memmap(path, mode="w+", dtype=np.int8, shape=(len(people), total))
    first = 0
    with progress(f"Reading the {side}", total) as bar:
        for stretch in stretches:
            ours = side == "panel"
            file, contig = (
                (stretch.panel, stretch.panel_contig) if ours else (stretch.target, stretch.target_contig)
            )
            wanted = stretch.panel_record if ours else stretch.target_record
            turned = np.zeros(len(wanted), bool) if ours else stretch.swapped
            # Sites lie in the target's order; the panel's may come in another where positions are equal.
            order = np.argsort(wanted, kind="stable")
            column = 0
            for block in _blocks(file, contig, wanted[order], people):
                where = order[column : column + len(block)]
                block[turned[where]] = np.where(block[turned[where]] >= 0, 2 - block[turned[where]], MISSING)
                matrix[:, first + where] = block.T
                column += len(block)
                bar.update(len(block))
            first += len(wanted)
    return matrix


def _blocks(file: Path, contig: str, wanted: Int64, people: list[str]) -> Iterator[Int8]:
    """Copies at the wanted records of a contig (sorted), int8[at most AT_ONCE, people] at a time."""
    vcf = open_vcf(file, samples=people)
    column = {name: number for number, name in enumerate(vcf.samples)}
    order = np.array([column[name] for name in people], np.int64)
    rows: list[Int8] = []
    following = 0
    for number, record in enumerate(records(file, vcf, contig)):
        if following == len(wanted):
            break
        if number != wanted[following]:
            continue
        following += 1
        rows.append(alt_copies(genotypes_of(file, record))[order])
        if len(rows) == AT_ONCE:
            yield np.array(rows)
            rows = []
    if rows:
        yield np.array(rows)
    vcf.close()


def _informative(ours: Int8, theirs: Int8, counts: Counter[str]) -> Int64:
    """Sites that vary in the panel and that somebody of the cohort has."""
    known = (ours >= 0).sum(axis=0)
    frequency = np.where(ours >= 0, ours, 0).sum(axis=0, dtype=np.int64) / np.maximum(2 * known, 1)
    rare = np.minimum(frequency, 1 - frequency) < MIN_FREQUENCY
    typed = np.zeros(theirs.shape[1], bool)
    for first in range(0, len(theirs), AT_ONCE):
        typed |= (theirs[first : first + AT_ONCE] >= 0).any(axis=0)
    counts["dropped_not_varying"] = int(rare.sum())
    counts["dropped_never_called"] = int((~rare & ~typed).sum())
    return np.flatnonzero(~rare & typed)


def _kept_on_disk(matrix: Int8, kept: Int64, path: Path) -> Int8:
    """Some columns of a matrix on disk, as another one."""
    copy: Int8 = open_memmap(path, mode="w+", dtype=np.int8, shape=(len(matrix), len(kept)))
    for first in range(0, len(matrix), AT_ONCE):
        copy[first : first + AT_ONCE] = matrix[first : first + AT_ONCE][:, kept]
    return copy


def _known_folds(names: list[str], group: Int64, fold: dict[str, int]) -> Int64:
    """The folds of trained networks: whoever they were trained on stays where it was, with its group.

    A newcomer goes with its group, else to the folds in turn.
    """
    folds = max(fold.values()) + 1
    of_group: dict[int, int] = {}
    for name, number in zip(names, group.tolist(), strict=True):
        if name in fold:
            of_group.setdefault(number, fold[name])
    return np.array(
        [
            fold.get(name, of_group.get(number, place % folds))
            for place, (name, number) in enumerate(zip(names, group.tolist(), strict=True))
        ],
        np.int64,
    )


def _windows(sites: list[Site], most: int, known: Known | None) -> list[Window]:
    """Windows of known networks that share a site at least, then runs of the sites that none of them has."""
    column = {site: number for number, site in enumerate(sites)}
    windows: list[Window] = []
    used: set[int] = set()
    for name, (chrom, own) in (known.windows if known else {}).items():
        found = np.array([column.get((chrom, pos, ref, alt), -1) for pos, ref, alt in own], np.int64)
        if (found >= 0).any():
            windows.append(Window(name, chrom, own, found))
            used |= set(found.tolist())
    left = [site for site in sites if column[site] not in used]
    for chrom, run in groupby(left, key=lambda site: site[0]):
        here = list(run)
        parts = -(-len(here) // most)
        for part in np.array_split(np.arange(len(here)), parts):
            run_sites = [here[i] for i in part]
            name = f"{re.sub(r'[^A-Za-z0-9_-]', '_', chrom)}.{run_sites[0][1]:09d}-{run_sites[-1][1]:09d}"
            columns = np.array([column[site] for site in run_sites], np.int64)
            windows.append(Window(name, chrom, [(pos, ref, alt) for _, pos, ref, alt in run_sites], columns))
    return windows
