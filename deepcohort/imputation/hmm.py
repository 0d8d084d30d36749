"""Forward and backward recursions of the haplotype-copying model, many target haplotypes at a time.

The hidden state is the panel haplotype being copied (Li & Stephens 2003, Genetics 165:2213). Arrays are
laid out ``[panel haplotype, lane]``: a lane is one target haplotype, so the inner loops run over
contiguous lanes and the compiler turns them into vector instructions, whatever the panel's size.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

OPTIONS = {"nogil": True, "fastmath": True, "error_model": "numpy", "cache": True}


@njit(**OPTIONS)
def forward_step(alpha: Float32, alleles: UInt8, switch: float, emission: Float32, total: Float32) -> None:
    """Move ``alpha[K, L]`` to the next typed site in place.

    alleles: the panel's allele at the site, [K]. switch: probability of a new copying choice since the
    site before. emission: P(observed | copied allele) as [2, L]. total: sum of alpha per lane before the
    step (it is divided out), afterwards the new sum.
    """
    n_panel, n_lanes = alpha.shape
    jump = np.float32(switch / n_panel)
    stay = np.empty(n_lanes, np.float32)
    for lane in range(n_lanes):
        stay[lane] = np.float32(1.0 - switch) / total[lane]
        total[lane] = 0.0
    for k in range(n_panel):
        row = alpha[k]
        likelihood = emission[alleles[k]]
        for lane in range(n_lanes):
            value = (row[lane] * stay[lane] + jump) * likelihood[lane]
            row[lane] = value
            total[lane] += value


@njit(**OPTIONS)
def backward_step(beta: Float32, alleles: UInt8, switch: float, emission: Float32) -> None:
    """Move ``beta[K, L]`` from the typed site that ``alleles`` and ``emission`` describe to the one before.

    beta is scaled so that its mean per lane after the step is about one.
    """
    n_panel, n_lanes = beta.shape
    total = np.zeros(n_lanes, np.float32)
    for k in range(n_panel):
        row = beta[k]
        likelihood = emission[alleles[k]]
        for lane in range(n_lanes):
            value = row[lane] * likelihood[lane]
            row[lane] = value
            total[lane] += value
    stay = np.empty(n_lanes, np.float32)
    for lane in range(n_lanes):
        stay[lane] = np.float32(1.0 - switch) * n_panel / total[lane]
    jump = np.float32(switch)
    for k in range(n_panel):
        row = beta[k]
        for lane in range(n_lanes):
            row[lane] = row[lane] * stay[lane] + jump


@njit(**OPTIONS)
def posterior_in_place(alpha: Float32, beta: Float32) -> None:
    """Turn ``alpha[K, L]`` into the posterior over panel haplotypes: alpha·beta, each lane summing to one."""
    n_panel, n_lanes = alpha.shape
    total = np.zeros(n_lanes, np.float32)
    for k in range(n_panel):
        row, other = alpha[k], beta[k]
        for lane in range(n_lanes):
            value = row[lane] * other[lane]
            row[lane] = value
            total[lane] += value
    for lane in range(n_lanes):
        total[lane] = np.float32(1.0) / total[lane]
    for k in range(n_panel):
        row = alpha[k]
        for lane in range(n_lanes):
            row[lane] *= total[lane]


@njit(**OPTIONS)
def read_out(
    left: Float32,
    right: Float32,
    weight: Float32,
    starts: NDArray[np.int64],
    carriers: NDArray[np.int32],
    dosage: Float32,
) -> None:
    """Sum the posteriors over the carriers of each site's minor allele, between two typed sites.

    left, right: posteriors [K, L] at the typed sites on either side. weight: share of ``right`` at each
    of the u sites. starts: u + 1 offsets into carriers. dosage: output [u, L].
    """
    n_lanes = left.shape[1]
    for site in range(weight.shape[0]):
        row = dosage[site]
        row[:] = 0.0
        right_share = weight[site]
        left_share = np.float32(1.0) - right_share
        for index in range(starts[site], starts[site + 1]):
            k = carriers[index]
            left_row, right_row = left[k], right[k]
            for lane in range(n_lanes):
                row[lane] += left_share * left_row[lane] + right_share * right_row[lane]
