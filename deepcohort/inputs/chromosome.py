"""One chromosome of a cohort beside the panel: its sites matched and compared, and cut into chunks."""

import logging
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.builds import build_of, stretches_of_x
from deepcohort.genome.errors import InputError
from deepcohort.genome.harmonise import Harmonised, match_sites
from deepcohort.genome.regions import TO_THE_END, Region, chunk_name
from deepcohort.genome.vcf import open_vcf, read_sites, records, site_counts
from deepcohort.inputs.builds import lengths_differ, require_one_build, weigh_sites
from deepcohort.inputs.chunks import LOW_TYPED, MIN_TYPED, ChunkSize, Cut, Sites, cut
from deepcohort.inputs.frequencies import PanelCounts, SiteQuality, compare
from deepcohort.inputs.given_chunks import GivenChunks

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
    chunk that the target has too. ``flag`` is ``untyped`` where these are too few to impute from, ``few``
    below ``LOW_TYPED``, else ``ok``. ``cost`` is the number of panel sites of the padded chunk.
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


class Chromosome:
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
        if self.chrom == "X" and self._lengths == (None, None):
            counts["x_length_unknown"] = 1
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

    def chunks(self, regions: list[Region] | None, size: ChunkSize) -> tuple[list[Chunk], int]:
        """Cut the chromosome, or the regions of it that the panel reaches; also says how many were merged."""
        first, last = int(self.panel_pos[0]), int(self.panel_pos[-1])
        cuts: list[Cut] = []
        merged = 0
        for region in regions or [Region(self.chrom, first, last)]:
            before = len(cuts)
            for stretch in self.stretches:
                start, end = max(region.start, first, stretch.start), min(region.end, last, stretch.end)
                found, joined = cut(Region(self.chrom, start, end), stretch, self._sites, size)
                cuts += found
                merged += joined
            if len(cuts) == before:
                raise InputError(
                    f"--regions {region}: {self.panel.file} has no site there (it spans {first:,}-{last:,}): "
                    "correct the region"
                )
        return [self._chunk(one) for one in cuts], merged

    def given(self, chunks: GivenChunks) -> list[Chunk]:
        """Take the chunks of an earlier run; refuse those without panel sites or across X's boundaries."""
        found = []
        for row, one in chunks.of(self.chrom):
            if not _within(self.panel_pos, one.core):
                raise InputError(
                    f"{chunks.file}: row {row}: {self.panel.file} has no site in {one.core}: give the "
                    "chunks of this panel, or leave --chunks out"
                )
            if not any(
                part.start <= one.padded.start and one.padded.end <= part.end for part in self.stretches
            ):
                raise InputError(
                    f"{chunks.file}: row {row}: {one.padded} crosses the end of a pseudo-autosomal region, "
                    "beyond which men have another number of copies: leave --chunks out to have X cut there"
                )
            found.append(self._chunk(one))
        return found

    @property
    def stretches(self) -> list[Region]:
        """What no chunk may mix: PAR1, the rest and PAR2 of a human X; else all of the chromosome."""
        build = next((b for length in self._lengths[::-1] if (b := build_of({self.chrom: length}))), None)
        ends = stretches_of_x(build) if self.chrom == "X" and build else [(1, TO_THE_END)]
        return [Region(self.chrom, start, end) for start, end in ends]

    @property
    def _sites(self) -> Sites:
        last = max(int(self.panel_pos[-1]), int(self.target_sites.pos[-1]))
        end = max(last, *(length or 0 for length in self._lengths))
        return Sites(self.panel_pos, self.typed_pos, end)

    def _chunk(self, one: Cut) -> Chunk:
        core, around = one
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
            flag="untyped" if typed < MIN_TYPED else "few" if typed < LOW_TYPED else "ok",
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
