"""Imputation of people whose population is rare in the panel, with and without artificial people.

All but a few people of one superpopulation are taken out of a phased panel. Artificial people of it are
learnt from what is left, as the pipeline does, and added; people who were never in the panel are imputed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import scoring
from benchmarks.datasets import Dataset, everyone_of, typed_sites
from benchmarks.genotypes import Genotypes
from benchmarks.published_design import as_chunk
from deepcohort.augmentation import plain
from deepcohort.augmentation.generator import STEPS, Method, Sidecar, Trained, held_out, learn
from deepcohort.augmentation.guard import guarded, limits_of
from deepcohort.augmentation.people import Int8, Int64, People
from deepcohort.augmentation.space import Space
from deepcohort.genome.samples import read_labels
from deepcohort.imputation.by_copying import copied
from deepcohort.imputation.devices import copy_model
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Settings
from deepcohort.imputation.panel_people import as_target
from deepcohort.imputation.rates import learn_rates

HELD_OUT = 0.2
"""Of the people left in the panel, from the generator."""

AWAY = 10
"""People of each other superpopulation who are imputed too."""

REPLICATES = 1000


@dataclass(frozen=True)
class Cut:
    """People of a region who are in the panel as it is (``left``), who were taken out of it (``taken``), and
    who are imputed (``asked``): numbers int64 of people; ``label`` int64[n] counts in ``labels``.
    """

    everyone: Genotypes
    label: Int64
    labels: list[str]
    rare: int
    left: Int64
    taken: Int64
    asked: Int64


def cut(labels: Path, rare: str, few: int, asked: int, seed: int) -> Cut:
    """Draw who is in the panel of chr15 and who is imputed: ``asked`` of the rare, ``AWAY`` of the others."""
    everyone = everyone_of(Dataset.chr15)
    of = read_labels(labels)
    everyone = everyone.people(np.flatnonzero([name in of for name in everyone.samples]))
    everyone = everyone.sites(np.flatnonzero(["," not in alt for alt in everyone.alt]))
    kinds = [of[name].superpopulation for name in everyone.samples]
    names = sorted(set(kinds))
    label = np.array([names.index(kind) for kind in kinds], np.int64)
    rng = np.random.default_rng(seed)
    left: list[int] = []
    taken: list[int] = []
    imputed: list[int] = []
    for kind, name in enumerate(names):
        order = rng.permutation(np.flatnonzero(label == kind))
        number = asked if name == rare else AWAY
        last = number + few if name == rare else len(order)
        imputed, left, taken = (
            [*imputed, *order[:number]],
            [*left, *order[number:last]],
            [*taken, *order[last:]],
        )
    groups = (np.sort(np.array(group, np.int64)) for group in (left, taken, imputed))
    return Cut(everyone, label, names, names.index(rare), *groups)


def panels(data: Cut, folder: Path, made: int, seed: int, threads: int) -> dict[str, Genotypes]:
    """Panels to impute from: as it is, with ``made`` artificial people of the rare superpopulation, with as
    many plain mosaics of it, and with the real people who were taken out.
    """
    real = data.everyone.people(data.left)
    varied = np.flatnonzero((real.alt_frequency() > 0) & (real.alt_frequency() < 1))
    alleles = real.haplotypes[varied]
    classes = (2 * alleles[..., 0] + alleles[..., 1]).T.astype(np.int8)
    people = People(classes, data.label[data.left], data.labels, True)
    held = held_out(people.label, HELD_OUT, seed)
    train = people.only(~held)
    folder.mkdir(parents=True, exist_ok=True)
    network, _ = learn(train, folder, Method.pca, STEPS[Method.pca], seed, threads, folder)
    sidecar = Sidecar("pca", data.labels, True, [], [], STEPS[Method.pca], seed)
    trained = Trained(network, Space.load(folder / "space.npz"), sidecar)
    pairs = np.full((made, 2), data.rare, np.int64)
    drawn = guarded(
        trained.draw, pairs, train.copies(), limits_of(train.copies()), np.random.default_rng(seed)
    )
    print(f"{len(drawn.people)} artificial people, {drawn.rejected} rejected")
    own = train.only(train.label == data.rare)
    mosaics = plain.mosaic(own, pairs[:, 0], np.random.default_rng(seed))
    return {
        "as it is": real,
        "with artificial people": _added(real, varied, drawn.people),
        "with plain mosaics": _added(real, varied, mosaics),
        "with the real people": data.everyone.people(np.concatenate([data.left, data.taken])),
    }


def _added(real: Genotypes, varied: Int64, people: People) -> Genotypes:
    """A panel with more people, who are as everybody where the panel does not vary."""
    more = np.repeat(real.haplotypes[:, :1], len(people), axis=1)
    more[varied] = np.stack([people.classes >> 1, people.classes & 1], axis=-1).transpose(1, 0, 2)
    names = np.array([f"SYN{number}" for number in range(len(people))])
    return replace(
        real,
        samples=np.concatenate([real.samples, names]),
        haplotypes=np.concatenate([real.haplotypes, more], axis=1),
    )


def imputed(data: Cut, panel: Genotypes, typed: Int64, seed: int, threads: int) -> NDArray[np.float64]:
    """Dosages of those asked about at all sites by haplotype copying, float64[S, n]."""
    chunk = as_chunk(panel)
    others = as_chunk(data.everyone.people(data.asked))
    target = as_target(others, np.arange(len(data.asked), dtype=np.int32), typed)
    settings = Settings(Imputer.copying, seed=seed, threads=threads)
    learnt = learn_rates(chunk, typed, copy_model(settings.device, threads), seed)
    chances, _ = copied(chunk, target, np.arange(chunk.n_sites), learnt.rates, settings, None)
    both: NDArray[np.float64] = (chances[:, 0::2] + chances[:, 1::2]).astype(np.float64)
    return both


def compared(
    data: Cut, dosages: Mapping[str, NDArray[np.float64]], typed: Int64, seed: int
) -> list[dict[str, str]]:
    """Dosage R² by superpopulation and frequency, and its difference to the panel as it is with 95 % of the
    bootstrap over people.

    Frequencies are those of the person's superpopulation among everybody who is not asked about, so that all
    panels are compared at the same sites.
    """
    truth = data.everyone.haplotypes[:, data.asked].sum(axis=2, dtype=np.int8)
    untyped = np.setdiff1d(np.arange(len(truth)), typed)
    known = np.concatenate([data.left, data.taken])
    rows = []
    for kind, name in enumerate(data.labels):
        alleles = data.everyone.haplotypes[:, known[data.label[known] == kind]]
        bins = scoring.bin_of(alleles.mean(axis=(1, 2), dtype=np.float64))[untyped]
        here = np.flatnonzero(data.label[data.asked] == kind)
        drawn = scoring.weights(len(here), REPLICATES, seed)
        start = None
        for panel, found in dosages.items():
            sums = _moments(truth[untyped][:, here], found[untyped][:, here], bins)
            r2, again = scoring.r2_of(sums.sum(axis=1)), scoring.r2_of(np.einsum("rp,bpm->rbm", drawn, sums))
            start = start or (r2, again)
            for which, frequency in enumerate(scoring.BINS):
                if np.isnan(r2[which]):
                    continue
                low, high = np.nanquantile(again[:, which] - start[1][:, which], [0.025, 0.975])
                gain = r2[which] - start[0][which]
                rows.append(
                    {"superpopulation": name, "maf": frequency, "panel": panel,
                     "sites": str(int((bins == which).sum())), "r2": f"{r2[which]:.3f}",
                     "gain": f"{gain:+.3f}", "from": f"{low:+.3f}", "to": f"{high:+.3f}"}
                )  # fmt: skip
    return rows


def _moments(truth: Int8, dosage: NDArray[np.float64], bins: Int64) -> NDArray[np.float64]:
    """Moments by bin and person as ``scoring.Sums`` has them, float64[bins, n, 6]."""
    found = np.zeros((len(scoring.BINS), truth.shape[1], 6))
    for which in range(len(scoring.BINS)):
        x, y = dosage[bins == which], truth[bins == which].astype(np.float64)
        found[which] = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1).sum(axis=0)
    return found


def typed_of(data: Cut, seed: int) -> Int64:
    """Typed sites, drawn among those common in the panel as it is."""
    return typed_sites(data.everyone.people(data.left), np.random.default_rng(seed))
