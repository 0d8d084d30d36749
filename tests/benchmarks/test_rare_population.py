"""The benchmark of a population that is rare in the panel: its table of gains, on made-up people."""

import numpy as np
import pytest

from benchmarks import scoring
from benchmarks.genotypes import Genotypes
from benchmarks.rare_population import Cut, compared


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    sites, people = 60, 80
    haplotypes = (rng.random((sites, people, 2)) < rng.uniform(0.02, 0.5, (sites, 1, 1))).astype(np.int8)
    names = np.array([f"P{number}" for number in range(people)])
    texts = [["."] * sites, ["A"] * sites, ["G"] * sites]
    everyone = Genotypes("15", names, 100 * np.arange(1, sites + 1), *texts, haplotypes)
    order = np.arange(people)
    groups = (order[order % 4 == 0], order[order % 4 == 1], order[order % 4 >= 2])
    return Cut(everyone, order // 40, ["AFR", "EUR"], 0, *groups)


def test_gains_are_of_r2_at_the_same_sites(data):
    truth = data.everyone.haplotypes[:, data.asked].sum(axis=2).astype(np.float64)
    noisy = truth + np.random.default_rng(2).normal(0, 1, truth.shape)
    rows = compared(data, {"as it is": noisy, "better": truth}, np.arange(0, 60, 10), 1)
    assert {row["superpopulation"] for row in rows} == {"AFR", "EUR"}
    untyped = np.setdiff1d(np.arange(60), np.arange(0, 60, 10))
    known = np.concatenate([data.left, data.taken])
    for row in rows:
        kind = data.labels.index(row["superpopulation"])
        own = data.everyone.haplotypes[:, known[data.label[known] == kind]]
        frequency = own.mean(axis=(1, 2))[untyped]
        here = untyped[scoring.bin_of(frequency) == scoring.BINS.index(row["maf"])]
        assert int(row["sites"]) == len(here)
        columns = data.label[data.asked] == kind
        found = {"as it is": noisy, "better": truth}[row["panel"]][here][:, columns].ravel()
        r2 = np.corrcoef(found, truth[here][:, columns].ravel())[0, 1] ** 2
        assert float(row["r2"]) == pytest.approx(r2, abs=6e-4)
        if row["panel"] == "as it is":
            assert (row["gain"], row["from"], row["to"]) == ("+0.000", "+0.000", "+0.000")
        else:
            assert float(row["from"]) <= float(row["gain"]) <= float(row["to"]) and float(row["gain"]) > 0
