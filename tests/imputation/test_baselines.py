"""Plain imputers against direct computations."""

import numpy as np
import pytest

from deepcohort.imputation import baselines
from deepcohort.imputation.baselines import naive, nearest, truncated_svd
from tests.imputation.haplotypes import founders


def haplotypes(seed=1, n_sites=60, n_panel=40, n_targets=6):
    """Panel and target rows [haplotypes, sites] and which sites are typed."""
    rng = np.random.default_rng(seed)
    rows = founders(rng, n_sites, n_panel + n_targets, ancestors=3).T.astype(np.float32)
    typed = np.arange(n_sites) % 3 == 0
    return rows[:n_panel], rows[n_panel:], typed


def test_naive_takes_the_more_frequent_allele():
    found = naive(np.array([0.2, 0.5, 0.51, 1.0]), 3, None)
    assert found.tolist() == [[0] * 3, [0] * 3, [1] * 3, [1] * 3]
    assert found.dtype == np.float32


def test_naive_may_draw_alleles():
    frequency = np.array([0.0, 0.3, 1.0])
    found = naive(frequency, 5000, 1)
    np.testing.assert_allclose(found.mean(axis=1), frequency, atol=0.03)
    assert (found == naive(frequency, 5000, 1)).all()
    assert (found != naive(frequency, 5000, 2)).any()


@pytest.mark.parametrize("neighbours", [1, 4, 1000])
def test_nearest_is_the_mean_of_the_nearest(neighbours):
    panel, targets, typed = haplotypes()
    rng = np.random.default_rng(2)
    # Weights without ties, so that the nearest ones are well defined.
    panel_typed = panel[:, typed] + rng.normal(0, 0.01, panel[:, typed].shape).astype(np.float32)
    found = nearest(panel_typed, panel[:, ~typed], targets[:, typed], neighbours)
    for row, target in zip(found, targets[:, typed], strict=True):
        order = np.argsort(((panel_typed - target) ** 2).sum(axis=1))[:neighbours]
        np.testing.assert_allclose(row, panel[order][:, ~typed].mean(axis=0), atol=1e-5)


def test_what_the_target_lacks_does_not_decide_who_is_near():
    panel = np.array([[0, 0, 0, 1], [1, 1, 1, 0], [1, 1, 0, 0]], np.float32)
    target = np.array([[1, 1, np.nan, np.nan]], np.float32)
    found = nearest(panel, np.array([[0.0], [1.0], [1.0]], np.float32), target, 2)
    assert found.tolist() == [[1.0]]


def full_svd(panel, targets, rank, rounds):
    """The same by whole singular value decompositions."""
    mean = panel.mean(axis=0)
    rows = np.concatenate([targets, panel]) - mean
    missing = np.isnan(rows)
    rows[missing] = 0
    for _ in range(rounds):
        u, s, v = np.linalg.svd(rows, full_matrices=False)
        guess = (u[:, :rank] * s[:rank]) @ v[:rank]
        rows[missing] = guess[missing]
    return (rows + mean)[: len(targets)]


def test_svd_is_that_of_whole_decompositions(monkeypatch):
    monkeypatch.setattr(baselines, "TOLERANCE", 0)
    rng = np.random.default_rng(3)
    rows = rng.normal(0, 1, (46, 3)) @ rng.normal(0, 1, (3, 60)) + rng.normal(0, 0.05, (46, 60))
    panel, targets, typed = rows[6:], rows[:6].copy(), np.arange(60) % 3 == 0
    truth = targets[:, ~typed].copy()
    targets[:, ~typed] = np.nan
    targets[0, np.flatnonzero(typed)[:2]] = np.nan
    expected = full_svd(panel, targets, 3, baselines.ITERATIONS)[:, ~typed]
    found = truncated_svd(
        *(x.astype(np.float32) for x in (panel[:, typed], panel[:, ~typed], targets[:, typed])),
        seed=1,
        rank=3,
    )
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.95


def test_svd_knows_more_than_frequencies():
    panel, targets, typed = haplotypes(n_panel=200)
    found = truncated_svd(panel[:, typed], panel[:, ~typed], targets[:, typed], seed=1, rank=5)
    plain = np.broadcast_to(panel[:, ~typed].mean(axis=0), found.shape)
    error, plain_error = (np.square(x - targets[:, ~typed]).mean() for x in (found, plain))
    assert error < 0.8 * plain_error


def test_svd_of_few_rows():
    panel, targets, typed = haplotypes(n_panel=3, n_targets=1)
    found = truncated_svd(panel[:, typed], panel[:, ~typed], targets[:, typed], seed=1)
    assert np.isfinite(found).all()
