"""The plan of an imputation: target and panel harmonised, the genome in chunks, people in batches."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import Region, genome_order
from deepcohort.inputs.chromosome import CheckedFile, Chromosome, Chunk
from deepcohort.inputs.chunks import ChunkSize, batches
from deepcohort.inputs.frequencies import SELDOM_CALLED, SiteQuality
from deepcohort.inputs.given_chunks import GivenChunks
from deepcohort.inputs.people import IN_COHORT, IN_PANEL, MISSING, FlaggedPerson, PeopleSample, find_same


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
    given: GivenChunks | None = None,
    size: ChunkSize = ChunkSize(),  # noqa: B008 (frozen)
    batch_size: int = 500,
    exclude_outliers: bool = False,
) -> Plan:
    """Harmonise the files of one cohort with the panel and cut the work.

    Without ``regions`` each of the target's chromosomes is imputed over the panel's whole span; ``given``
    chunks of an earlier plan say both where and how to cut. With ``exclude_outliers`` sites whose frequency
    does not fit the panel's do not count as typed.

    Raises ``InputError`` where files of the cohort have different samples, two files hold one
    chromosome, the panel lacks a chromosome, no site is shared, builds differ, a region is empty, or given
    chunks do not fit.
    """
    _require_same_samples(targets)
    panel_by_chrom, target_by_chrom = _by_chromosome(panels), _by_chromosome(targets)
    if given is not None:
        given.require_chromosomes(panel_by_chrom, target_by_chrom)
        regions = given.cores
    wanted = _wanted_chromosomes(panel_by_chrom, target_by_chrom, regions)
    chunks: list[Chunk] = []
    counts: list[tuple[str, str, int]] = []
    quality: dict[str, SiteQuality] = {}
    excluded: list[tuple[str, int]] = []
    for chrom in wanted:
        one = Chromosome(chrom, panel_by_chrom[chrom], target_by_chrom[chrom])
        counts += one.harmonise()
        quality[chrom] = one.quality
        if exclude_outliers:
            excluded += [(one.target.contigs[chrom], position) for position in one.leave_out()]
            counts.append((chrom, "qc_excluded", len(one.quality.outliers)))
        if given is not None:
            planned, merged = one.given(given), 0
        else:
            planned, merged = one.chunks([r for r in regions if r.chrom == chrom] if regions else None, size)
        flags = [chunk.flag for chunk in planned]
        counts += [(chrom, "chunks", len(planned)), (chrom, "merged_chunks", merged)]
        counts += [(chrom, f"{flag}_chunks", flags.count(flag)) for flag in ("few", "untyped")]
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
