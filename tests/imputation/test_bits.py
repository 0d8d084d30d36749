"""Packed alleles told by haplotype, and places of bits."""

import numpy as np
import pytest

from deepcohort.imputation.bits import listed, lowest_bit, turned, zeros_above
from tests.imputation.haplotypes import panel_chunk


@pytest.mark.parametrize("n_sites", [1, 7, 8, 63, 64, 65, 130])
@pytest.mark.parametrize("n_haplotypes", [1, 7, 8, 9, 30])
def test_turned_and_listed(n_sites, n_haplotypes):
    rng = np.random.default_rng(n_sites)
    alleles = rng.integers(0, 2, (n_sites + 5, n_haplotypes)).astype(np.uint8)
    sites, flipped = np.sort(rng.permutation(n_sites + 5)[:n_sites]), rng.random(n_sites) < 0.4
    expected = alleles[sites] ^ flipped[:, None]
    words = turned(np.packbits(alleles, axis=1), sites, flipped, n_haplotypes)
    assert words.shape == (n_haplotypes, (n_sites + 63) // 64)
    found = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
    np.testing.assert_array_equal(found[:, :n_sites], expected.T)
    assert not found[:, n_sites:].any()
    number = np.where(rng.random(n_haplotypes) < 0.7, np.arange(n_haplotypes)[::-1], -1).astype(np.int32)
    counted = [number[np.flatnonzero(row & (number >= 0))] for row in expected]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in counted])]).astype(np.int64)
    found = listed(np.packbits(alleles, axis=1), sites, flipped, starts, number)
    np.testing.assert_array_equal(found, np.concatenate(counted))


@pytest.mark.parametrize("kept", [None, [0, 3, 4, 17], list(range(9))])
def test_carriers_are_those_of_the_minor_allele(kept):
    rng = np.random.default_rng(6)
    alleles = (rng.random((90, 20)) < rng.random((90, 1))).astype(np.uint8)
    sites = np.sort(rng.permutation(90)[:70])
    haplotypes = np.arange(20) if kept is None else np.array(kept)
    carriers = panel_chunk(alleles).carriers(sites, None if kept is None else haplotypes)
    among = alleles[sites][:, haplotypes]
    minor = among ^ (2 * among.sum(axis=1, keepdims=True) > len(haplotypes))
    np.testing.assert_array_equal(carriers.flipped, 2 * among.sum(axis=1) > len(haplotypes))
    lists = np.split(carriers.carriers, carriers.starts[1:-1])
    for row, expected in zip(lists, minor, strict=True):
        np.testing.assert_array_equal(row, np.flatnonzero(expected))
    bits = np.unpackbits(carriers.by_haplotype.view(np.uint8), axis=1, bitorder="little")
    np.testing.assert_array_equal(bits[:, :70], minor.T)


def test_places_of_bits():
    for place in (0, 1, 31, 32, 63):
        word = np.uint64(1 << place)
        assert lowest_bit(word | np.uint64(1 << 63)) == place
        assert zeros_above(word | np.uint64(1)) == 63 - place
