"""Public haplotypes: people held out of the panel are imputed better than by plain means."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepcohort.imputation.chunk import impute_chunk
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Settings, model
from deepcohort.imputation.panel import pack_panel
from deepcohort.imputation.targets import TargetChunk

DATA = Path(os.environ.get("DEEPCOHORT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"real data is not there: {DATA} (set DEEPCOHORT_DATA)"),
]

PEOPLE = 12
KEPT = 600
"""People held out, and people who stay in the panel: enough to tell the models apart in seconds."""


@pytest.fixture(scope="module")
def held_out():
    """The panel without some people, their typed sites (1 per 3 kb, MAF over 5 %), and their truth."""
    folder = DATA / "imputation"
    stretch = (66_150_000, 66_350_000)
    whole = pack_panel(
        folder / "chr15.MEGF11.2504.phased.bcf", "15", stretch, stretch, folder / "chr15.b37.gmap.gz"
    )
    rng = np.random.default_rng(1)
    people = rng.permutation(whole.n_haplotypes // 2)[: PEOPLE + KEPT]
    out, kept = (2 * p.repeat(2) + np.tile([0, 1], len(p)) for p in np.split(people, [PEOPLE]))
    alleles = whole.alleles(np.arange(whole.n_sites))
    panel = replace(
        whole,
        bits=np.packbits(alleles[:, kept], axis=1),
        n_haplotypes=len(kept),
        person=(np.arange(len(kept)) // 2).astype(np.int32),
    )
    frequency = panel.alt_frequency()
    common = np.flatnonzero(
        (np.minimum(frequency, 1 - frequency) > 0.05) & ([len(a) == 1 for a in panel.alt])
    )
    typed = common[np.unique(panel.pos[common] // 3000, return_index=True)[1]]
    return panel, typed, alleles[:, out].reshape(-1, PEOPLE, 2)


def dosages_and_truth(held_out, imputer, phased=True):
    """Copies of the minor allele, of people at untyped sites where it has 0.5 to 5 %."""
    panel, typed, truth = held_out
    settings = Settings(imputer, threads=2)
    trained = model(imputer).train(panel, typed, settings)
    genotypes = truth[typed].astype(np.int8)
    genotypes = genotypes if phased else np.sort(genotypes, axis=2)
    samples = [f"s{i}" for i in range(PEOPLE)]
    target = TargetChunk(samples, "15", typed, genotypes, np.full(PEOPLE, phased), np.zeros(PEOPLE, bool))
    imputed = impute_chunk(panel, target, trained, settings)
    first, second = imputed.chances[:, 0::2], imputed.chances[:, 1::2]
    dosage = first + second if phased else first + 2 * second
    frequency = panel.alt_frequency()[imputed.sites]
    maf = np.minimum(frequency, 1 - frequency)
    asked = ~imputed.typed & (maf > 0.005) & (maf < 0.05)
    turned = (frequency > 0.5)[asked, None]
    copies = truth[imputed.sites].sum(axis=2)
    return tuple(np.where(turned, 2 - x, x).ravel() for x in (dosage[asked], copies[asked]))


def squared_correlation(dosage, copies):
    return np.corrcoef(dosage, copies)[0, 1] ** 2


def squared_error(dosage, copies):
    return np.square(dosage - copies).mean()


@pytest.fixture(scope="module")
def copying(held_out):
    return dosages_and_truth(held_out, Imputer.copying)


def test_copying_is_clearly_better_than_plain_imputers(held_out, copying):
    _, typed, _ = held_out
    assert 30 < len(typed) < 70
    assert squared_correlation(*copying) > 0.8
    neighbours, naive = (dosages_and_truth(held_out, imputer) for imputer in (Imputer.knn, Imputer.naive))
    assert squared_correlation(*copying) > 0.07 + squared_correlation(*neighbours)
    # The naive imputer knows no minor allele at all, so it has no correlation to compare.
    assert (naive[0] == 0).all()
    assert squared_error(*copying) < 0.3 * squared_error(*naive)


def test_people_without_phase_lose_little(held_out, copying):
    unphased = dosages_and_truth(held_out, Imputer.copying, phased=False)
    assert squared_correlation(*unphased) > squared_correlation(*copying) - 0.05
