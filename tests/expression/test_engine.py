"""Linear modes beside the model itself: equal where the model is linear, told and left where it is not."""

import numpy as np
import pandas as pd
import pytest

from deepcohort.expression import outputs, predict
from deepcohort.expression.effects import By, effects
from deepcohort.expression.linear import fit, survey
from deepcohort.expression.modes import How, Mode
from deepcohort.expression.people import Unphased
from deepcohort.expression.predict import estimate, predictions
from deepcohort.expression.views import Averaged
from deepcohort.genome.errors import InputError
from tests.expression.cohorts import Additive, cohort

PLACES = tuple(range(120, 280, 9))


def one(gene, sequences, model, how):
    (made,) = predictions("c", [gene], sequences, Averaged(model), how)
    return made


@pytest.mark.parametrize("mode", [Mode.ism, Mode.grad, Mode.hybrid])
@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("phased", [True, False])
def test_linear_modes_are_exact_for_a_linear_model(tmp_path, mode, strand, phased):
    gene, sequences = cohort(tmp_path, 400, PLACES, 60, phased=phased, strand=strand)
    exact = one(gene, sequences, Additive(90, 70), How())
    model = Additive(90, 70)
    linear = one(gene, sequences, model, How(mode, sample=10))
    assert linear.linear["used"] == "linear" and linear.linear["linear_ok"] == "yes"
    assert float(linear.linear["r"]) == pytest.approx(1) and float(linear.linear["rmse_sd"]) < 1e-3
    for column in ("haplotype1", "haplotype2", "mean"):
        assert np.allclose(linear.people[column], exact.people[column], atol=1e-4)
        assert np.allclose(linear.tracks[column], exact.tracks[column], atol=1e-4)
    assert np.ptp(exact.people["mean"]) > 1
    assert model.asked < int(exact.linear["haplotypes_unique"])


def test_averaged_heterozygotes_are_linear_too(tmp_path):
    gene, sequences = cohort(tmp_path, 400, PLACES, 60, phased=False, unphased=Unphased.mean)
    exact = one(gene, sequences, Additive(90, 70), How())
    linear = one(gene, sequences, Additive(90, 70), How(Mode.ism, sample=10))
    assert linear.linear["used"] == "linear"
    assert np.allclose(linear.people["mean"], exact.people["mean"], atol=1e-4)
    assert set(linear.effects["alt"]) <= set("ACGT")


def test_a_model_that_is_not_linear_is_found_out_and_asked_itself(tmp_path):
    gene, sequences = cohort(tmp_path, 400, PLACES, 60)
    straight = one(gene, sequences, Additive(90, 70), How()).tracks
    middle = straight.groupby("track")["mean"].mean().loc[["one", "two"]].to_numpy()
    bent = Additive(90, 70, power=2, middle=middle)
    exact = one(gene, sequences, bent, How())
    gone = one(gene, sequences, bent, How(Mode.ism, sample=20))
    kept = one(gene, sequences, bent, How(Mode.ism, sample=20, fallback=False))
    assert (gone.linear["linear_ok"], gone.linear["used"], kept.linear["used"]) == ("no", "exact", "linear")
    assert gone.people.equals(exact.people) and not np.allclose(kept.people["mean"], exact.people["mean"])
    assert float(gone.linear["rmse_sd"]) > 0.5
    for_all = one(gene, sequences, bent, How(Mode.ism, sample=10**6))
    assert for_all.linear["used"] == "exact" and for_all.effects is None


def test_the_error_of_a_sample_is_that_of_all(tmp_path):
    gene, sequences = cohort(tmp_path, 400, PLACES, 150)
    model = Additive(90, 70)
    model.weights[:, 40] += 30  # strong enough to bend what follows
    model.power = 3
    exact = one(gene, sequences, model, How()).people
    made = one(gene, sequences, model, How(Mode.grad, fallback=False, sample=100))
    r = np.corrcoef(made.people["haplotype1"], exact["haplotype1"])[0, 1]
    assert float(made.linear["r"]) == pytest.approx(r, abs=0.05)


def test_effects_of_variants(tmp_path):
    gene, sequences = cohort(tmp_path, 400, PLACES, 60, indels=(150, 200, 231))
    model = Averaged(Additive(90, 70))
    stretch = sequences.stretch(gene, 90, 70)
    found = survey(sequences, stretch, 10, 1)
    passes = effects(model, stretch, found.edits, By.ism)
    slopes = effects(model, stretch, found.edits, By.grad)
    mixed = effects(model, stretch, found.edits, By.hybrid)
    inside = np.array([110 <= edit.start <= 270 for edit in found.edits])
    snv = np.array([len(edit.ref) == len(edit.alt) for edit in found.edits])
    assert [how != "none" for how in passes.how] == inside.tolist()
    assert np.allclose(passes.values[snv], slopes.values[snv], atol=1e-4) and passes.values[inside].all()
    assert (
        not slopes.values[~snv].any()
        and [how for how, s in zip(slopes.how, snv, strict=True) if not s] == ["none"] * 3
    )
    assert np.allclose(mixed.values, passes.values, atol=1e-4)
    one_by_one = sequences.everybody(stretch, sequences.counts)
    assert found.haplotypes == len(one_by_one.unique)
    frequency = found.copies / (2 * len(sequences.people))
    assert ((frequency > 0) & (frequency < 0.75)).all()


def test_fit_says_how_far_two_are_apart():
    rng = np.random.default_rng(1)
    exact = rng.normal(size=50)
    told = fit(exact / 2, exact)
    assert (told.r, told.slope, told.ok) == (pytest.approx(1), pytest.approx(2), True)
    assert told.error == pytest.approx(np.sqrt(np.mean(exact**2)) / 2 / exact.std())
    assert not fit(rng.normal(size=50), exact).ok
    assert fit(np.ones(5), np.ones(5)).ok and not fit(np.zeros(5), np.ones(5)).ok


def test_auto_is_linear_where_that_is_much_cheaper(tmp_path, monkeypatch):
    gene, sequences = cohort(tmp_path, 400, PLACES, 200)
    model = Additive(90, 70)
    many = one(gene, sequences, model, How(Mode.auto, sample=20))
    assert many.linear["mode"] == "ism" and many.linear["used"] == "linear"
    monkeypatch.setattr(predict, "BEST", 5)
    assert one(gene, sequences, model, How(Mode.auto, sample=20)).linear["mode"] == "hybrid"
    few = one(gene, sequences, model, How(Mode.auto, sample=300))
    assert few.linear["mode"] == few.linear["used"] == "exact"


def test_what_it_will_cost_is_said_before(tmp_path, caplog):
    gene, sequences = cohort(tmp_path, 400, PLACES, 60)
    with caplog.at_level("INFO"):
        estimate([gene], sequences, Averaged(Additive(90, 70)), How(Mode.ism, sample=10))
    assert "cost of 1 genes in mode ism" in caplog.text and "ism 28 (" in caplog.text
    assert sequences.counts["genes"] == sequences.counts["records"] == 0


def test_gradients_of_a_model_without_are_refused(tmp_path):
    gene, sequences = cohort(tmp_path, 400, PLACES, 10)
    model = Additive(90, 70)

    class Plain:
        name, before, after, stranded, additive, tracks = "plain", 90, 70, True, False, ("a", "b")
        predict = model.predict

    with pytest.raises(InputError, match=r"^--mode grad: plain tells no gradients: use --mode ism"):
        one(gene, sequences, Plain(), How(Mode.grad))


def test_amounts_are_averaged_before_the_logarithm(tmp_path):
    gene, sequences = cohort(tmp_path, 400, PLACES, 30)
    model = Additive(90, 70)
    model.power, model.additive = 2, True
    made = one(gene, sequences, model, How())
    found = sequences.of_gene(gene, 90, 70)
    values = model.predict(found.unique)[found.of]
    assert np.allclose(made.people["haplotype2"], np.log1p(values[:, 1]).mean(axis=1))
    assert np.allclose(made.people["mean"], np.log1p(values.mean(axis=1)).mean(axis=1))
    first = made.tracks[made.tracks["track"] == "one"]
    assert np.allclose(first["mean"], np.log1p(values[:, :, 0].mean(axis=1)))


def test_files_of_a_linear_run(tmp_path):
    gene, sequences = cohort(tmp_path, 400, PLACES, 60, indels=(150,))
    model = Additive(90, 70)
    model.additive = True
    parts = predictions("c", [gene], sequences, Averaged(model), How(Mode.ism, sample=10, fallback=False))
    paths = [tmp_path / name for name in ("p.parquet", "t.parquet", "e.parquet", "m.tsv")]
    outputs.write(parts, *paths)
    people, tracks, table = (pd.read_parquet(path) for path in paths[:3])
    assert list(people) == list(predict.COLUMNS) and len(people) == 60 and len(tracks) == 120
    assert list(table) == list(predict.EFFECT_COLUMNS)
    row = table[(table["pos"] == PLACES[3] + 1) & (table["track"] == "two")].iloc[0]
    ratio = np.log2((1 + max(row["reference"] + row["effect"], 0)) / (1 + row["reference"]))
    assert (
        row["by"] == "ism"
        and row["haplotypes"] == 120
        and row["log2_ratio"] == pytest.approx(ratio, nan_ok=True)
    )
    modes = pd.read_csv(paths[3], sep="\t")
    assert modes.loc[0, ["mode", "used"]].tolist() == ["ism", "linear"]
    outputs.write(iter([]), *paths)
    assert len(pd.read_parquet(paths[0])) == 0
