"""Tracks of a sequence model stacked: what is learnt, and from whom."""

import numpy as np
import pandas as pd
import pytest

from deepcohort.expression.dosages import Genotypes
from deepcohort.expression.fit import fit_genes
from deepcohort.expression.genes import Gene
from deepcohort.expression.measured import Measured
from deepcohort.expression.stacked import PENALTIES, STACKED, Tracks, stacked
from deepcohort.expression.study import Scale, make_study
from deepcohort.genome.vcf import make_index
from tests.genotypes import write_vcf


@pytest.fixture
def people():
    """Five tracks, and expression that is the first less the second, with noise; half of them trained on."""
    rng = np.random.default_rng(2)
    tracks = rng.normal(3, [1, 2, 1, 5, 1], (120, 5)) + rng.normal(size=(120, 1))
    y = tracks[:, 0] - tracks[:, 1] / 2 + rng.normal(0, 0.5, 120)
    return tracks, y, np.arange(120) % 2 == 0


def test_tracks_are_weighed_by_what_people_tell(people):
    tracks, y, train = people
    made = stacked(tracks, y, train)
    assert np.corrcoef(made[~train], y[~train])[0, 1] > 0.8
    assert np.corrcoef(tracks.mean(axis=1)[~train], y[~train])[0, 1] < 0.5
    assert made[train].mean() == pytest.approx(0, abs=1e-9)


def test_it_is_the_ridge_of_the_penalty_that_people_left_out_say(people):
    """Independent: the normal equations, and everybody really left out one by one."""
    tracks, y, train = people
    z = (tracks - tracks[train].mean(axis=0)) / tracks[train].std(axis=0)
    own, told = z[train], y[train] - y[train].mean()

    def weights(x, y, penalty):
        return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)

    def error(penalty):
        rest = [np.arange(len(told)) != n for n in range(len(told))]
        return sum((told[n] - own[n] @ weights(own[r], told[r], penalty)) ** 2 for n, r in enumerate(rest))

    assert np.allclose(stacked(tracks, y, train), z @ weights(own, told, min(PENALTIES, key=error)))


def test_nothing_of_held_out_people_is_learnt(people):
    tracks, y, train = people
    assert np.array_equal(stacked(tracks, np.where(train, y, 1e3), train), stacked(tracks, y, train))
    missing = np.where(train, y, np.nan)
    assert np.array_equal(stacked(tracks, missing, train), stacked(tracks, y, train))


def test_tracks_or_expression_that_are_alike_tell_nothing(people):
    tracks, y, train = people
    assert not stacked(np.ones_like(tracks), y, train).any()
    assert not stacked(tracks, np.ones_like(y), train).any()
    assert not stacked(tracks, y, np.zeros_like(train)).any()


def test_tracks_are_of_people_and_genes(tmp_path):
    rows = [
        ("A", track, person, value)
        for track, values in (("t2", (1.0, 2.0)), ("t1", (3.0, 4.0)))
        for person, value in zip(("p2", "p1"), values, strict=True)
    ]
    table = pd.DataFrame([*rows, ("B", "t1", "p1", 5.0)], columns=["gene", "track", "person", "mean"])
    table.to_parquet(tmp_path / "t.parquet")
    tracks = Tracks(tmp_path / "t.parquet")
    assert tracks.of("A", ["p1", "p2"]).tolist() == [[4.0, 2.0], [3.0, 1.0]]
    assert tracks.of("B", ["p1"]) is None and tracks.of("C", ["p1"]) is None


def test_genes_with_several_tracks_have_it_beside_the_plain_models(people, tmp_path):
    tracks, y, _ = people
    names = [f"p{n}" for n in range(len(y))]
    cells = np.random.default_rng(1).choice(["0/0", "0/1", "1/1"], len(y)).tolist()
    vcf = write_vcf(tmp_path / "v.vcf.gz", [("1", 100, "A", "C", cells)], names, {"1": 5000})
    make_index(vcf, tmp_path / "v.vcf.gz.tbi")
    rows = [
        ("A", f"t{n}", name, one) for n in range(5) for name, one in zip(names, tracks[:, n], strict=True)
    ]
    table = pd.DataFrame(rows, columns=["gene", "track", "person", "mean"])
    table.to_parquet(tmp_path / "t.parquet")
    study = make_study(
        Measured(["A", "B"], names, np.array([y, y]), {}), list(range(len(y))), np.zeros((len(y), 0)),
        [""] * len(y), np.arange(len(y)), folds=3, components=0, scale=Scale.none, seed=1,
    )  # fmt: skip
    genes = [Gene(name, name, "1", 900, "+", 900, 901) for name in "AB"]
    measured = Measured(["A", "B"], names, np.array([y, y]), {})
    told = Tracks(tmp_path / "t.parquet")
    held = fit_genes("c", genes, measured, Genotypes([vcf]), study, None, None, told, 1).heldout
    one = held[(held["gene"] == "A") & (held["kind"] == "people")]
    assert np.corrcoef(one[STACKED].astype(float), one["measured"].astype(float))[0, 1] > 0.8
    null = held[(held["gene"] == "A") & (held["kind"] == "permuted")]
    assert abs(np.corrcoef(null[STACKED].astype(float), null["measured"].astype(float))[0, 1]) < 0.4
    assert held.loc[held["gene"] == "B", STACKED].isna().all()
