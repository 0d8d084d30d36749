"""The quality table: artificial people against those learnt from and against held-out ones."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from deepcohort.augmentation import figures
from deepcohort.augmentation.guard import Limits
from deepcohort.augmentation.nearest import adversarial_accuracy, area_under_curve, nearest
from deepcohort.augmentation.people import Int64, People

LINKED = 800
"""Sites, spread evenly, whose linkage is compared."""

RARE = 0.2
"""Sites below this ALT frequency are compared on their own too."""

COLUMNS = ("generator", "against", "figure", "label", "value")
EVERYBODY = "all"


class Figure(NamedTuple):
    """A row of the table; ``against`` is train or held_out."""

    generator: str
    against: str
    figure: str
    label: str
    value: float

    def row(self) -> dict[str, str]:
        """As text."""
        return {**self._asdict(), "value": f"{self.value:.5f}"}


def judge(
    name: str, artificial: People, train: People, held: People, limits: Limits, seed: int
) -> list[Figure]:
    """All figures of one generator's people, who should have the labels of ``train`` in its numbers."""
    found: list[Figure] = []
    for against, real in (("train", train), ("held_out", held)):
        values = [*_alike(artificial, real, seed), *_apart(artificial, real, seed)]
        found += [Figure(name, against, figure, label, value) for figure, label, value in values]
    means = {figure.against: figure.value for figure in found if figure.figure == "adversarial_accuracy"}
    ours, known, unknown = artificial.copies(), train.copies(), held.copies()
    far = nearest(ours, known)
    near = np.concatenate([-nearest(known, ours), -nearest(unknown, ours)])
    member = np.arange(len(near)) < len(known)
    alone = figures.told_apart(train, held, seed)
    both = People(
        np.concatenate([train.classes, artificial.classes]),
        np.concatenate([train.label, artificial.label]), train.labels, train.phased,
    )  # fmt: skip
    last = [
        ("privacy_loss", means["held_out"] - means["train"]),
        ("identical_people", float((far == 0).sum())),
        ("near_people", float((far < limits.least).sum())),
        ("nearest_median", float(np.median(far))),
        ("duplicates", float((nearest(ours, ours, same=True) == 0).sum()) if len(ours) > 1 else 0.0),
        ("membership_auc", area_under_curve(near, member)),
        ("told_by_artificial", figures.told_apart(artificial, held, seed)),
        ("told_by_real", alone),
        ("told_by_both", figures.told_apart(both, held, seed)),
    ]
    return found + [Figure(name, "held_out", figure, EVERYBODY, value) for figure, value in last]


def _alike(artificial: People, real: People, seed: int) -> Iterator[tuple[str, str, float]]:
    """Frequencies, linkage and variety."""
    ours, theirs = artificial.copies(), real.copies()
    frequency = theirs.mean(axis=0, dtype=np.float64) / 2, ours.mean(axis=0, dtype=np.float64) / 2
    yield "af_r", EVERYBODY, figures.correlation(*frequency)
    rare = frequency[0] < RARE
    yield "af_r_rare", EVERYBODY, figures.correlation(frequency[0][rare], frequency[1][rare])
    by_label = figures.frequencies(real), figures.frequencies(artificial)
    shared = np.intersect1d(real.label, artificial.label)
    each = [figures.correlation(by_label[0][kind], by_label[1][kind]) for kind in shared]
    for kind, value in zip(shared, each, strict=True):
        yield "af_r", real.labels[kind], value
    yield "af_r_by_label", EVERYBODY, float(np.mean(each))
    yield (
        "spectrum_distance",
        EVERYBODY,
        float(np.abs(figures.spectrum(frequency[0]) - figures.spectrum(frequency[1])).sum() / 2),
    )
    one, other = real.rows()[0], artificial.rows()[0]
    sites = linked_sites(one.shape[1])
    matrices = figures.linkage(one[:, sites]), figures.linkage(other[:, sites])
    yield "ld_r", EVERYBODY, figures.linkage_correlation(*matrices)
    chosen = figures.triplets(one.shape[1], seed)
    moments = figures.third_moments(one, chosen), figures.third_moments(other, chosen)
    yield "three_point_r", EVERYBODY, figures.correlation(*moments)
    for kind in [None, *shared]:
        label = EVERYBODY if kind is None else real.labels[kind]
        means = [
            float(
                figures.heterozygosity(people if kind is None else people.only(people.label == kind)).mean()
            )
            for people in (artificial, real)
        ]
        yield "heterozygosity_ratio", label, means[0] / means[1] if means[1] else float("nan")
    yield from _of_labels(artificial, real, shared, by_label)


def _of_labels(
    artificial: People, real: People, shared: Int64, by_label: tuple[figures.Float64, figures.Float64]
) -> Iterator[tuple[str, str, float]]:
    """FST of each label's real and artificial people, and how like the matrices between labels are."""
    sizes = [2 * np.bincount(people.label, minlength=len(real.labels)) for people in (real, artificial)]
    for kind in shared:
        pair = int(sizes[0][kind]), int(sizes[1][kind])
        yield "fst_to_real", real.labels[kind], figures.fst(by_label[0][kind], by_label[1][kind], pair)
    if len(shared) > 2:
        pairs = np.tril_indices(len(shared), -1)
        matrices = [
            figures.fst_matrix(people)[np.ix_(shared, shared)][pairs] for people in (real, artificial)
        ]
        yield "fst_matrix_r", EVERYBODY, figures.correlation(*matrices)


def _apart(artificial: People, real: People, seed: int) -> Iterator[tuple[str, str, float]]:
    """Distances in the space of principal components, and between nearest neighbours, of equal numbers."""
    rng = np.random.default_rng(seed)
    one, other = real.rows()[0], artificial.rows()[0]
    number = min(len(one), len(other))
    one = one[np.sort(rng.permutation(len(one))[:number])]
    other = other[np.sort(rng.permutation(len(other))[:number])]
    components = figures.Components(real.copies())
    places = components(real.copies()), components(artificial.copies())
    yield "pc_wasserstein", EVERYBODY, figures.wasserstein(*places)
    yield "pc_sliced_wasserstein", EVERYBODY, figures.sliced(*places, seed)
    accuracy = adversarial_accuracy(one, other)
    yield "adversarial_truth", EVERYBODY, accuracy.truth
    yield "adversarial_artificial", EVERYBODY, accuracy.artificial
    yield "adversarial_accuracy", EVERYBODY, accuracy.mean


def linked_sites(sites: int) -> Int64:
    """Up to ``LINKED`` sites, evenly spread."""
    return np.unique(np.linspace(0, sites - 1, min(LINKED, sites)).astype(np.int64))
