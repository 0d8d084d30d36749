"""Models that people taught: what they learn, whom they tell of, and files that do not fit."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from deepcohort.expression.cross_fitted import load_taught, not_taught_by, own_values
from deepcohort.expression.evaluate import evaluate
from deepcohort.expression.genes import Gene, read_genes
from deepcohort.expression.measured import Measured
from deepcohort.expression.modes import How, Mode
from deepcohort.expression.part import Part
from deepcohort.expression.people import Sequences
from deepcohort.expression.predict import predictions
from deepcohort.expression.prepare import prepare
from deepcohort.expression.settings import Settings
from deepcohort.expression.shards import write_shards
from deepcohort.expression.study import Kind, Scale, make_study
from deepcohort.expression.taught import save_taught
from deepcohort.expression.train import groups, lessons, pupil, train, train_files, unseen_chroms
from deepcohort.expression.tuned import Tunable
from deepcohort.expression.views import Averaged
from deepcohort.genome.checkpoint import Limits
from deepcohort.genome.errors import InputError
from tests.expression.cohorts import cohort
from tests.expression.planted import GENES, write_planted

SMALL = Settings(context=512)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Planted cohorts by whether people are shuffled: a folder with a study of three folds."""
    return {permuted: prepared(tmp_path_factory.mktemp("planted"), permuted) for permuted in (False, True)}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """As planted, with few genes: enough to see what training does, not what it learns."""
    return prepared(tmp_path_factory.mktemp("small"), False, {"1": 2, "2": 1})


def prepared(folder, permuted, by_chrom=GENES):
    write_planted(folder, permuted=permuted, seed=1 + permuted, by_chrom=by_chrom)
    write_shards(folder / "genes", folder / "shards.tsv", read_genes(folder / "genes.bed").genes, 50)
    study, _ = prepare(
        "c", [folder / "v.vcf.gz"], folder / "e.bed", None, None, None,
        folds=3, components=0, scale=Scale.none, seed=1,
    )  # fmt: skip
    return folder, study


def taught(planted, name, epochs, fold=0, checkpoint=None):
    """Weights of a training, and what is known of them."""
    folder, study = planted
    train_files(
        sorted((folder / "genes").glob("*.tsv")), folder / "r.fa", [folder / "v.vcf.gz"], folder / "e.bed",
        study, folder / f"{name}.safetensors", folder / f"{name}.tsv", folder / f"{name}.json", name="cnn",
        settings=SMALL, part=Part.all, fold=fold, limits=Limits(epochs, 3), seed=1, checkpoint=checkpoint,
    )  # fmt: skip
    return folder / f"{name}.safetensors", json.loads((folder / f"{name}.json").read_text())


def test_neither_an_untaught_network_nor_one_taught_by_shuffled_people_tells_anything(planted):
    made = {
        (permuted, epochs): taught(planted[permuted], "one", epochs)[1]["held_out_mean_r"]
        for permuted, epochs in ((False, 6), (False, 0), (True, 3))
    }
    learnt = made[False, 6]
    assert learnt["genes"] > 0.5 and learnt["unseen_genes"] > 0.5
    assert made[False, 0]["genes"] < learnt["genes"] / 2
    assert abs(made[True, 3]["genes"]) < 0.2 and abs(made[True, 3]["unseen_genes"]) < 0.3


def test_training_goes_on_after_a_kill_to_the_same_bytes(small, tmp_path):
    whole, said = taught(small, "whole", 2)
    taught(small, "half", 1, checkpoint=tmp_path / "c.safetensors")
    again, _ = taught(small, "again", 2, checkpoint=tmp_path / "c.safetensors")
    assert whole.read_bytes() == again.read_bytes() and len(said["losses"]) == 3
    with pytest.raises(InputError, match="a checkpoint of another training: give an empty"):
        taught(small, "other", 2, fold=1, checkpoint=tmp_path / "c.safetensors")


def test_people_are_told_by_models_that_they_did_not_teach(small):
    folder, study = small
    files = [taught(small, f"fold0{fold + 1}", 1, fold)[0] for fold in range(3)]
    held = [{study.people[n] for n in np.flatnonzero(groups(study, fold).held)} for fold in range(3)]
    model = Averaged(load_taught("cnn", Settings(), files))
    gene = read_genes(folder / "genes.bed").genes[0]
    sequences = Sequences(folder / "r.fa", [folder / "v.vcf.gz"], "1")
    made = {
        mode: next(predictions("c", [gene], sequences, model, How(mode))) for mode in (Mode.exact, Mode.grad)
    }
    people = made[Mode.exact].people.set_index("person")
    assert not people["taught"].any() and set(made[Mode.exact].tracks["track"]) == {"expression"}
    for fold, path in enumerate(files):
        alone = next(
            predictions("c", [gene], sequences, Averaged(load_taught("cnn", Settings(), [path])), How())
        )
        one = alone.people.set_index("person")
        assert set(one.index[~one["taught"]]) == held[fold]
        some = sorted(held[fold])
        assert np.allclose(people.loc[some, "mean"], one.loc[some, "mean"], atol=1e-6)
        centre = one["mean"][one["taught"]].mean()
        assert abs(centre) < 1e-6


def test_each_output_is_taken_less_its_mean_over_those_who_taught_it():
    unknown = not_taught_by(["a", "b", "c", "d"], [frozenset("ab"), frozenset("bc"), frozenset("bc")])
    values = np.array(
        [[[1.0, 4, 6], [3, 4, 6]], [[5, 1, 1], [np.nan] * 3], [[7, 3, 5], [7, 3, 5]], [[0, 0, 3]] * 2]
    )
    made = own_values(values, unknown)[..., 0]
    # The means are (2 + 5) / 2, (1 + 3) / 2 and (1 + 5) / 2; nobody is left for b, so all three are taken.
    assert np.allclose(made[0], [2.5, 2.5]) and np.allclose(made[2], 3.5)
    assert made[1, 0] == pytest.approx((1.5 - 1 - 2) / 3) and np.isnan(made[1, 1])
    assert np.allclose(made[3], (-3.5 - 2 + 0) / 3)


def test_who_taught_a_model_is_not_scored_by_it(caplog):
    rng = np.random.default_rng(1)
    people = [f"p{n}" for n in range(40)]
    measured = Measured(["G", "H"], people, rng.normal(size=(2, 40)), {"G": 1, "H": 1})
    study = make_study(
        measured, list(range(40)), np.zeros((40, 0)), ["A"] * 20 + ["B"] * 20, np.arange(40),
        folds=3, components=0, scale=Scale.none, seed=1,
    )  # fmt: skip
    held = [
        pd.DataFrame({
            "cohort": "c", "gene": gene, "kind": split.kind.value, "group": split.group,
            "person": np.array(people)[split.held], "genome": np.array(people)[split.held], "variants": 3,
            "measured": measured.values[n, split.held], "top_snp": rng.normal(size=split.held.sum()),
        })
        for n, gene in enumerate("GH") for split in study.splits
        if split.kind in (Kind.people, Kind.population)
    ]  # fmt: skip
    made = pd.DataFrame(
        {"gene": np.repeat(["G", "H"], 40), "person": people * 2, "mean": rng.normal(size=80)}
    )
    genes = [Gene("G", "G", "1", 5, "+", 5, 6), Gene("H", "H", "2", 5, "+", 5, 6)]

    def scored(taught, unseen):
        given = made.assign(taught=made["person"].isin(taught))
        rows = evaluate("c", "cnn", given, pd.concat(held), genes, study, seed=1, unseen=unseen)
        return {(row["gene"], row["split"], row["group"]) for row in rows if row["method"] == "cnn"}, rows

    by_chance, of_one = (
        {("people", group) for group in ("all", "A", "B")},
        {("population", group) for group in "AB"},
    )
    everywhere = {(gene, *what) for gene in "GH" for what in by_chance | of_one}
    assert scored([], None)[0] == everywhere
    # p3 is of A, so that those of B are told by a model that none of them taught.
    assert scored(["p3"], None)[0] == {
        (gene, *what) for gene in "GH" for what in by_chance | of_one if what[1] == "B"
    }
    assert "cnn was trained on 1 people with expression" in caplog.text
    ours, rows = scored([], ["2"])
    assert ours == {("G", *what) for what in by_chance} | {("H", "unseen_genes", "all")}
    assert {row["mean_predicted"] for row in rows if row["method"] == "cnn"} == {"NA"}
    plain = {(row["gene"], row["split"], row["group"]) for row in rows if row["method"] == "top_snp"}
    assert plain == everywhere | {("H", "unseen_genes", "all")}


def test_chromosomes_are_held_out_whole_and_at_most_half():
    genes = [
        Gene(str(n), str(n), chrom, n, "+", n, n + 1) for n, chrom in enumerate("1" * 5 + "2" * 3 + "3" * 2)
    ]
    for seed in range(6):
        some = unseen_chroms(genes, seed)
        assert 2 <= sum(gene.chrom in some for gene in genes) <= 5 and some == unseen_chroms(genes, seed)
    assert unseen_chroms(genes[:5], 1) == []


@pytest.fixture(scope="module")
def near(tmp_path_factory):
    """A cohort of 45 people with one gene, whose expression a variant near its start makes."""
    folder = tmp_path_factory.mktemp("near")
    gene, sequences = cohort(folder, 3200, range(1500, 1800, 50), 45)
    found = sequences.of_gene(gene, 1024, 1023, stranded=False)
    site = found.unique[:, 1024 + 100]
    y = 3.0 * (site != np.bincount(site).argmax())[found.of].sum(axis=1)
    y += np.random.default_rng(3).normal(0, 0.5, 45)
    measured = Measured(["G"], sequences.people, y[None], {"G": 1})
    study = make_study(
        measured, list(range(45)), np.zeros((45, 0)), [""] * 45, np.arange(45),
        folds=3, components=0, scale=Scale.none, seed=1,
    )  # fmt: skip
    return gene, sequences, measured, study


@pytest.mark.parametrize("part", [Part.head, Part.frozen_trunk])
def test_enformer_is_taught_behind_what_is_frozen(weights, near, part, tmp_path, monkeypatch):
    monkeypatch.setattr("deepcohort.expression.train.RATE", 1e-2 if part is Part.head else 1e-3)
    gene, sequences, measured, study = near
    settings = Settings(weights, 2048)
    model, what = pupil("enformer", settings, part, 1)
    before = {name: value.clone() for name, value in model.network.state_dict().items()}
    given = list(lessons([gene], sequences, measured, study, 0, model))
    made = train(model, part, given, groups(study, 0), Limits(6, 6), 1)
    assert min(made.course.losses) < made.course.losses[0] and made.course.best > 0
    changed = {
        name for name, value in model.network.state_dict().items() if not torch.equal(value, before[name])
    }
    own = {name for name in changed if ".out." in name}
    assert own and (changed == own if part is Part.head else len(changed) > 10)
    assert not any("conv_tower" in name or "stem" in name for name in changed)
    said = what | {
        "trained_on": [name for name, one in zip(study.people, groups(study, 0).train, strict=True) if one]
    }
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for path in paths:
        save_taught(path, model.taught(part), said)
    again = load_taught("enformer", settings, paths)
    letters = given[0].letters[:3]
    assert np.abs(again.predict(letters) - model.predict(letters)).max() < 1e-6
    assert np.abs(Averaged(again).predict(letters) - model.predict(letters)).max() < 1e-5
    (told,) = predictions("c", [gene], sequences, Averaged(again), How())
    assert told.people["taught"].sum() == groups(study, 0).train.sum()


def test_files_that_do_not_fit(weights, tmp_path):
    def refused(name, settings, *paths):
        with pytest.raises(InputError) as caught:
            load_taught(name, settings, paths)
        return str(caught.value)

    model = Tunable(Settings(weights, 4096))
    said = model.description(Part.head) | {"trained_on": ["p1"]}
    path, other = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_taught(path, model.taught(Part.head), said | {"base": "another"})
    assert refused("enformer", Settings(weights), path).startswith(
        "a.safetensors: was taught from other weights"
    )
    save_taught(path, model.taught(Part.frozen_trunk), said)
    assert refused("enformer", Settings(weights), path).startswith("a.safetensors: not weights of enformer")
    assert refused("cnn", Settings(), path).startswith("a.safetensors: not weights of cnn: make them by")
    assert refused("xpresso", Settings(), path).startswith("--trained: xpresso is not taught here")
    for file, context in ((path, 512), (other, 1024)):
        small, what = pupil("cnn", Settings(context=context), Part.all, 1)
        save_taught(file, small.named(), what | {"trained_on": []})
    assert refused("cnn", Settings(), path, other).startswith(
        "b.safetensors: sees other bases than a.safetensors"
    )


@pytest.mark.parametrize(
    ("name", "settings", "part", "said"),
    [
        ("xpresso", SMALL, Part.all, "--model xpresso: is not taught here: take cnn or enformer"),
        ("enformer", SMALL, Part.all, "--part all: of enformer the trunk stays as it is: take head or"),
        ("cnn", SMALL, Part.head, "--part head: a new cnn has nothing to keep as it is: give its --weights"),
    ],
)
def test_what_is_not_taught_here(name, settings, part, said):
    with pytest.raises(InputError) as caught:
        pupil(name, settings, part, 1)
    assert str(caught.value).startswith(said)
