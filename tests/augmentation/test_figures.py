"""Each figure beside an independent computation."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu, wasserstein_distance

from deepcohort.augmentation import figures, nearest
from deepcohort.augmentation.guard import limits_of
from deepcohort.augmentation.people import People
from deepcohort.augmentation.quality import judge
from tests.augmentation.panels import Founded


@pytest.fixture
def people():
    return Founded(people=20, sites=60).people()


def test_haplotypes_copies_and_heterozygosity(people):
    rows, label = people.rows()
    assert np.array_equal(rows[0::2] + rows[1::2], people.copies()) and len(label) == 2 * len(people)
    expected = [(a != b).mean() for a, b in zip(rows[0::2], rows[1::2], strict=True)]
    assert np.allclose(figures.heterozygosity(people), expected)
    unphased = People(people.copies(), people.label, people.labels, False)
    assert np.allclose(figures.heterozygosity(unphased), expected)


def test_linkage_is_the_squared_correlation(people):
    rows, _ = people.rows()
    rows = np.concatenate([rows, np.zeros((len(rows), 1), np.int8)], axis=1)
    with np.errstate(invalid="ignore"):
        expected = np.nan_to_num(np.corrcoef(rows.T) ** 2)
    assert np.allclose(figures.linkage(rows), expected)


def test_decay_averages_by_distance():
    matrix, pos = np.arange(9.0).reshape(3, 3), np.array([100, 200, 5000])
    found = figures.decay(matrix, pos)
    assert found[0] == matrix[0, 1] and found[2] == (matrix[0, 2] + matrix[1, 2]) / 2
    assert np.isnan(found[1])


def test_third_moments_by_hand(people):
    rows, _ = people.rows()
    chosen = figures.triplets(rows.shape[1], 1)
    found = figures.third_moments(rows, chosen)
    for number in (0, 5000, len(chosen) - 1):
        values = [rows[:, site] - rows[:, site].mean() for site in chosen[number]]
        assert found[number] == pytest.approx(np.mean(values[0] * values[1] * values[2]), abs=1e-6)


def test_fst_of_hudson_by_hand():
    one, other, n, m = np.array([0.2, 0.5]), np.array([0.4, 0.5]), 20, 30
    above = [
        (a - b) ** 2 - a * (1 - a) / (n - 1) - b * (1 - b) / (m - 1) for a, b in zip(one, other, strict=True)
    ]
    below = [a * (1 - b) + b * (1 - a) for a, b in zip(one, other, strict=True)]
    assert figures.fst(one, other, (n, m)) == pytest.approx(sum(above) / sum(below))


def test_wasserstein_beside_scipy():
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(4000, 2)), rng.normal(0.5, 2, size=(4000, 2))
    expected = np.mean([wasserstein_distance(one[:, k], other[:, k]) / one[:, k].std() for k in range(2)])
    assert figures.wasserstein(one, other) == pytest.approx(expected, rel=0.02)


def test_components_beside_a_decomposition(people):
    copies = people.copies()
    scaled = (copies - copies.mean(axis=0)) / np.where(copies.std(axis=0) > 0, copies.std(axis=0), 1)
    u, s, _ = np.linalg.svd(scaled, full_matrices=False)
    assert np.allclose(np.abs(figures.Components(copies, 3)(copies)), np.abs(u[:, :3] * s[:3]))


def test_distances_and_neighbours_beside_scipy(people):
    rows = people.copies()
    expected = cdist(rows, rows, "cityblock")
    assert np.array_equal(nearest.distances(rows, rows), expected)
    np.fill_diagonal(expected, np.inf)
    assert np.array_equal(nearest.nearest(rows, rows, same=True), expected.min(axis=1))


def test_adversarial_accuracy_of_copies_strangers_and_peers():
    rng = np.random.default_rng(1)
    real = (rng.random((200, 80)) < 0.5).astype(np.int8)
    peers = (rng.random((200, 80)) < 0.5).astype(np.int8)
    assert nearest.adversarial_accuracy(real, real.copy()).mean < 0.01
    assert min(nearest.adversarial_accuracy(real, np.zeros_like(real))) > 0.99
    assert nearest.adversarial_accuracy(real, peers).mean == pytest.approx(0.5, abs=0.1)


def test_area_under_curve_beside_scipy():
    rng = np.random.default_rng(1)
    score, member = rng.integers(0, 9, 60).astype(np.float32), rng.random(60) < 0.4
    expected = mannwhitneyu(score[member], score[~member]).statistic / (member.sum() * (~member).sum())
    assert nearest.area_under_curve(score, member) == pytest.approx(expected)


def test_judged_copies_are_perfect_and_reveal_all():
    made = Founded(people=40, sites=120, founders=8).people()
    train, held = made.only(np.arange(80) % 2 == 0), made.only(np.arange(80) % 2 == 1)
    rows = judge("copies", train, train, held, limits_of(train.copies()), 1)
    found = {(row.against, row.figure): row.value for row in rows if row.label == "all"}
    for figure in ("af_r", "ld_r", "three_point_r", "heterozygosity_ratio"):
        assert found["train", figure] == pytest.approx(1)
    assert found["held_out", "identical_people"] == len(train)
    assert found["held_out", "privacy_loss"] > 0.3 and found["held_out", "membership_auc"] > 0.9
    assert rows[0].row()["value"] == "1.00000"


def test_spectrum_counts_the_rarer_allele():
    assert figures.spectrum(np.array([0.01, 0.99, 0.5])).tolist() == pytest.approx(
        [2 / 3] + [0.0] * (figures.SPECTRUM_BINS - 2) + [1 / 3]
    )
