"""A tiny Enformer: tiles beside the whole, gradients beside differences, weights that are not its own."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from deepcohort.expression.letters import ONE_HOT, turned
from deepcohort.expression.models import load_model
from deepcohort.expression.modes import How, Mode
from deepcohort.expression.predict import predictions
from deepcohort.expression.settings import Settings
from deepcohort.expression.tiles import TileCache
from deepcohort.expression.views import Averaged, views
from deepcohort.genome.errors import InputError
from tests.expression.cohorts import cohort

CONTEXT = 4096


def enformer(weights, **settings):
    return load_model(
        "enformer", Settings(weights, **({"context": CONTEXT, "tracks": ("5", "1")} | settings))
    )


@pytest.fixture(scope="module")
def haplotypes():
    """A reference of letters; with an SNV; with insertions and deletions that move all behind; with N."""
    first = np.random.default_rng(2).choice(np.frombuffer(b"ACGT", np.uint8), CONTEXT + 50)
    snv = first.copy()
    snv[1900] = ord("A") if snv[1900] != ord("A") else ord("C")
    deleted, inserted = np.delete(first, slice(2500, 2507)), np.insert(first, 1100, snv[:3])
    at_edge = first.copy()
    at_edge[:3] = ord("N")
    return np.stack([each[:CONTEXT] for each in (first, snv, deleted, inserted, at_edge, first)])


def test_readout_is_the_middle_of_the_package_s_outputs(network, weights, haplotypes):
    model = enformer(weights)
    assert (model.before, model.after, list(model.tracks)) == (2048, 2047, ["5", "1"])
    with torch.no_grad():
        whole = network(torch.from_numpy(ONE_HOT[haplotypes]))["human"]
    expected = whole[:, 16 - 5 : 16 + 5, [5, 1]].mean(dim=1).numpy()
    assert np.abs(model.predict(haplotypes) - expected).max() < 1e-6
    three = enformer(weights, bins=3, tracks=("0",)).predict(haplotypes)
    assert np.allclose(three[:, 0], whole[:, 15:18, 0].mean(dim=1).numpy(), atol=1e-6)


@pytest.mark.parametrize("tile", [512, 1024, 100_000])
def test_tiles_tell_what_the_whole_tells(weights, haplotypes, tile):
    model = enformer(weights)
    cache = TileCache(model, tile)
    whole = model.predict(haplotypes)
    assert np.abs(cache.predict(haplotypes) - whole).max() < 1e-5
    assert np.ptp(whole, axis=0).min() > 1e-5, "haplotypes must differ for this to say something"
    computed = cache.computed
    assert computed < cache.asked or tile == 100_000
    assert np.abs(cache.predict(haplotypes) - whole).max() < 1e-5 and cache.computed == computed
    small = TileCache(model, tile, most=1)
    assert np.abs(small.predict(haplotypes) - whole).max() < 1e-5 and small.size == 0


def test_a_halo_that_is_too_small_would_show(weights, haplotypes, monkeypatch):
    model = enformer(weights)
    monkeypatch.setattr(type(model), "halo", 128)
    features = TileCache(model, 1024).features(haplotypes[:1])[0]
    assert np.abs(features - model.features(haplotypes[:1])[0]).max() > 1e-5


def test_gradients_are_those_of_small_changes(weights, haplotypes, monkeypatch):
    model = enformer(weights)
    slopes = model.gradient(haplotypes[0])
    monkeypatch.setattr("deepcohort.expression.torch_model.STRETCH", 1024)
    assert np.allclose(model.gradient(haplotypes[0]), slopes, atol=1e-6)
    x = ONE_HOT[haplotypes[:1]]
    for place, base in ((2000, 2), (2100, 0), (1500, 3)):
        moved = x.copy()
        moved[0, place, base] += 0.01
        with torch.no_grad():
            up, at = (model.rest(model.first(torch.from_numpy(each)))[0].numpy() for each in (moved, x))
        assert np.allclose((up - at) / 0.01, slopes[:, place, base], rtol=0.1, atol=2e-4)


def test_views_read_the_start_at_one_place(weights):
    model = enformer(weights)
    both = Averaged(model, strands=True, shift=1)
    assert both.before == both.after == 2049
    letters = np.random.default_rng(5).choice(np.frombuffer(b"ACGT", np.uint8), (1, 2 * 2049 + 1))
    seen = [letters[:, 1 + s : 1 + s + CONTEXT] for s in range(-1, 2)]
    seen += [turned(letters)[:, 1 + s : 1 + s + CONTEXT] for s in range(-1, 2)]
    assert all(each[0, 2048] == letters[0, 2049] for each in seen[1:2])
    expected = np.mean([model.predict(each) for each in seen], axis=0)
    assert np.allclose(both.predict(letters), expected, atol=1e-6)
    slopes = both.gradient(letters[0])
    assert np.allclose(slopes[:, ::-1, ::-1], both.gradient(turned(letters)[0]), atol=1e-6)


def test_linear_modes_of_people_with_indels(tmp_path, weights):
    gene, sequences = cohort(tmp_path, 7000, range(1700, 5300, 311), 12, indels=(3000, 3611))
    model = Averaged(enformer(weights))
    (exact,) = predictions("c", [gene], sequences, model, How())
    for mode in (Mode.ism, Mode.hybrid):
        (made,) = predictions("c", [gene], sequences, model, How(mode, sample=8, fallback=False))
        assert made.linear["used"] == "linear"
        r = np.corrcoef(made.people["mean"], exact.people["mean"])[0, 1]
        assert r > 0.95


def refused(weights, **settings):
    with pytest.raises(InputError) as caught:
        enformer(weights, **settings)
    return str(caught.value)


def test_weights_are_a_file_of_this_model(tmp_path, network, weights):
    said = refused(None)
    assert said.startswith("enformer needs weights: fetch them once where there is a network, by `curl -L -o")
    said = refused(tmp_path / "EleutherAI/enformer-official-rough")
    assert "no such file, and nothing is fetched from a hub here: fetch them once" in said
    (tmp_path / "other.bin").write_bytes(b"something else")
    assert refused(tmp_path / "other.bin").startswith("other.bin: no arrays of weights")
    torch.save(network, tmp_path / "pickled.bin")
    assert refused(tmp_path / "pickled.bin").startswith("pickled.bin: no arrays of weights")
    torch.save({"dense.weight": torch.zeros(3)}, tmp_path / "dense.bin")
    assert refused(tmp_path / "dense.bin").startswith("dense.bin: not weights of enformer: fetch them once")
    arrays = network.state_dict()
    for changed, said in (
        ({"extra": torch.zeros(1)}, "which does not have extra (1 such arrays)"),
        ({"stem.0.bias": torch.zeros(3)}, "which has in another shape stem.0.bias"),
    ):
        torch.save(arrays | changed, tmp_path / "changed.bin")
        assert said in refused(tmp_path / "changed.bin")
    torch.save({name: a for name, a in arrays.items() if "to_q" not in name}, tmp_path / "less.bin")
    assert "which needs transformer.0.0.fn.1.to_q.weight" in refused(tmp_path / "less.bin")


def test_safetensors_name_each_array_once(tmp_path, network, weights, haplotypes):
    once = {name: value for name, value in network.state_dict().items() if not name.startswith("_trunk")}
    save_file({name: value.clone() for name, value in once.items()}, tmp_path / "w.safetensors")
    made = enformer(tmp_path / "w.safetensors").predict(haplotypes[:1])
    assert np.array_equal(made, enformer(weights).predict(haplotypes[:1]))


def test_tracks_by_index_and_name(tmp_path, weights):
    assert refused(weights, tracks=()).startswith("enformer has 8 outputs: choose by --tracks")
    for wrong in ("8", "lymphoblastoid", "nothing"):
        assert refused(weights, tracks=(wrong,)).startswith(f"--tracks {wrong}: no such output of enformer")
    names = tmp_path / "names.tsv"
    names.write_text("index\tidentifier\tdescription\n3\tX1\tCAGE:liver\n6\tX2\tCAGE:liver, adult\n")
    found = enformer(weights, tracks=("CAGE:liver", "adult", "X1"), track_names=names)
    assert list(found.tracks) == ["3", "6"]
    names.write_text("nothing\n1\n")
    assert refused(weights, tracks=("x",), track_names=names).startswith("names.tsv: no table of outputs")


def test_windows_that_it_cannot_see(weights):
    for context in (1000, 256, 393_216):
        assert refused(weights, context=context).startswith(f"--context {context}: enformer sees whole pairs")


def test_views_as_users_write_them():
    assert views("") == (False, 0) and views("strands, shift3") == (True, 3)
    with pytest.raises(InputError, match=r"^--average both: no such view"):
        views("both")


def test_memory_of_a_gpu_that_does_not_hold_a_batch(weights, haplotypes, monkeypatch):
    model = enformer(weights)
    expected, first, sizes = model.predict(haplotypes), model.first, []

    def narrow(x):
        sizes.append(len(x))
        if len(x) > 2:
            raise torch.OutOfMemoryError
        return first(x)

    monkeypatch.setattr(model, "first", narrow)
    assert np.allclose(model.predict(haplotypes), expected, atol=1e-6) and max(sizes) > 2 and sizes[-1] <= 2

    def full(x):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(model, "first", full)
    with pytest.raises(InputError, match=r"^--context: the memory of the GPU does not hold one window"):
        model.predict(haplotypes)
