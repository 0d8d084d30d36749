"""Switch errors and calibration of the phasing benchmark, by hand."""

import numpy as np

from benchmarks.phasing import Phased, agreement, calibration, resampled, switches

SITES = [(position, "A", "C") for position in range(1, 7)]


def phased(first, sure=0.9):
    """One person, heterozygous at all sites, whose first haplotype carries these alleles."""
    genotypes = {site: np.array([[one, 1 - one]], np.int8) for site, one in zip(SITES, first, strict=True)}
    return Phased(genotypes, {site: np.array([sure]) for site in SITES})


def test_switches_are_changes_of_side_and_not_sites_on_the_wrong_one():
    truth, found = phased([0, 1, 0, 1, 1, 0]), phased([1, 0, 1, 1, 1, 0])
    every = np.ones((6, 1), bool)
    assert switches(agreement(truth, found, SITES, every)).tolist() == [[1, 5]]
    without = every.copy()
    without[[3, 4, 5]] = False
    assert switches(agreement(truth, found, SITES, without)).tolist() == [[0, 2]]
    assert switches([np.zeros(0, np.int8)]).tolist() == [[0, 0]]


def test_confidence_is_held_against_the_typed_site_before():
    truth, found = phased([0, 0, 0, 0, 0, 0]), phased([0, 1, 0, 1, 1, 1])
    rows = calibration(truth, found, {SITES[0], SITES[3]}, SITES)
    assert rows[:, 0].tolist() == [1, 1, 0, 1, 1]
    assert rows[:, 2].tolist() == [0, 1, 0, 1, 1]


def test_the_same_people_are_drawn_for_every_program():
    counts = np.array([[1.0, 10.0], [5.0, 20.0], [0.0, 30.0]])
    np.testing.assert_array_equal(resampled(counts), resampled(counts))
    assert abs(resampled(counts).mean() - 0.1) < 0.03
