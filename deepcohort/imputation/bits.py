"""Packed alleles, a row of bits a site, told by haplotype: as bits turned about, or as lists of carriers."""

import numpy as np
from numba.cpython.unsafe.numbers import leading_zeros, trailing_zeros
from numpy.typing import NDArray

from deepcohort.genome.compiled import compiled

UInt8 = NDArray[np.uint8]
Int64 = NDArray[np.int64]


@compiled
def turned(bits: UInt8, sites: Int64, flipped: NDArray[np.bool_], n_haplotypes: int) -> NDArray[np.uint64]:
    """Bits of each haplotype along some sites, uint64[K, words], the first site in the lowest bit.

    bits: uint8[S, ceil(K / 8)], as ``numpy.packbits`` lays them out. flipped: bool[U], sites whose bits are
    turned into their opposites. Blocks of 8 × 8 bits change rows for columns in three steps of swapping
    (Warren 2013, Hacker's Delight, ch. 7).
    """
    words = np.zeros((n_haplotypes, (len(sites) + 63) // 64), np.uint64)
    rows = np.zeros(8, np.uint64)
    for word in range(words.shape[1]):
        for byte in range(bits.shape[1]):
            rows[:] = 0
            for i in range(min(64, len(sites) - 64 * word)):
                site = sites[64 * word + i]
                seen = np.uint64(~bits[site, byte] & 255 if flipped[64 * word + i] else bits[site, byte])
                rows[i // 8] |= seen << np.uint64(8 * (i % 8))
            for part in range(8):
                rows[part] = _swapped(rows[part])
            for haplotype in range(min(8, n_haplotypes - 8 * byte)):
                column = np.uint64(8 * (7 - haplotype))
                found = np.uint64(0)
                for part in range(8):
                    found |= ((rows[part] >> column) & np.uint64(255)) << np.uint64(8 * part)
                words[8 * byte + haplotype, word] = found
    return words


@compiled
def _swapped(x: np.uint64) -> np.uint64:
    """Rows for columns in a block of 8 × 8 bits."""
    swap = (x ^ (x >> np.uint64(7))) & np.uint64(0x00AA00AA00AA00AA)
    x = x ^ swap ^ (swap << np.uint64(7))
    swap = (x ^ (x >> np.uint64(14))) & np.uint64(0x0000CCCC0000CCCC)
    x = x ^ swap ^ (swap << np.uint64(14))
    swap = (x ^ (x >> np.uint64(28))) & np.uint64(0x00000000F0F0F0F0)
    return x ^ swap ^ (swap << np.uint64(28))


@compiled
def listed(
    bits: UInt8, sites: Int64, flipped: NDArray[np.bool_], starts: Int64, number: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Haplotypes with the bit set (or not set, where flipped), site by site.

    starts: int64[U + 1], where each site's begin. number: int32[K], what a haplotype is called, -1 for those
    that do not count.
    """
    carriers = np.empty(starts[-1], np.int32)
    for u in range(len(sites)):
        row, place = bits[sites[u]], starts[u]
        for byte in range(len(row)):
            seen = ~row[byte] & 255 if flipped[u] else row[byte]
            if seen:
                for k in range(8 * byte, min(8 * byte + 8, len(number))):
                    if seen & (128 >> (k & 7)) and number[k] >= 0:
                        carriers[place] = number[k]
                        place += 1
    return carriers


@compiled
def lowest_bit(word: np.uint64) -> int:
    """Place of the lowest bit that is set."""
    return int(trailing_zeros(word))  # type: ignore[call-arg]


@compiled
def zeros_above(word: np.uint64) -> int:
    """Number of zeros above the highest bit that is set."""
    return int(leading_zeros(word))  # type: ignore[call-arg]
