"""Accuracy told by the panel's own people."""

from dataclasses import replace

import numpy as np
import pytest

from deepcohort.genome.command import Device
from deepcohort.imputation.accuracy_table import MAF_BINS, maf_bin, squared_correlation
from deepcohort.imputation.expected import FACT, expected_accuracy
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import Settings, model
from deepcohort.imputation.panel_people import as_target, genotypes_of
from tests.imputation.haplotypes import founders, panel_chunk

SETTINGS = Settings(Imputer.copying, Device.cpu, 1, 1)


def some_panel(people=60, sites=150, person=None):
    alleles = founders(np.random.default_rng(3), sites, 2 * people, ancestors=10)
    return panel_chunk(alleles, person=person)


def test_sums_are_those_of_people_imputed_from_the_others():
    panel, typed = some_panel(), np.arange(0, 150, 4)
    seen = {}

    def guess(kept, target, sites):
        seen.update(kept=kept, target=target, sites=sites)
        return np.random.default_rng(4).random((len(sites), 2 * len(target.samples)), np.float32)

    found = expected_accuracy(panel, typed, guess, 1)
    hidden = [int(name) for name in seen["target"].samples]
    assert found["people"] == len(hidden) == 6
    assert not np.isin(seen["kept"].person, hidden).any()
    assert seen["kept"].n_haplotypes == 108
    assert seen["sites"].tolist() == np.setdiff1d(np.arange(150), typed).tolist()
    alleles, frequency = panel.alleles(seen["sites"]), seen["kept"].alt_frequency()[seen["sites"]]
    chances = guess(**seen).astype(float)
    pairs = {}
    for site, share in enumerate(frequency):
        for column, person in enumerate(hidden):
            x = chances[site, 2 * column : 2 * column + 2].sum()
            y = float(alleles[site, 2 * person : 2 * person + 2].sum())
            if (name := maf_bin(share)) is not None:
                pairs.setdefault(MAF_BINS[name], []).append((2 - x, 2 - y) if share > 0.5 else (x, y))
    assert set(found["bins"]) == set(pairs)
    for name, values in pairs.items():
        expected = np.corrcoef(np.array(values).T)[0, 1] ** 2
        assert squared_correlation(*found["bins"][name]) == pytest.approx(expected, abs=1e-6)


def test_people_with_one_haplotype_count_once():
    person = np.concatenate([np.arange(40).repeat(2), np.arange(40, 80)]).astype(np.int32)
    panel, typed = some_panel(60, person=person), np.arange(0, 150, 4)

    def guess(kept, target, sites):
        assert target.haploid.any()
        assert not target.haploid.all()
        return np.full((len(sites), 2 * len(target.samples)), 0.5, np.float32)

    found = expected_accuracy(panel, typed, guess, 5)
    for n, x, y, _, _, _ in found["bins"].values():
        assert n < 2 * x < 2 * n
        assert y < 2 * x


@pytest.mark.parametrize("typed", [np.arange(0), np.arange(150)])
def test_nothing_is_expected_without_typed_or_untyped_sites(typed):
    def never(*_):
        raise AssertionError("there is nothing to impute")

    assert expected_accuracy(some_panel(), typed, never, 1) == {"people": 0, "bins": {}}
    assert expected_accuracy(some_panel(4), np.arange(0, 150, 4), never, 1)["people"] == 0


def test_the_copying_model_expects_what_others_then_get():
    whole, typed = some_panel(200, 400), np.arange(0, 400, 4)
    panel = replace(
        whole, bits=np.packbits(whole.alleles(np.arange(400))[:, :320], axis=1), n_haplotypes=320,
        person=whole.person[:320],
    )  # fmt: skip
    trained = model(Imputer.copying).train(panel, typed, SETTINGS)
    told = trained.facts[FACT]
    assert told["people"] == 16

    # Forty people whom neither the panel nor training has seen.
    others, asked = np.arange(160, 200, dtype=np.int32), np.setdiff1d(np.arange(400), typed)
    target = as_target(whole, others, typed)
    chances = model(Imputer.copying).impute(panel, target, asked, trained, SETTINGS)
    dosage, truth = chances[:, 0::2] + chances[:, 1::2], genotypes_of(whole, asked)[:, others]
    bins = [maf_bin(share) for share in panel.alt_frequency()[asked]]
    for name in ("5-20%", "20-50%"):
        here = [place == MAF_BINS.index(name) for place in bins]
        flip = panel.alt_frequency()[asked][here, None] > 0.5
        x, y = (np.where(flip, 2 - values[here], values[here]) for values in (dosage, truth.astype(float)))
        expected = np.corrcoef(x.ravel(), y.ravel())[0, 1] ** 2
        assert float(squared_correlation(*told["bins"][name])) == pytest.approx(expected, abs=0.08)
        assert expected > 0.3
