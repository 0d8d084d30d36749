"""Plain models and scores: what is there is found, what is not there is not."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr

from deepcohort.expression.baselines import METHODS, dosages, folds_of, held_out
from deepcohort.expression.collect import collect_evaluations
from deepcohort.expression.evaluate import COLUMNS, correlation, evaluate
from deepcohort.expression.genes import Gene
from deepcohort.expression.measured import Measured
from deepcohort.expression.people import Record
from deepcohort.genome.errors import InputError
from deepcohort.genome.tables import write_table
from deepcohort.genome.vcf import make_index
from tests.genotypes import write_vcf


def simulated(effect, people=120, variants=40, seed=2):
    rng = np.random.default_rng(seed)
    x = rng.binomial(2, rng.uniform(0.2, 0.8, variants), (people, variants)).astype(float)
    y = effect * x[:, 7] + rng.normal(size=people)
    x[3, 7] = np.nan
    return x, y


def test_folds_hold_everybody_out_once():
    held = [out for _, out in folds_of(23, 5, 1)]
    assert sorted(np.concatenate(held)) == list(range(23))
    assert all(not set(train) & set(out) for train, out in folds_of(23, 5, 1))


@pytest.mark.parametrize("method", METHODS)
def test_a_causal_variant_is_found_and_noise_is_not(method):
    x, y = simulated(1.5)
    assert np.corrcoef(held_out(x, y, method, 5, 1), y)[0, 1] > 0.6
    scores = [
        correlation(held_out(x, y, method, 5, 1), y, 1).r for x, y in (simulated(0, seed=s) for s in range(6))
    ]
    assert abs(np.mean(scores)) < 0.15


def test_held_out_people_do_not_move_their_own_predictions():
    x, y = simulated(1.5)
    _, held = next(folds_of(len(y), 5, 1))
    changed = y.copy()
    changed[held] += 10
    for method in METHODS:
        before, after = (held_out(x, values, method, 5, 1)[held] for values in (y, changed))
        assert np.array_equal(before, after)


def test_nothing_to_predict_from_is_constant():
    y = np.random.default_rng(1).normal(size=30)
    for x in (np.zeros((30, 0)), np.full((30, 3), np.nan), np.ones((30, 3))):
        assert not held_out(x, y, "elastic_net", 5, 1).any()
    assert correlation(np.zeros(30), y, 1)[0] == 0
    assert correlation(np.zeros(30), y, 1).note == "predictions are constant"
    assert correlation(y, np.ones(30), 1).note == "expression is constant"


def test_correlation_has_an_interval_around_it():
    rng = np.random.default_rng(4)
    x = rng.normal(size=200)
    y = x + rng.normal(size=200)
    found = correlation(x, y, 1)
    expected = pearsonr(x, y)
    interval = expected.confidence_interval()
    assert found.r == pytest.approx(expected.statistic)
    assert found.low == pytest.approx(interval.low, abs=0.04)
    assert found.high == pytest.approx(interval.high, abs=0.04)


def test_dosages_count_alternative_alleles():
    alleles = np.array([[0, 1], [2, 1], [-1, 0], [1, -2]], np.int16)
    (column,) = dosages([Record(1, "A", ["C", "G"], alleles, np.ones(4, bool))]).T
    assert column[:2].tolist() == [1, 2] and np.isnan(column[2]) and column[3] == 1


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
    return genes, people, values, pd.concat(predicted), vcf


def test_a_gene_of_the_wrong_sign_shows_beside_the_plain_models(tmp_path, cohort):
    genes, people, values, predicted, vcf = cohort
    measured = Measured(list("ABC"), [*people, "stranger"], np.column_stack([values, values[:, 0]]), {})
    rows = evaluate("c", "xpresso", predicted, genes, measured, [vcf], folds=5, seed=1)
    by = {(row["gene"], row["method"]): row for row in rows}
    assert float(by["A", "xpresso"]["r"]) < -0.8 and float(by["A", "elastic_net"]["r"]) > 0.8
    assert (by["A", "xpresso"]["people"], by["A", "xpresso"]["variants"]) == ("29", "1")
    assert all(by["B", method]["note"] == "expression is constant" for method in ("xpresso", "top_snp"))
    assert ("C", "xpresso") not in by and float(by["C", "top_snp"]["r"]) > 0.8
    write_table(tmp_path / "one.tsv", rows, COLUMNS)
    collect_evaluations([tmp_path / "one.tsv"], tmp_path / "all.tsv", tmp_path / "summary.tsv", 1)
    assert (tmp_path / "all.tsv").read_text() == (tmp_path / "one.tsv").read_text()
    summary = pd.read_csv(tmp_path / "summary.tsv", sep="\t").set_index(["genes", "method"])
    assert summary.loc[("with_sequence", "xpresso"), "negative"] == 1
    assert summary["number"].to_dict() == {
        ("with_sequence", "elastic_net"): 1,
        ("with_sequence", "top_snp"): 1,
        ("with_sequence", "xpresso"): 1,
        ("all", "top_snp"): 2,
        ("all", "elastic_net"): 2,
    }


def test_people_who_are_not_in_both(cohort):
    genes, people, values, predicted, vcf = cohort
    measured = Measured(list("ABC"), ["x" + name for name in people[:25]] + people[25:], values, {})
    with pytest.raises(
        InputError, match=r"^5 of the 30 people with expression have genotypes in c, and 10 are"
    ):
        evaluate("c", "xpresso", predicted, genes, measured, [vcf], folds=5, seed=1)


def test_too_few_people_with_values(cohort):
    genes, people, values, predicted, vcf = cohort
    values[0, :25] = np.nan
    measured = Measured(list("ABC"), people, values, {})
    rows = evaluate("c", "xpresso", predicted, genes[:1], measured, [vcf], folds=5, seed=1)
    assert [(row["r"], row["note"]) for row in rows] == [("NA", "fewer than 10 people")]
