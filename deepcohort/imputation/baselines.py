"""The plain imputers of the field, to measure the others by: naive, nearest neighbours, truncated SVD."""

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.extmath import randomized_svd

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

NEIGHBOURS = 10
RANK, ITERATIONS, TOLERANCE = 20, 20, 1e-3


def naive(alt_frequency: NDArray[np.float64], n_targets: int, seed: int | None) -> Float32:
    """Give every target haplotype the panel's more frequent allele, or with a seed one drawn at random.

    alt_frequency: float64[U]. Returns float32[U, n_targets] of zeros and ones.
    """
    if seed is None:
        return np.repeat((alt_frequency > 0.5).astype(np.float32)[:, None], n_targets, axis=1)
    draws = np.random.default_rng(seed).random((len(alt_frequency), n_targets))
    return (draws < alt_frequency[:, None]).astype(np.float32)


def nearest(
    panel_typed: UInt8, panel_asked: UInt8, target_typed: Float32, neighbours: int = NEIGHBOURS
) -> Float32:
    """Mean of the k panel rows that are nearest at the typed sites (k-nearest-neighbours imputation).

    panel_typed: [K, M], panel_asked: [K, U], target_typed: [n, M] with NaN where missing; rows are
    haplotypes (0, 1) or people (0 to 2). Distance is Euclidean over the sites that the target has.
    Returns [n, U].
    """
    known = ~np.isnan(target_typed)
    filled = np.where(known, target_typed, panel_typed.mean(axis=0))
    search = NearestNeighbors(n_neighbors=min(neighbours, len(panel_typed))).fit(panel_typed)
    found = search.kneighbors(filled, return_distance=False)
    return np.stack([panel_asked[rows].mean(axis=0, dtype=np.float32) for rows in found])


def truncated_svd(
    panel_typed: UInt8, panel_asked: UInt8, target_typed: Float32, seed: int, rank: int = RANK
) -> Float32:
    """Impute by iterated truncated SVD of the targets' rows with the panel's appended.

    What is missing starts at the panel's mean and is replaced by the rank-``rank`` approximation until
    it settles (Troyanskaya et al. 2001, Bioinformatics 17:520). Shapes as in ``nearest``.
    """
    n_targets, n_typed = target_typed.shape
    whole = np.empty((n_targets + len(panel_typed), n_typed + panel_asked.shape[1]), np.float32)
    targets, panel = whole[:n_targets], whole[n_targets:]
    panel[:, :n_typed], panel[:, n_typed:] = panel_typed, panel_asked
    targets[:, :n_typed], targets[:, n_typed:] = target_typed, np.nan
    missing = np.isnan(targets)
    mean = panel.mean(axis=0)
    whole -= mean
    targets[missing] = 0
    for _ in range(ITERATIONS):
        u, s, v = randomized_svd(whole, min(rank, *whole.shape), n_iter=2, random_state=seed)
        guess = (u[:n_targets] * s) @ v
        change = np.abs(guess - targets)[missing].mean()
        targets[missing] = guess[missing]
        if change < TOLERANCE:
            break
    return np.asarray(targets[:, n_typed:] + mean[n_typed:])
