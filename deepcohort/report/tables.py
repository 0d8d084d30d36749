"""All tables and pictures of the report, from the files of the other rooms."""

import logging
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from deepcohort.genome.files import written_whole
from deepcohort.report import (
    accuracy,
    augmentation,
    calls,
    chunks,
    dropped,
    expression,
    fit,
    population,
    quality,
    summary,
)

log = logging.getLogger(__name__)

VERSIONS = "deepcohort_mqc_versions.yml"
"""MultiQC takes versions of programs from files that are named so."""


@dataclass(frozen=True)
class Files:
    """What the report is made of; what is not there makes no section."""

    accuracy: list[Path] = field(default_factory=list)
    sites: list[Path] = field(default_factory=list)
    harmonisation: list[Path] = field(default_factory=list)
    checks: list[Path] = field(default_factory=list)
    counts: list[Path] = field(default_factory=list)
    models: list[Path] = field(default_factory=list)
    fit: list[Path] = field(default_factory=list)
    calls: list[Path] = field(default_factory=list)
    evaluation: list[Path] = field(default_factory=list)
    population: list[Path] = field(default_factory=list)
    expression: list[Path] = field(default_factory=list)
    augmentation: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    versions: Path | None = None


def write_tables(files: Files, out: Path) -> None:
    """Write MultiQC's custom content into the folder ``out``.

    Raises ``InputError`` where a file is not of the kind that it was given as.
    """
    rows = accuracy.read(files.accuracy)
    summaries = [quality.summarise(path) for path in files.sites]
    checks = [dropped.read_check(path) for path in files.checks]
    counts = dropped.read_harmonisation(files.harmonisation)
    found = chunks.read(files.counts, files.models)
    fits = fit.read(files.fit)
    people, judged = calls.read_counts(files.calls), calls.read_judged(files.evaluation)
    of_people, of_genes = population.read(files.population), expression.read(files.expression)
    artificial = augmentation.read(files.augmentation)
    facts = [
        *calls.facts(people),
        *population.facts(of_people),
        *quality.facts(summaries),
        *chunks.facts(found),
        *accuracy.facts(rows),
        *expression.facts(of_genes),
        *augmentation.facts(artificial),
    ]
    unusual = [
        *files.notes,
        *dropped.sentences(checks, counts),
        *fit.sentences(fits, counts),
        *population.sentences(of_people),
        *expression.sentences(of_genes),
        *augmentation.sentences(artificial),
        *chunks.sentences(found),
        *accuracy.sentences(rows),
    ]
    out.mkdir(parents=True, exist_ok=True)
    sections = [
        summary.section(facts, unusual),
        *calls.sections(people, judged),
        *population.sections(of_people),
        *accuracy.sections(rows),
        *expression.sections(of_genes),
        *augmentation.sections(artificial),
        *quality.sections(summaries),
        *dropped.sections(checks, counts),
        *fit.sections(fits),
        *chunks.sections(found),
    ]
    for section in sections:
        section.write(out)
    if files.versions is not None:
        with written_whole(out / VERSIONS) as unfinished:
            unfinished.write_text(textwrap.dedent(files.versions.read_text(encoding="utf-8")))
    log.info("%d sections of %s", sum(bool(section.data) for section in sections), out)
