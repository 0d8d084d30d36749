"""Models by name: a class of the user's own, a small network trained on people."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from deepcohort.expression.cnn import Cnn, Network, Shape, description
from deepcohort.expression.letters import turned
from deepcohort.expression.measured import Measured
from deepcohort.expression.models import load_model
from deepcohort.expression.modes import How
from deepcohort.expression.part import Part
from deepcohort.expression.predict import predictions
from deepcohort.expression.settings import Settings
from deepcohort.expression.study import Kind, Scale, make_study
from deepcohort.expression.taught import save_taught
from deepcohort.expression.tiles import TileCache
from deepcohort.expression.train import groups, lessons, train
from deepcohort.expression.views import Averaged
from deepcohort.genome.checkpoint import Limits
from deepcohort.genome.errors import InputError
from tests.expression.cohorts import Additive, cohort

OWN = """
import numpy as np
class Mine:
    name, before, after, stranded, additive, tracks = "mine", 3, 2, True, True, ("gc",)
    def __init__(self, settings):
        self.context = settings.context
    def predict(self, sequences):
        return np.isin(sequences, np.frombuffer(b"GC", np.uint8)).mean(axis=1, keepdims=True)
class Less:
    def __init__(self, settings): self.name = "less"
"""


def refused(name, settings=None):
    with pytest.raises(InputError) as caught:
        load_model(name, settings or Settings())
    return str(caught.value)


def test_a_class_of_the_user_s_own(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    model = load_model(f"{path}:Mine", Settings(context=7))
    assert model.context == 7
    assert model.predict(np.frombuffer(b"AGCTAA", np.uint8)[None]).tolist() == [[2 / 6]]
    gene, sequences = cohort(tmp_path, 100, range(45, 55), 8)
    (made,) = predictions("c", [gene], sequences, Averaged(model), How())
    assert len(made.people) == 8 and made.people["mean"].between(0, np.log(2)).all()
    assert refused(f"{path}:Less") == "mine.py: the class Less has no before: see docs/expression.md"
    assert refused(f"{path}:None").startswith("mine.py: no class None in it")
    (tmp_path / "bad.py").write_text("1 / 0")
    said = refused(f"{tmp_path / 'bad.py'}:X")
    assert said.startswith("bad.py: cannot be imported (ZeroDivisionError: division by zero)")
    for name in ("nothing", "nothing.py:X"):
        assert refused(name).startswith(f"--model {name}: no such model: give one of xpresso, enformer")


def test_xpresso_has_nothing_to_choose(tmp_path):
    for name, value in (("context", 10500), ("tracks", ("1",)), ("bins", 3)):
        said = refused("xpresso", Settings(tmp_path, **{name: value}))
        assert said == f"--{name}: xpresso has nothing to choose there: leave the option out"
    assert refused("xpresso").startswith("xpresso needs weights: download the published trained model")
    stranded = Additive(10, 10)
    with pytest.raises(InputError, match=r"^--average strands: additive reads the gene's own strand alone"):
        Averaged(stranded, strands=True)


SHAPE = Shape(context=512, channels=8, blocks=2)


def test_the_small_network_by_tiles():
    torch.manual_seed(1)
    network = Network(SHAPE)
    with torch.no_grad():
        network.places.copy_(torch.rand_like(network.places))
    model = Cnn.of(network, SHAPE, "cpu")
    letters = np.random.default_rng(1).choice(np.frombuffer(b"ACGT", np.uint8), (3, 512))
    letters[1], letters[1, 300] = letters[0], ord("A")
    assert model.halo == 16 * 7
    cache = TileCache(model, 128)
    assert np.abs(cache.predict(letters) - model.predict(letters)).max() < 1e-6
    assert cache.computed < cache.asked
    assert np.abs(model.predict(turned(letters)) - model.predict(letters)).max() > 1e-4


def learnt(folder, effect, people=120):
    """A cohort with a gene whose expression a variant near the start makes, and its study."""
    gene, sequences = cohort(folder, 1400, range(500, 900, 37), people)
    found = sequences.of_gene(gene, 256, 255)
    marked = (found.unique[:, 256 - 15] != np.bincount(found.unique[:, 256 - 15]).argmax())[found.of].sum(1)
    rng = np.random.default_rng(3)
    y = 5 + effect * marked + rng.normal(0, 0.5, people)
    y[4] = np.nan
    measured = Measured(["G", "H"], sequences.people, np.array([y, y * 0]), {"G": 1})
    study = make_study(
        measured, list(range(people)), np.zeros((people, 0)), [""] * people, np.arange(people),
        folds=4, components=0, scale=Scale.none, seed=1,
    )  # fmt: skip
    return gene, sequences, measured, study


def new(shape):
    torch.manual_seed(1)
    return Cnn.of(Network(shape), shape, "cpu")


def test_it_learns_what_differs_between_people_and_nothing_from_those_held_out(tmp_path, monkeypatch):
    monkeypatch.setattr("deepcohort.expression.train.TOGETHER", 8)
    monkeypatch.setattr("deepcohort.expression.train.RATE", 1e-2)
    shape = Shape(context=128, channels=8, blocks=1)
    gene, sequences, measured, study = learnt(tmp_path, 3.0, people=80)
    told = groups(study, 0)
    assert not (told.train & told.held).any() and not (told.stop & (told.train | told.held)).any()
    assert (told.held == next(one.held for one in study.splits if one.kind is Kind.people)).all()
    (lesson,) = lessons([gene], sequences, measured, study, 0, new(shape))
    model = new(shape)
    made = train(model, Part.all, [lesson], told, Limits(20, 10), 1)
    assert made.r["G"] > 0.6 and min(made.course.losses) < made.course.losses[0]
    moved = lesson._replace(y=np.where(told.held, 100, lesson.y).astype(np.float32))
    again, before = new(shape), new(shape)
    train(again, Part.all, [moved], told, Limits(1, 1), 1)
    train(before, Part.all, [lesson], told, Limits(1, 1), 1)
    for one, other in zip(again.named().values(), before.named().values(), strict=True):
        assert torch.equal(one, other)
    # A last layer alone, beside what stays as it was.
    kept = {name: value.clone() for name, value in model.named().items()}
    train(model, Part.head, [lesson], told, Limits(1, 1), 1)
    changed = {name for name, value in model.named().items() if not torch.equal(value, kept[name])}
    assert changed <= {"out.weight", "out.bias"}


def test_weights_say_what_they_are_and_whom_they_know(tmp_path, caplog):
    torch.manual_seed(2)
    network = Network(SHAPE)
    said = description(SHAPE) | {"trained_on": ["p1", "p5"]}
    save_taught(tmp_path / "w.safetensors", network.state_dict(), said)
    with safe_open(tmp_path / "w.safetensors", "pt") as file:
        said = json.loads(file.metadata()["deepcohort"])
    assert said["shape"] == {"context": 512, "channels": 8, "blocks": 2} and said["model"] == "cnn"
    model = load_model("cnn", Settings(tmp_path / "w.safetensors"))
    gene, sequences = cohort(tmp_path, 1400, range(500, 900, 37), 10)
    with caplog.at_level("WARNING"):
        (made,) = predictions("c", [gene], sequences, Averaged(model), How())
    assert "cnn was trained on 2 of these people" in caplog.text and len(made.people) == 10
    assert made.people.loc[made.people["taught"], "person"].tolist() == ["p1", "p5"]
    letters = sequences.of_gene(gene, 256, 255).unique
    assert np.allclose(model.predict(letters), Cnn.of(network, SHAPE, "cpu").predict(letters))
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    said = refused("cnn", Settings(tmp_path / "x.safetensors"))
    assert said == "x.safetensors: not weights of cnn: make them by `expression.py train`"


def test_what_cannot_be_trained_on(tmp_path):
    gene, sequences, measured, study = learnt(tmp_path, 1.0, people=40)
    assert not list(
        lessons([gene._replace(gene="H"), gene._replace(gene="X")], sequences, measured, study, 0, new(SHAPE))
    )
    with pytest.raises(InputError, match=r"^no gene has a sequence that differs between people"):
        train(new(SHAPE), Part.all, [], groups(study, 0), Limits(2, 1), 1)
    with pytest.raises(InputError, match=r"^--fold 5: the study has 4 folds"):
        groups(study, 4)
