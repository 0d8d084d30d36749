"""The same tests for every model: what comes for whom, whatever the model is."""

from dataclasses import replace

import numpy as np
import pytest

from deepcohort.genome.command import Device
from deepcohort.imputation.chunk import impute_chunk
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.models import KINDS, Settings, as_told_by, model
from deepcohort.imputation.network_options import NetworkOptions
from deepcohort.imputation.targets import TargetChunk
from deepcohort.imputation.trained import Trained
from tests.imputation.cohort import cohort

SMALL = NetworkOptions(window=40, flank=6, embedding=8, hidden=8, layers=1, epochs=2)
DATA = cohort(n_panel=60)
HAPLOID, NOBODY, HOLES = 9, 10, 11

# Their answer hangs on who else is in the batch: the factors are of everybody together.
TOGETHER = {Imputer.svd}
# Unphased people in the batch change what phased ones get: rows are people then, else haplotypes.
OF_PHASED_ALONE = {Imputer.knn}


def settings(imputer: Imputer, seed: int = 1) -> Settings:
    return Settings(imputer, Device.cpu, 1, seed, SMALL, (Imputer.naive, Imputer.lstm, Imputer.copying))


def trained(imputer: Imputer, seed: int = 1) -> Trained:
    if KINDS[imputer] in ("autoregressive", "ensemble"):
        pytest.importorskip("torch", reason="PyTorch is not installed: the networks are NOT tested here")
    return model(imputer).train(DATA.panel, DATA.target.typed, settings(imputer, seed))


@pytest.fixture(scope="module", params=list(KINDS), ids=str)
def learnt(request: pytest.FixtureRequest) -> Trained:
    return trained(request.param)


def imputed(learnt: Trained, target: TargetChunk) -> np.ndarray:
    return impute_chunk(DATA.panel, target, learnt, settings(learnt.imputer)).chances


def test_chances_of_everybody(learnt: Trained) -> None:
    found = imputed(learnt, DATA.target)
    assert found.shape == (90, 24)
    assert found.dtype == np.float32
    assert (found >= 0).all() and (found <= 1 + 1e-6).all()
    told = as_told_by(learnt.imputer, DATA.target)
    assert told.phased[HAPLOID]
    one, two = found[:, 0::2][:, ~told.phased], found[:, 1::2][:, ~told.phased]
    assert (one + two <= 1 + 1e-5).all()


def test_what_was_observed_is_kept(learnt: Trained) -> None:
    found = imputed(learnt, DATA.target)[DATA.target.typed]
    genotypes = DATA.target.genotypes.astype(np.float32)
    haplotypes = genotypes[:, HAPLOID, 0]
    assert (found[:, 2 * HAPLOID] == haplotypes).all()
    told = as_told_by(learnt.imputer, DATA.target)
    for person in (1, 8, HOLES):
        called = (genotypes[:, person] >= 0).all(axis=1)
        first, second = found[called, 2 * person], found[called, 2 * person + 1]
        dosage = first + second if told.phased[person] else first + 2 * second
        assert (dosage == genotypes[called, person].sum(axis=1)).all()
    assert (genotypes[:, HOLES] < 0).any()


def test_it_is_saved_and_read_back(learnt: Trained, tmp_path) -> None:
    learnt.save(tmp_path / "c.model")
    again = Trained.load(tmp_path / "c.model", learnt.imputer)
    assert imputed(again, DATA.target).tobytes() == imputed(learnt, DATA.target).tobytes()


def test_one_person_alone(learnt: Trained) -> None:
    for person in (0, 8, HAPLOID, NOBODY):
        alone = imputed(learnt, DATA.people(person, person + 1))
        assert alone.shape == (90, 2)
        assert np.isfinite(alone).all()


def test_nobody_hangs_on_who_else_is_in_the_batch(learnt: Trained) -> None:
    if learnt.imputer in TOGETHER:
        pytest.skip("factors of everybody together")
    batch = DATA.people(0, 8) if learnt.imputer in OF_PHASED_ALONE else DATA.target
    together = imputed(learnt, batch)
    for person in range(8):
        alone = imputed(learnt, DATA.people(person, person + 1))
        np.testing.assert_allclose(together[:, 2 * person : 2 * person + 2], alone, atol=2e-5)


def test_the_same_seed_gives_the_same_bytes(learnt: Trained) -> None:
    again = trained(learnt.imputer)
    assert again.facts == learnt.facts
    assert {name: value.tobytes() for name, value in again.weights.items()} == {
        name: value.tobytes() for name, value in learnt.weights.items()
    }
    assert imputed(again, DATA.target).tobytes() == imputed(learnt, DATA.target).tobytes()


def test_a_chunk_without_typed_sites(learnt: Trained) -> None:
    none = np.zeros(0, np.int64)
    unlearnt = model(learnt.imputer).train(DATA.panel, none, settings(learnt.imputer))
    target = replace(DATA.target, typed=none, genotypes=DATA.target.genotypes[:0])
    found = imputed(unlearnt, target)
    frequency = DATA.panel.alt_frequency().astype(np.float32)
    np.testing.assert_allclose(found[:, 2 * HAPLOID], frequency, atol=1e-6)
    unphased = 2 * 8
    np.testing.assert_allclose(found[:, unphased + 1], frequency**2, atol=1e-6)


def test_typed_sites_that_are_hidden_are_imputed(learnt: Trained) -> None:
    masked = DATA.target.masking(DATA.panel.pos, 0.3, 1)
    found = impute_chunk(DATA.panel, masked, learnt, settings(learnt.imputer))
    assert found.sites.tolist() == masked.masked.tolist()
    assert np.isfinite(found.chances).all()
