"""The plan of an imputation: target and panel harmonised, the genome in chunks, people in batches."""

import json
import logging
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.harmonise import Harmonised, match_sites
from deepcohort.genome.regions import Region, chunk_name, genome_order
from deepcohort.genome.vcf import open_vcf, read_sites, records, site_counts
from deepcohort.inputs.builds import lengths_differ, require_one_build, weigh_sites
from deepcohort.inputs.chunks import MIN_TYPED, ChunkSize, batches, padded, plan_cores
from deepcohort.inputs.frequencies import SELDOM_CALLED, PanelCounts, SiteQuality, compare
from deepcohort.inputs.people import IN_COHORT, IN_PANEL, MISSING, FlaggedPerson, PeopleSample, find_same

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckedFile:
    """A genotype file that passed its check: its id, the user's name of it, its sites and its report.

    ``people`` is the sample of genotypes by which people are told apart; None: they are not to be.
    """

    name: str
    file: str
    sites: Path
    contigs: dict[str, str]
    lengths: dict[str, int | None]
    samples: list[str]
    records: int
    missing_by_sample: list[int]
    people: Path | None = None

    def length(self, chrom: str) -> int | None:
        """Length of a chromosome as the file's header says it."""
        return self.lengths.get(self.contigs[chrom])


@dataclass(frozen=True)
class Chunk:
    """A row of chunks.tsv. Positions are 1-based, ends included.

    ``panel_sites`` counts the panel's sites (one per ALT) of the core, ``typed_sites`` those of the padded
    chunk that the target has too. ``flag`` is ``untyped`` where these are too few to impute from, else
    ``ok``. ``cost`` is the number of panel sites of the padded chunk.
    """

    chunk: str
    chrom: str
    start: int
    end: int
    padded_start: int
    padded_end: int
    panel: str
    panel_contig: str
    target: str
    target_contig: str
    panel_sites: int
    typed_sites: int
    flag: str
    cost: int


@dataclass(frozen=True)
class Plan:
    """Chunks, costliest first; batches of samples in the input's order; counts as (chrom, what, count)."""

    chunks: list[Chunk]
    batches: list[list[str]]
    counts: list[tuple[str, str, int]]
    quality: dict[str, SiteQuality]
    """What was found at the shared sites of each chromosome."""
    people: list[FlaggedPerson]
    excluded: list[tuple[str, int]]
    """Contig of the target and position of sites that are left out of the imputation."""


def read_checked(
    sites: Iterable[Path], reports: Iterable[Path], people: Iterable[Path] = ()
) -> list[CheckedFile]:
    """Pair ``<name>.sites.bcf`` and ``<name>.people.npz`` with the reports of the same check."""
    paths = {path.name.removesuffix(".sites.bcf"): path for path in sites}
    samples = {path.name.removesuffix(".people.npz"): path for path in people}
    checked = []
    for report in reports:
        said = json.loads(report.read_text(encoding="utf-8"))
        known = {field.name: said[field.name] for field in fields(CheckedFile) if field.name in said}
        name = said["name"]
        checked.append(CheckedFile(**known, sites=paths[name], people=samples.get(name)))
    return sorted(checked, key=lambda file: file.name)


def plan_imputation(
    panels: Sequence[CheckedFile],
    targets: Sequence[CheckedFile],
    *,
    regions: list[Region] | None = None,
    size: ChunkSize = ChunkSize(),  # noqa: B008 (frozen)
    batch_size: int = 500,
    exclude_outliers: bool = False,
) -> Plan:
    """Harmonise the files of one cohort with the panel and cut the work.

    Without ``regions`` each of the target's chromosomes is imputed over the panel's whole span. With
    ``exclude_outliers`` sites whose frequency does not fit the panel's do not count as typed.

    Raises ``InputError`` where files of the cohort have different samples, two files hold one
    chromosome, the panel lacks a chromosome, no site is shared, builds differ, or a region is empty.
    """
    _require_same_samples(targets)
    panel_by_chrom, target_by_chrom = _by_chromosome(panels), _by_chromosome(targets)
    wanted = _wanted_chromosomes(panel_by_chrom, target_by_chrom, regions)
    chunks: list[Chunk] = []
    counts: list[tuple[str, str, int]] = []
    quality: dict[str, SiteQuality] = {}
    excluded: list[tuple[str, int]] = []
    for chrom in wanted:
        one = _Chromosome(chrom, panel_by_chrom[chrom], target_by_chrom[chrom])
        counts += one.harmonise()
        quality[chrom] = one.quality
        if exclude_outliers:
            excluded += [(one.target.contigs[chrom], position) for position in one.leave_out()]
            counts.append((chrom, "qc_excluded", len(one.quality.outliers)))
        planned = one.chunks([r for r in regions if r.chrom == chrom] if regions else None, size)
        counts.append((chrom, "chunks", len(planned)))
        counts.append((chrom, "untyped_chunks", sum(chunk.flag == "untyped" for chunk in planned)))
        chunks += planned
    people, sites = _same_people(targets, panels)
    same = [person.reason for person in people]
    counts += [("all", "qc_people_sites", sites)]
    counts += [("all", f"qc_{reason}", same.count(reason)) for reason in (IN_COHORT, IN_PANEL)]
    people += _seldom_called(targets)
    chunks.sort(key=lambda chunk: (-chunk.cost, genome_order(chunk.chrom), chunk.start))
    return Plan(chunks, batches(targets[0].samples, batch_size), counts, quality, people, excluded)


def _require_same_samples(targets: Sequence[CheckedFile]) -> None:
    first = targets[0]
    for other in targets[1:]:
        differing = sorted(set(first.samples) ^ set(other.samples))
        if differing:
            raise InputError(
                f"{other.file}: not the same people as in {first.file} of the same cohort "
                f"({len(differing)} differ, as {differing[0]}): give files of the same people, or name the "
                "cohorts differently in the samplesheet"
            )


def _same_people(
    targets: Sequence[CheckedFile], panels: Sequence[CheckedFile]
) -> tuple[list[FlaggedPerson], int]:
    """People of the cohort who are somebody else too, and the number of sites by which they were compared."""
    ours, theirs = (
        [(PeopleSample.load(file.people), file.samples) for file in files if file.people is not None]
        for files in (targets, panels)
    )
    return find_same(ours, theirs) if ours and theirs else ([], 0)


def _seldom_called(targets: Sequence[CheckedFile]) -> list[FlaggedPerson]:
    """People who lack many of their genotypes, over all files of the cohort."""
    missing: Counter[str] = Counter()
    for file in targets:
        missing.update(dict(zip(file.samples, file.missing_by_sample, strict=True)))
    records = sum(file.records for file in targets)
    return [
        FlaggedPerson(person, MISSING, "", missing[person] / records)
        for person in targets[0].samples
        if missing[person] > SELDOM_CALLED * records
    ]


def _by_chromosome(files: Sequence[CheckedFile]) -> dict[str, CheckedFile]:
    found: dict[str, CheckedFile] = {}
    for file in files:
        for chrom in file.contigs:
            if chrom in found:
                raise InputError(
                    f"{file.file}: has chromosome {chrom}, which {found[chrom].file} has too: keep "
                    "one file of each chromosome, or merge the two (bcftools concat)"
                )
            found[chrom] = file
    return found


def _wanted_chromosomes(
    panel: dict[str, CheckedFile], target: dict[str, CheckedFile], regions: list[Region] | None
) -> list[str]:
    if regions:
        for region in regions:
            if region.chrom not in target:
                files = ", ".join(sorted({file.file for file in target.values()}))
                raise InputError(
                    f"--regions names {region.chrom}, but {files} has records of {_listed(target)} only: "
                    "correct the region or add the chromosome's file"
                )
    wanted = {region.chrom for region in regions} if regions else set(target)
    lacking = [chrom for chrom in wanted if chrom not in panel]
    if lacking:
        first = sorted(lacking, key=genome_order)[0]
        kept = [chrom for chrom in wanted if chrom in panel]
        others = f" or leave it out (--regions {_listed(kept, ',')})" if kept else ""
        raise InputError(
            f"{target[first].file}: has chromosome {_listed(lacking)}, which the panel lacks (it has "
            f"{_listed(panel)}): add it to the panel{others}"
        )
    return sorted(wanted, key=genome_order)


def _listed(chroms: Iterable[str], separator: str = ", ") -> str:
    return separator.join(sorted(chroms, key=genome_order))


class _Chromosome:
    """One chromosome of a cohort; the panel's alleles are kept only where the target has a site."""

    def __init__(self, chrom: str, panel: CheckedFile, target: CheckedFile) -> None:
        self.chrom, self.panel, self.target = chrom, panel, target
        self.target_sites = read_sites(target.sites, target.contigs[chrom])
        self.panel_sites = _read_panel(panel, chrom, self.target_sites.pos)
        self.panel_pos = self.panel_sites.pos
        self.typed_pos: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.quality = SiteQuality([], [], {})

    def harmonise(self) -> list[tuple[str, str, int]]:
        """Match the sites, refuse strangers, return the counts."""
        target, panel = self.target_sites, self.panel_sites
        met = panel.met
        matched = match_sites(met.pos, met.ref, met.alt, target.pos, target.ref, target.alt)
        self.typed_pos = np.unique(target.pos[matched.target_index])
        self._require_relatives(matched)
        outside = int(((target.pos < panel.pos[0]) | (target.pos > panel.pos[-1])).sum())
        counts = matched.counts | {"panel_sites": len(panel.pos), "panel_without_alt": panel.without_alt}
        counts["dropped_outside_panel"] = outside
        counts["dropped_not_in_panel"] -= outside
        contigs = self.panel.contigs[self.chrom], self.target.contigs[self.chrom]
        if contigs[0] != contigs[1]:
            counts["contig_renamed"] = 1
            log.info("chromosome %s: %s in the panel, %s in the target: taken as one", self.chrom, *contigs)
        if lengths_differ(*self._lengths):
            counts["header_lengths_differ"] = 1
            log.warning("chromosome %s: lengths differ in the headers, but the sites agree", self.chrom)
        self.quality = compare(self.chrom, met, target, matched, len(self.target.samples))
        counts |= self.quality.counts
        log.info("chromosome %s: %s", self.chrom, counts)
        return [(self.chrom, what, count) for what, count in counts.items()]

    @property
    def _lengths(self) -> tuple[int | None, int | None]:
        return self.target.length(self.chrom), self.panel.length(self.chrom)

    def leave_out(self) -> list[int]:
        """Take sites whose frequency does not fit out of the typed ones; returns their positions."""
        outliers = self.quality.outliers
        self.typed_pos = np.setdiff1d(self.typed_pos, outliers)
        return [int(position) for position in outliers]

    def _require_relatives(self, matched: Harmonised) -> None:
        """Refuse a target of another stretch, of another build, or without any site in common."""
        target, panel, chrom = self.target.file, self.panel.file, self.chrom
        sites = weigh_sites(
            self.panel_pos, self.target_sites.pos, self.typed_pos, matched.counts["dropped_palindromic"]
        )
        if sites.in_span == 0:
            ours, theirs = self.target_sites.pos, self.panel_pos
            raise InputError(
                f"{target}: no site lies where the panel is: on chromosome {chrom} the target spans "
                f"{ours[0]:,}-{ours[-1]:,}, {panel} {theirs[0]:,}-{theirs[-1]:,}: give the panel of the "
                "target's stretch"
            )
        require_one_build(target, panel, chrom, self._lengths, sites)
        if matched.counts["shared"] == 0:
            raise InputError(
                f"{target}: no site in common with {panel} on chromosome {chrom} ({sites}): check that both "
                "are of one genome build and that the panel holds the target's sites"
            )

    def chunks(self, regions: list[Region] | None, size: ChunkSize) -> list[Chunk]:
        """Cut the chromosome, or the regions of it that the panel reaches."""
        first, last = int(self.panel_pos[0]), int(self.panel_pos[-1])
        cores: list[Region] = []
        for region in regions or [Region(self.chrom, first, last)]:
            inside = Region(self.chrom, max(region.start, first), min(region.end, last))
            planned = plan_cores(self.panel_pos, inside, size)
            if not planned:
                raise InputError(
                    f"--regions {region}: {self.panel.file} has no site there (it spans {first:,}-{last:,}): "
                    "correct the region"
                )
            cores += planned
        return [self._chunk(core, size) for core in cores]

    def _chunk(self, core: Region, size: ChunkSize) -> Chunk:
        last = max(int(self.panel_pos[-1]), int(self.target_sites.pos[-1]))
        contig_end = max(last, *(length or 0 for length in self._lengths))
        around = padded(core, self.panel_pos, self.typed_pos, size, contig_end)
        typed = _within(self.typed_pos, around)
        return Chunk(
            chunk=chunk_name(core),
            chrom=self.chrom,
            start=core.start,
            end=core.end,
            padded_start=around.start,
            padded_end=around.end,
            panel=self.panel.name,
            panel_contig=self.panel.contigs[self.chrom],
            target=self.target.name,
            target_contig=self.target.contigs[self.chrom],
            panel_sites=_within(self.panel_pos, core),
            typed_sites=typed,
            flag="ok" if typed >= MIN_TYPED else "untyped",
            cost=_within(self.panel_pos, around),
        )


def _within(pos: NDArray[np.int64], region: Region) -> int:
    return int(np.searchsorted(pos, region.end, side="right") - np.searchsorted(pos, region.start))


@dataclass(frozen=True)
class _PanelSites:
    """The panel's sites of a chromosome: all positions, and those where the target has a site."""

    pos: NDArray[np.int64]
    without_alt: int
    met: PanelCounts


def _read_panel(panel: CheckedFile, chrom: str, wanted: NDArray[np.int64]) -> _PanelSites:
    targets = set(wanted.tolist())
    positions, met, copies, called = array("q"), array("q"), array("q"), array("q")
    ref: list[str] = []
    alt: list[str] = []
    without_alt = 0
    for record in records(panel.sites, open_vcf(panel.sites, samples=[]), panel.contigs[chrom]):
        position, alts = record.POS, record.ALT
        without_alt += not alts
        positions.extend([position] * len(alts))
        if alts and position in targets:
            counts, alleles, _ = site_counts(record)
            met.extend([position] * len(alts))
            called.extend([alleles] * len(alts))
            copies.extend(counts)
            ref += [record.REF] * len(alts)
            alt += alts
    if not positions:
        raise InputError(f"{panel.file}: no record of chromosome {chrom} has an ALT: give another panel")
    pos, at, with_alt, in_all = (np.array(column, np.int64) for column in (positions, met, copies, called))
    return _PanelSites(pos, without_alt, PanelCounts(at, ref, alt, with_alt, in_all))
