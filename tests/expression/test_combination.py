"""The combination of measured expression with a sequence model's effects of variants."""

import numpy as np
import pandas as pd
import pytest

from deepcohort.expression.baselines import COMBINATION, METHODS, STRENGTHS, fit
from deepcohort.expression.dosages import Genotypes, Variant
from deepcohort.expression.fit import EXPORTED, fit_genes
from deepcohort.expression.genes import Gene
from deepcohort.expression.measured import Measured
from deepcohort.expression.modes import How, Mode
from deepcohort.expression.outputs import write_parquet
from deepcohort.expression.predict import predictions
from deepcohort.expression.study import Scale, make_study
from deepcohort.expression.told import Told
from deepcohort.expression.views import Averaged
from deepcohort.genome.vcf import make_index
from tests.expression.cohorts import Additive, cohort
from tests.genotypes import write_vcf

CAUSAL = (20, 80, 140)


def simulated(seed, people=90, variants=160):
    """Variants in blocks of ten that go together, and expression of which three explain a third."""
    rng = np.random.default_rng(seed)
    blocks = rng.normal(size=(people, 2, variants // 10)).repeat(10, axis=2)
    x = (0.7 * blocks + 0.7 * rng.normal(size=(people, 2, variants)) > 0.4).sum(axis=1).astype(float)
    told = np.zeros(variants)
    told[list(CAUSAL)] = rng.choice([-1, 1], 3) * rng.uniform(0.5, 1.5, 3)
    made = x @ told
    return x, made / made.std() / np.sqrt(2) + rng.normal(size=people), told


def gains(effects_of, seeds=10):
    """r of the combination less that of the elastic net, people of the other half."""
    found = []
    for seed in range(seeds):
        x, y, told = simulated(seed, people=180)
        train = np.arange(180) % 2 == 0
        fitted = fit(x, y, train, 1, effects_of(told, np.random.default_rng([9, seed])))
        r = [np.corrcoef(fitted[name].of(x[~train]), y[~train])[0, 1] for name in EXPORTED]
        found.append(r[1] - r[0])
    return np.mean(found)


def test_effects_that_tell_what_makes_expression_help():
    assert gains(lambda told, rng: told + rng.normal(0, 0.1, len(told))) > 0.05
    # Of the wrong sign everywhere, and in another unit: sizes are what is used.
    assert gains(lambda told, rng: -50 * told + rng.normal(0, 5, len(told)), 4) > 0.03


def test_effects_that_tell_nothing_do_little_harm():
    assert abs(gains(lambda told, rng: rng.normal(size=len(told)))) < 0.03


def test_the_combination_solves_the_net_with_these_penalties():
    """Checked where the penalty is flat: slopes of the error and of the penalty cancel at each variant."""
    x, y, told = simulated(3)
    everybody = np.ones(len(y), np.bool_)
    fitted = fit(x, y, everybody, 1, told + np.random.default_rng(3).normal(0, 0.1, len(told)))
    sizes = np.abs(told + np.random.default_rng(3).normal(0, 0.1, len(told))) * x.std(axis=0)
    z, centred = (x - x.mean(axis=0)) / x.std(axis=0), y - y.mean()

    def off(name, strength):
        """How far the penalty's strength differs between variants of the net, and others exceed it."""
        ease = 1 + strength * sizes / sizes.max()
        slopes = fitted[name].slopes * x.std(axis=0)
        pull = ease * (z.T @ (centred - z @ slopes)) / len(y)
        used = np.abs(slopes) > 0.02 * np.abs(slopes).max()
        penalty = pull[used] / (0.5 * np.sign(slopes[used]) + 0.5 * slopes[used] / ease[used])
        return np.ptp(penalty) / penalty.mean() + max(
            0, np.abs(pull[slopes == 0]).max() / 0.5 / penalty.mean() - 1
        )

    assert off("elastic_net", 0) < 0.1
    apart = [off(COMBINATION, strength) for strength in (0, *STRENGTHS)]
    assert min(apart) < 0.1 and apart[0] > 0.5 and sorted(apart)[1] > 0.2


def test_how_far_effects_are_trusted_is_chosen_as_scikit_learn_would():
    from sklearn.linear_model import ElasticNetCV
    from sklearn.model_selection import KFold

    x, y, told = simulated(5)
    centred = x - x.mean(axis=0)
    sizes = np.abs(told) * x.std(axis=0)
    found = []
    for strength in (0, *STRENGTHS):
        scale = (1 + strength * sizes / sizes.max()) / x.std(axis=0)
        net = ElasticNetCV(l1_ratio=0.5, eps=0.01, alphas=15, cv=KFold(5, shuffle=True, random_state=1),
                           max_iter=5000, tol=1e-6, fit_intercept=False)  # fmt: skip
        net.fit(centred * scale, y - y.mean())
        found.append((net.mse_path_.mean(axis=-1).min(), net.coef_ * scale))
    best = min(found, key=lambda pair: pair[0])[1]
    ours = fit(x, y, np.ones(len(y), np.bool_), 1, told)[COMBINATION]
    assert np.corrcoef(ours.slopes, best)[0, 1] > 0.999


def test_without_effects_it_is_the_elastic_net():
    x, y, told = simulated(1)
    train = np.arange(len(y)) % 3 > 0
    assert set(fit(x, y, train, 1)) == set(METHODS)
    fitted = fit(x, y, train, 1, np.zeros(len(told)))
    assert np.array_equal(fitted[COMBINATION].slopes, fitted["elastic_net"].slopes)
    changed = fit(x, np.where(train, y, y + 10), train, 1, told)[COMBINATION].slopes
    assert np.array_equal(changed, fit(x, y, train, 1, told)[COMBINATION].slopes) and changed.any()


def test_effects_are_found_by_place_and_alleles(tmp_path):
    rows = [("G", 11, "A", "C", 1.0, 0.5), ("G", 11, "A", "C", 2.0, 1.5), ("G", 11, "A", "AT", 3.0, np.nan)]
    table = pd.DataFrame(rows, columns=["gene", "pos", "ref", "alt", "effect", "log2_ratio"])
    write_parquet(tmp_path / "e.parquet", table)
    wanted = [("A", "C"), ("a", "at"), ("A", "G")]
    variants = [Variant("1", 10, ".", ref, alt) for ref, alt in wanted] + [Variant("1", 11, ".", "A", "C")]
    told = Told(tmp_path / "e.parquet")
    assert told.of(Gene("G", "G", "1", 5, "+", 5, 6), variants).tolist() == [1.0, 3.0, 0.0, 0.0]
    assert told.of(Gene("H", "H", "1", 5, "+", 5, 6), variants).tolist() == [0.0] * 4


def test_effects_are_told_where_the_model_is_asked_of_everybody(tmp_path):
    gene, sequences = cohort(tmp_path, 400, range(120, 280, 9), 60, indels=(150,))

    def one(how):
        sequences.counts.clear()
        (made,) = predictions("c", [gene], sequences, Averaged(Additive(90, 70)), how)
        return made, dict(sequences.counts)

    (plain, counts), (told, same) = one(How()), one(How(effects=True))
    (linear, _) = one(How(Mode.ism, sample=10))
    assert plain.effects is None and told.effects.equals(linear.effects)
    assert told.people.equals(plain.people) and told.linear["used"] == "exact"
    assert told.linear["haplotypes_unique"] == plain.linear["haplotypes_unique"] and same == counts


@pytest.fixture
def fitted(tmp_path):
    x, y, told = simulated(2, people=60)
    people = [f"p{n}" for n in range(60)]
    cells = [[("0/0", "0/1", "1/1")[int(c)] for c in column] for column in x.T]
    records = [("1", 100 + 10 * n, "A", "C", row) for n, row in enumerate(cells)]
    vcf = write_vcf(tmp_path / "v.vcf.gz", records, people, {"1": 5000})
    make_index(vcf, tmp_path / "v.vcf.gz.tbi")
    rows = [("A", 100 + 10 * n, "A", "C", value, np.nan) for n, value in enumerate(told)]
    table = pd.DataFrame(rows, columns=["gene", "pos", "ref", "alt", "effect", "log2_ratio"])
    write_parquet(tmp_path / "e.parquet", table)
    genes = [Gene(name, name, "1", 900, "+", 900, 901) for name in "AB"]
    measured = Measured(["A", "B"], people, np.array([y, y]), {})
    study = make_study(
        measured, list(range(60)), np.zeros((60, 0)), [""] * 60, np.arange(60),
        folds=3, components=0, scale=Scale.none, seed=1,
    )  # fmt: skip
    return fit_genes(
        "c", genes, measured, Genotypes([vcf]), study, None, Told(tmp_path / "e.parquet"), None, 1
    )


def test_weights_are_written_of_both_nets_and_no_effects_change_nothing(fitted):
    held = fitted.heldout.set_index("gene")
    assert held.loc["B", COMBINATION].equals(held.loc["B", "elastic_net"])
    assert not held.loc["A", COMBINATION].equals(held.loc["A", "elastic_net"])
    weights = fitted.weights.set_index(["method", "gene"])["weight"]
    assert set(weights.index) == {(method, gene) for method in EXPORTED for gene in "AB"}
    assert np.array_equal(weights.loc[(COMBINATION, "B")], weights.loc[("elastic_net", "B")])
    pairs = fitted.covariances[
        (fitted.covariances["method"] == COMBINATION) & (fitted.covariances["gene"] == "A")
    ]
    n = len(weights.loc[(COMBINATION, "A")])
    assert len(pairs) == n * (n + 1) // 2
