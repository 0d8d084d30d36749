"""Plain models and scores: what is there is found, what is not there is not."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr

from deepcohort.expression.baselines import METHODS, fit
from deepcohort.expression.dosages import Genotypes
from deepcohort.expression.evaluate import correlation, evaluate
from deepcohort.expression.fit import fit_genes
from deepcohort.expression.genes import Gene
from deepcohort.expression.measured import Measured
from deepcohort.expression.study import Scale, make_study, shared_people
from deepcohort.expression.summary import REFUSED, summarise
from deepcohort.genome.errors import InputError
from deepcohort.genome.vcf import make_index
from tests.genotypes import write_vcf


def simulated(effect, people=120, variants=40, seed=2):
    rng = np.random.default_rng(seed)
    x = rng.binomial(2, rng.uniform(0.2, 0.8, variants), (people, variants)).astype(float)
    y = effect * x[:, 7] + rng.normal(size=people)
    x[3, 7] = np.nan
    return x, y


def half(people=120):
    return np.arange(people) % 2 == 0


@pytest.mark.parametrize("method", METHODS)
def test_a_causal_variant_is_found_and_noise_is_not(method):
    x, y = simulated(1.5, people=400)
    train = half(400)
    assert np.corrcoef(fit(x, y, train, 1)[method].of(x[~train]), y[~train])[0, 1] > 0.6
    train = half()
    scores = [
        correlation(fit(x, y, train, 1)[method].of(x[~train]), y[~train], 1).r
        for x, y in (simulated(0, seed=seed) for seed in range(8))
    ]
    assert abs(np.mean(scores)) < 0.15


@pytest.mark.parametrize("method", METHODS)
def test_held_out_people_do_not_move_their_own_predictions(method):
    x, y = simulated(1.5)
    train = half()
    changed = np.where(train, y, y + 10)
    before, after = (fit(x, values, train, 1)[method].of(x[~train]) for values in (y, changed))
    assert np.array_equal(before, after) and before.any()


def test_blup_is_ridge_at_the_likeliest_heritability():
    from scipy.optimize import minimize_scalar
    from scipy.stats import multivariate_normal

    x, y = simulated(0, variants=300)
    x[3, 7] = 1
    y = y + x[:, :50] @ np.full(50, 0.3)
    everybody = np.ones(len(y), np.bool_)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    kinship = z @ z.T / z.shape[1]
    contrasts = np.linalg.svd(np.eye(len(y)) - 1 / len(y))[0][:, :-1]

    def unlikely(share):
        covariance = contrasts.T @ (share * kinship + (1 - share) * np.eye(len(y))) @ contrasts
        part = contrasts.T @ y
        scale = part @ np.linalg.solve(covariance, part) / len(part)
        return -multivariate_normal(cov=scale * covariance).logpdf(part)

    share = minimize_scalar(unlikely, bounds=(0.02, 0.98), method="bounded").x
    ridge = np.linalg.solve(
        z.T @ z + z.shape[1] * (1 - share) / share * np.eye(z.shape[1]), z.T @ (y - y.mean())
    )
    assert np.corrcoef(fit(x, y, everybody, 1)["blup"].of(x), z @ ridge)[0, 1] > 0.999


def test_nothing_to_predict_from_is_constant():
    y = np.random.default_rng(1).normal(size=30)
    everybody = np.ones(30, np.bool_)
    for x in (np.zeros((30, 0)), np.full((30, 3), np.nan), np.ones((30, 3))):
        assert not fit(x, y, everybody, 1)["elastic_net"].of(x).any()
    assert correlation(np.zeros(30), y, 1).r == 0
    assert correlation(np.zeros(30), y, 1).note == "predictions are constant"
    assert correlation(y, np.ones(30), 1).note == "expression is constant"
    assert correlation(y[:9], y[:9], 1).note == "fewer than 10 people"


def test_correlation_has_an_interval_around_it():
    rng = np.random.default_rng(4)
    x = rng.normal(size=200)
    y = x + rng.normal(size=200)
    found = correlation(x, y, 1)
    expected = pearsonr(x, y)
    interval = expected.confidence_interval()
    assert found.r == pytest.approx(expected.statistic) and found.p == pytest.approx(expected.pvalue)
    assert found.low == pytest.approx(interval.low, abs=0.04)
    assert found.high == pytest.approx(interval.high, abs=0.04)


@pytest.mark.parametrize("form", ["GT", "GT:DS"])
def test_dosages_count_each_alternative_allele(tmp_path, form):
    cells = ["0|1", "2|1", "./1", "1"] if form == "GT" else ["0|1:1,0", "2|1:0.9,1.1", ".:.,.", "1:1.5,0"]
    records = [("1", 100, "A", "C,G", cells), ("1", 101, "A", "*,<DEL>", cells)]
    vcf = write_vcf(tmp_path / "v.vcf.gz", records, list("abcd"), {"1": 500}, form)
    make_index(vcf, tmp_path / "v.vcf.gz.tbi")
    variants, x = Genotypes([vcf]).near("chr1", 0, 200)
    assert [(one.pos, one.ref, one.alt) for one in variants] == [(99, "A", "C"), (99, "A", "G")]
    expected = [[1, 0], [1, 1], [np.nan, np.nan], [2, 0]]
    if form == "GT:DS":
        expected = [[1, 0], [0.9, 1.1], [np.nan, np.nan], [1.5, 0]]
    assert np.allclose(x, expected, equal_nan=True)


@pytest.fixture
def cohort(tmp_path):
    """30 people, a variant that makes the expression of gene A; B is constant, C has no sequence."""
    rng = np.random.default_rng(6)
    copies = rng.binomial(2, 0.5, 30)
    people = [f"p{n}" for n in range(30)]
    cells = ["/".join(map(str, sorted((int(c > 1), int(c > 0))))) for c in copies]
    vcf = write_vcf(tmp_path / "v.vcf.gz", [("chr1", 1000, "A", "C", cells)], people, {"chr1": 5000})
    make_index(vcf, tmp_path / "v.vcf.gz.tbi")
    genes = [Gene(name, name, "1", 1100, "+", 1100, 1101) for name in "ABC"]
    values = np.array([copies + rng.normal(0, 0.3, 30), np.ones(30), copies + rng.normal(0, 0.3, 30)])
    values[0, 4] = np.nan
    predicted = [
        pd.DataFrame({"gene": name, "person": people, "mean": -copies.astype(float)}) for name in "AB"
    ]
    measured = Measured(list("ABC"), [*people, "stranger"], np.column_stack([values, values[:, 0]]), {})
    return genes, people, measured, pd.concat(predicted), vcf


def scored(cohort, populations=None):
    genes, people, measured, predicted, vcf = cohort
    shared, notes = shared_people(measured, people, "c")
    assert notes == ["1 people with expression have no genotypes and were left out."]
    study = make_study(
        measured, shared, np.zeros((30, 0)), populations or [""] * 30, np.arange(30),
        folds=5, components=0, scale=Scale.none, seed=1,
    )  # fmt: skip
    fits = fit_genes("c", genes, measured, Genotypes([vcf]), study, None, None, None, 1)
    return evaluate("c", "xpresso", predicted, fits.heldout, genes, study, seed=1), fits


def test_a_gene_of_the_wrong_sign_shows_beside_the_plain_models(cohort):
    rows, fits = scored(cohort)
    by = {(r["gene"], r["method"]): r for r in rows if (r["split"], r["group"]) == ("people", "all")}
    assert float(by["A", "xpresso"]["r"]) < -0.8 and float(by["A", "elastic_net"]["r"]) > 0.8
    assert (by["A", "xpresso"]["people"], by["A", "xpresso"]["variants"]) == ("29", "1")
    assert all(by["B", method]["note"] == "expression is constant" for method in ("xpresso", "top_snp"))
    assert ("C", "xpresso") not in by and float(by["C", "top_snp"]["r"]) > 0.8
    null = [float(r["r"]) for r in rows if r["split"] == "permuted" and r["r"] != "NA"]
    assert len(null) == 7 and abs(np.mean(null)) < 0.4
    assert {r["group"] for r in rows if r["split"] == "curve"} == {"50%", "75%"}
    assert set(fits.weights["gene"]) == {"A", "C"} and (fits.weights["weight"] > 0.5).all()
    summary = pd.DataFrame(summarise(pd.DataFrame(rows), "xpresso", 1)).set_index(
        ["split", "genes", "method"]
    )
    wrong = summary.loc[("people", "with_sequence", "xpresso")]
    assert (wrong["negative"], wrong["surely_negative"], wrong["number"]) == ("1.0000", "1.0000", "1")
    assert summary.loc[("people", "all", "top_snp"), "number"] == "2"


def test_populations_are_scored_apart_and_held_out(cohort):
    rows, _ = scored(cohort, ["N"] * 14 + ["S"] * 16)
    found = {(r["split"], r["group"]) for r in rows if (r["gene"], r["method"]) == ("A", "top_snp")}
    assert {("people", "N"), ("people", "S"), ("population", "N"), ("population", "S")} <= found
    held = [r for r in rows if (r["split"], r["group"], r["gene"]) == ("population", "S", "A")]
    assert {r["people"] for r in held} == {"16"} and len(held) == 4


def test_levels_of_genes_that_were_normalised_one_by_one_are_not_compared():
    columns = {"cohort": "c", "split": "people", "group": "all", "method": "m", "high": "0.5", "r": "0.1"}
    rows = [columns | {"gene": f"g{n}", "mean_predicted": "NA", "mean_measured": "NA"} for n in range(4)]
    *_, last = summarise(pd.DataFrame(rows), "m", 1)
    assert (last["split"], last["mean_r"], last["note"]) == ("across_genes", "NA", REFUSED)
    rows = [row | {"mean_predicted": str(n), "mean_measured": str(2 * n)} for n, row in enumerate(rows)]
    *_, last = summarise(pd.DataFrame(rows), "m", 1)
    assert (last["mean_r"], last["note"]) == ("1.0000", "")


def test_people_who_are_not_in_both(cohort):
    _, people, measured, _, _ = cohort
    with pytest.raises(
        InputError, match=r"^5 of the 31 people with expression have genotypes in c, and 10 are"
    ):
        shared_people(measured, people[:5], "c")
