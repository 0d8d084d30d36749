"""Sites whose frequency does not fit the panel's, on drawn genotypes."""

import numpy as np
import pytest

from deepcohort.inputs.frequencies import chi_square, drift
from deepcohort.inputs.plan import plan_imputation
from tests.inputs.test_plan import SMALL, checked, counts

PEOPLE, PANEL_PEOPLE = [f"t{i}" for i in range(150)], [f"p{i}" for i in range(400)]
ALLELES = ("AG", "CT", "AT", "CG")


def drawn(folder, frequencies, target_frequencies, alleles, missing=None):
    """Panel and target with these ALT frequencies, 10 bases apart, through their checks."""
    rng = np.random.default_rng(3)

    def rows(chances, people, mark):
        lines = []
        for number, chance in enumerate(chances):
            ref, alt = alleles[number]
            cells = [f"{a}{mark}{b}" for a, b in (rng.random((people, 2)) < chance).astype(int)]
            if mark == "/" and missing and number in missing:
                cells[: missing[number]] = ["./."] * missing[number]
            lines.append(("20", 1000 + 10 * number, ref, alt, cells))
        return lines

    panel = checked(folder, "panel", rows(frequencies, len(PANEL_PEOPLE), "|"), people=PANEL_PEOPLE)
    return panel, checked(folder, "target", rows(target_frequencies, len(PEOPLE), "/"), people=PEOPLE)


def test_chi_square_is_that_of_the_table_of_two_alleles():
    rng = np.random.default_rng(1)
    ours, theirs = rng.integers(0, 101, 50), rng.integers(0, 301, 50)
    found = chi_square(ours, np.full(50, 100), theirs, np.full(50, 300))
    for a, b, value in zip(ours, theirs, found, strict=True):
        observed = np.array([[a, 100 - a], [b, 300 - b]])
        expected = observed.sum(axis=1)[:, None] * observed.sum(axis=0) / observed.sum()
        if expected.min() < 5:
            assert np.isnan(value)
        else:
            assert value == pytest.approx(((observed - expected) ** 2 / expected).sum())
    assert np.isfinite(found).sum() > 30
    assert np.isnan(chi_square(*(np.array([n]) for n in (0, 0, 30, 300))))[0]


def test_drift_is_the_factor_by_which_all_values_are_larger():
    values = np.random.default_rng(2).chisquare(1, 20_000)
    assert drift(values) == pytest.approx(1, abs=0.05)
    assert drift(np.append(7 * values, np.nan)) == pytest.approx(7, rel=0.05)
    assert drift(values / 7) == 1
    assert drift(np.full(3, np.nan)) == 1


def test_sites_of_another_frequency_are_named_and_those_of_the_other_strand_told_apart(tmp_path):
    panel_af = np.linspace(0.1, 0.35, 200)
    target_af, alleles = panel_af.copy(), [ALLELES[i % 4] for i in range(200)]
    turned, strange = [6, 51], [120]  # A/T, G>C would be read as it stands; A>G of another frequency
    target_af[turned] = 1 - target_af[turned]
    target_af[strange] = 0.75
    planned = plan_imputation(*[[file] for file in drawn(tmp_path, panel_af, target_af, alleles)], size=SMALL)
    flagged = planned.quality["20"].flagged
    assert [(site.pos, site.reason) for site in flagged] == [
        (1060, "strand"), (1510, "strand"), (2200, "frequency"),
    ]  # fmt: skip
    site = flagged[2]
    assert (site.ref, site.alt) == ("A", "G")
    assert site.target_af == pytest.approx(0.75, abs=0.06)
    assert site.panel_af == pytest.approx(panel_af[120], abs=0.04)
    assert site.chi_square > 100
    found = counts(planned)
    assert (found["qc_compared"], found["qc_frequency"], found["qc_strand"]) == (200, 1, 2)
    assert found["qc_drift_permille"] < 3
    cells = planned.quality["20"].cells
    assert sum(sites for _, _, sites in cells) == 200
    assert sum(sites for ours, theirs, sites in cells if abs(ours - theirs) > 0.2) == 3


def test_a_general_difference_of_the_people_is_allowed_for(tmp_path):
    rng = np.random.default_rng(5)
    panel_af = rng.uniform(0.2, 0.8, 300)
    target_af = np.clip(panel_af + rng.normal(0, 0.1, 300), 0.05, 0.95)
    planned = plan_imputation(
        *[[file] for file in drawn(tmp_path, panel_af, target_af, ["AG"] * 300)], size=SMALL
    )
    found = counts(planned)
    assert found["qc_frequency"] == 0
    assert 25 < found["qc_drift_permille"] < 100  # the variance 0.01 by p (1 - p), which is 0.2 on the mean


def test_swapped_sites_are_compared_by_the_panels_alt(tmp_path):
    panel, target = drawn(tmp_path, [0.2] * 60, [0.8] * 60, ["AG"] * 60)
    turned = checked(tmp_path, "turned", [("20", 1000 + 10 * i, "G", "A", ["0/1", "1/1"]) for i in range(60)])
    assert counts(plan_imputation([panel], [target], size=SMALL))["swapped"] == 0
    planned = plan_imputation([panel], [turned], size=SMALL)
    assert counts(planned)["swapped"] == 60
    assert {ours for ours, _, _ in planned.quality["20"].cells} == {
        0.25
    }  # one copy of G in four alleles: 0.25


def test_seldom_called_constant_and_repeated_sites(tmp_path):
    panel_af, target_af = [0.3] * 99 + [0.01], [0.3] * 99 + [0.0]
    panel, target = drawn(tmp_path, panel_af, target_af, ["AG"] * 100, missing={5: 14, 7: 16, 9: 150})
    planned = plan_imputation([panel], [target], size=SMALL)
    flagged = {site.pos: site for site in planned.quality["20"].flagged}
    assert {pos: site.reason for pos, site in flagged.items()} == {1070: "missing", 1090: "missing"}
    assert flagged[1070].missing == pytest.approx(16 / 150)
    assert (flagged[1090].target_af, flagged[1090].chi_square) == (None, None)
    assert (counts(planned)["qc_missing"], counts(planned)["qc_monomorphic"]) == (2, 2)
    rows = [("20", 1000, "A", "G", ["0/1", "0/0"])] * 2
    twice = plan_imputation([panel], [checked(tmp_path, "twice", rows)], size=SMALL)
    assert [(s.pos, s.reason, s.panel_af) for s in twice.quality["20"].flagged] == [(1000, "duplicate", None)]
    assert counts(twice)["duplicates"] == 1


def test_outliers_are_left_out_only_when_asked(tmp_path):
    target_af = [0.2] * 100
    target_af[40] = 0.9
    panel, target = drawn(tmp_path, [0.2] * 100, target_af, ["AG"] * 100)
    kept = plan_imputation([panel], [target], size=SMALL)
    without = plan_imputation([panel], [target], size=SMALL, exclude_outliers=True)
    assert (kept.excluded, without.excluded) == ([], [("20", 1400)])
    assert counts(without)["qc_excluded"] == 1
    assert "qc_excluded" not in counts(kept)
    assert [chunk.typed_sites for chunk in kept.chunks] == [100]
    assert [chunk.typed_sites for chunk in without.chunks] == [99]
