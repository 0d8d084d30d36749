"""A study from the files that a user gives."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepcohort.expression.covariates import read_covariates
from deepcohort.expression.measured import read_measured
from deepcohort.expression.study import Scale, Study, make_study, shared_people
from deepcohort.genome.families import groups_of, relatives
from deepcohort.genome.samples import read_labels, read_pedigree
from deepcohort.genome.vcf import read_header


def prepare(
    cohort: str, genotypes: Sequence[Path], expression: Path, covariates: Path | None, labels: Path | None,
    pedigree: Path | None, *, folds: int, components: int, scale: Scale, seed: int,
) -> tuple[Study, list[str]]:  # fmt: skip
    """The study of a cohort, and sentences on what was left out."""
    measured = read_measured(expression)
    shared, notes = shared_people(measured, read_header(genotypes[0]).samples, cohort)
    people = [measured.people[n] for n in shared]
    design = read_covariates(covariates, people) if covariates else np.zeros((len(people), 0))
    known = read_labels(labels) if labels else {}
    populations = [known[name].superpopulation if name in known else "" for name in people]
    if len(set(populations) - {""}) == 1:
        populations = [known[name].population if name in known else "" for name in people]
    families = groups_of(people, relatives(read_pedigree(pedigree)) if pedigree else [])
    study = make_study(
        measured, shared, design, populations, families,
        folds=folds, components=components, scale=scale, seed=seed,
    )  # fmt: skip
    if labels and (without := populations.count("")):
        notes.append(f"{without:,} people with expression have no population label.")
    if study.per_gene:
        notes.append(
            "Expression is normalised gene by gene: levels of genes are not compared with predictions."
        )
    return study, notes
