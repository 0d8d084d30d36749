"""Borzoi by a stand-in of its package, and a small network of the package itself where it is installed."""

import importlib.util
import sys
import types

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from deepcohort.expression.genes import Gene
from deepcohort.expression.letters import ONE_HOT, turned
from deepcohort.expression.models import load_model
from deepcohort.expression.settings import Settings
from deepcohort.expression.views import Averaged
from deepcohort.genome.errors import InputError

CONTEXT, CROP = 4096, 64
TABLE = pd.DataFrame(
    [
        ("C1+", "CAGE:liver", "sum", 1.0, 2.0, 1),
        ("C1-", "CAGE:liver", "sum", 1.0, 2.0, 0),
        ("R1+", "RNA:liver", "sum_sqrt", 0.3, 2.0, 3),
        ("R1-", "RNA:liver", "sum_sqrt", 0.3, 2.0, 2),
        ("D1", "DNASE:liver", "mean", 2.0, 0.2, 4),
    ],
    columns=["identifier", "description", "sum_stat", "scale", "clip_soft", "strand_pair"],
)


class StandIn(nn.Module):
    """Shares of bases in bins of 32, from which tracks are made, with the parts of the package's network."""

    @classmethod
    def from_hparams(cls, **told):
        made = cls()
        made.told = told
        made.bins = told["bins_to_return"]
        return made

    def __init__(self):
        super().__init__()
        attention, residual, self.horizontal_conv1 = nn.Module(), nn.Module(), nn.Module()
        attention.rel_content_bias = nn.Parameter(torch.zeros(1, 2, 1, 3))
        attention.to_v = nn.Linear(6, 2 * 5, bias=False)
        residual.fn = nn.Sequential(nn.Identity(), attention)
        self.transformer = nn.Sequential(nn.Sequential(residual))
        self.horizontal_conv1.conv_layer = nn.Conv1d(4, 6, 1)
        self.human_head = nn.Conv1d(4, len(TABLE), 1)
        self.final_joined_convs, self.final_softplus = nn.Identity(), nn.Softplus()

    def set_track_subset(self, chosen):
        kept = self.human_head
        self.human_head = nn.Conv1d(4, len(chosen), 1)
        self.human_head.weight = nn.Parameter(kept.weight[chosen].clone())
        self.human_head.bias = nn.Parameter(kept.bias[chosen].clone())

    def get_embs_after_crop(self, x):
        made = nn.functional.avg_pool1d(x, 32)
        cut = (made.shape[2] - self.bins) // 2
        return made[:, :, cut : cut + self.bins]


@pytest.fixture
def package(monkeypatch):
    """A pretended package, with weights that tell tracks apart."""
    module, inner = (
        types.ModuleType("borzoi_pytorch"),
        types.ModuleType("borzoi_pytorch.pytorch_borzoi_model"),
    )
    module.Borzoi, inner.TRACKS_DF = StandIn, TABLE
    monkeypatch.setitem(sys.modules, "borzoi_pytorch", module)
    monkeypatch.setitem(sys.modules, "borzoi_pytorch.pytorch_borzoi_model", inner)
    monkeypatch.setattr("deepcohort.expression.borzoi.find_spec", lambda name: module)
    monkeypatch.setattr("deepcohort.expression.borzoi.READ", CROP)


@pytest.fixture
def stand_in(tmp_path):
    torch.manual_seed(1)
    made = StandIn()
    nn.init.normal_(made.human_head.weight, std=5)
    save_file(made.state_dict(), tmp_path / "b.safetensors")
    return made


def borzoi(tmp_path, *tracks, **settings):
    return load_model("borzoi", Settings(tmp_path / "b.safetensors", CONTEXT, tracks, **settings))


def refused(settings):
    with pytest.raises(InputError) as caught:
        load_model("borzoi", settings)
    return str(caught.value)


def some_letters(rows, extra=0):
    return np.random.default_rng(1).choice(np.frombuffer(b"ACGT", np.uint8), (rows, CONTEXT + extra))


def squashed(coverage, track):
    """Coverage as the network is taught it."""
    made = coverage**0.75 if TABLE["sum_stat"][track] == "sum_sqrt" else coverage
    clip = TABLE["clip_soft"][track]
    return np.where(made > clip, clip + np.sqrt(np.maximum(made - clip, 0)), made) * TABLE["scale"][track]


def coverage_of(stand_in, letters, track):
    """Coverage of a track in all bins: that which is squashed to what the network tells."""
    shares = ONE_HOT[letters].reshape(len(letters), -1, 32, 4).mean(axis=2)
    head = stand_in.human_head
    told = shares @ head.weight[track, :, 0].detach().numpy() + head.bias[track].item()
    told = np.log1p(np.exp(told))
    grid = np.r_[0, np.geomspace(1e-12, 1e5, 200_000)]
    return np.interp(told, squashed(grid, track), grid)


def test_coverage_is_read_at_the_start_and_at_exons_of_the_gene_s_strand(package, stand_in, tmp_path):
    model = borzoi(tmp_path, "RNA:liver", "0", "D1", bins=2)
    assert model.network.told == {
        "flashed": False, "enable_mouse_head": False, "bins_to_return": CROP, "dim": 6, "depth": 1,
        "heads": 2, "attn_dim_key": 3, "attn_dim_value": 5,
    }  # fmt: skip
    assert (model.before, model.after, model.additive) == (2048, 2047, True)
    assert list(model.tracks) == ["R1", "C1", "D1"], "both strands of a track are one"
    letters = some_letters(3)
    start, told = slice(63, 65), [coverage_of(stand_in, letters, n) for n in range(len(TABLE))]
    expected = [told[n][:, start].mean(axis=1) for n in (2, 0, 4)]
    assert np.allclose(model.predict(letters), np.transpose(expected), rtol=1e-3)
    # Bins 64 (first exon), 66 and 67, of which the last ends within a bin; what is outside is not there.
    model.aim(((0, 10), (95, 97), (96, 110), (1024, 1100)), along=True)
    exons = told[2][:, [64, 66, 67]].sum(axis=1)
    assert np.allclose(model.predict(letters), np.transpose([exons, *expected[1:]]), rtol=1e-3)
    model.aim((), along=False)
    expected = [told[n][:, start].mean(axis=1) for n in (3, 1, 4)]
    assert np.allclose(model.predict(letters), np.transpose(expected), rtol=1e-3)


@pytest.mark.parametrize("strand", "+-")
def test_both_strands_read_the_same_exons_on_the_strand_of_the_gene(package, stand_in, tmp_path, strand):
    model = Averaged(borzoi(tmp_path, "2"), strands=True, shift=2)
    gene = Gene("G", "G", "1", 5000, strand, 4000, 6000, ((4800, 4864), (5000, 5050)))
    model.aim_at(gene)
    letters = some_letters(2, model.before + 1 + model.after - CONTEXT)
    made = []
    for moved in range(-2, 3):
        for other in (False, True):
            seen = turned(letters) if other else letters
            first = 2 + moved
            assert seen.shape[1] == CONTEXT + 5
            of_track = coverage_of(stand_in, seen[:, first : first + CONTEXT], 2 + ((strand == "-") != other))
            # Places of exons in what is seen, base by base.
            places = np.r_[4800:4864, 5000:5050] - 5000
            bins = np.unique(((-places if other else places) - moved + 2048) // 32)
            made.append(of_track[:, bins].sum(axis=1))
    assert np.allclose(model.predict(letters)[:, 0], np.mean(made, axis=0), rtol=1e-3)


def test_gradients_are_of_what_is_read(package, stand_in, tmp_path):
    model = borzoi(tmp_path, "2", "0", bins=2)
    model.aim(((320, 352),), along=True)
    (letters,) = some_letters(1)
    slopes = model.gradient(letters)
    assert slopes.shape == (2, CONTEXT, 4)
    assert [np.flatnonzero(np.abs(one).max(axis=1))[[0, -1]].tolist() for one in slopes] == [
        [2048 + 320, 2048 + 351],
        [2048 - 32, 2048 + 31],
    ]


def test_what_borzoi_cannot_be_asked(package, stand_in, tmp_path):
    path = tmp_path / "b.safetensors"
    assert refused(Settings()).startswith("borzoi needs weights: fetch them once")
    assert refused(Settings(path)).startswith("borzoi has 5 outputs: choose by --tracks")
    for context, bins in ((1000, 10), (2 * 524_288, 10), (CONTEXT, CROP + 1), (256, 9)):
        said = refused(Settings(path, context, bins=bins))
        assert said.startswith(f"--context {context}, --bins {bins}: borzoi sees a multiple of 128 bases")
    save_file({"x": torch.zeros(1)}, path)
    assert refused(Settings(path)).startswith("b.safetensors: not weights of borzoi")
    save_file({"transformer.0.0.fn.1.mha.Wqkv.weight": torch.zeros(1)}, path)
    assert refused(Settings(path)).startswith("b.safetensors: weights of Flashzoi, which runs on GPUs of its")


def test_without_its_package(stand_in, tmp_path, monkeypatch):
    monkeypatch.setattr("deepcohort.expression.borzoi.find_spec", lambda name: None)
    said = refused(Settings(tmp_path / "b.safetensors", tracks=("4",)))
    assert said.startswith("borzoi needs the package borzoi-pytorch")


@pytest.mark.skipif(
    not importlib.util.find_spec("borzoi_pytorch"), reason="borzoi-pytorch is in its image alone"
)
def test_readout_is_that_of_the_package(tmp_path):
    """Beside the package's own way to counts of genes, by its own classes, on both strands."""
    from borzoi_pytorch.config_borzoi import BorzoiConfig
    from borzoi_pytorch.pytorch_borzoi_model import AnnotatedBorzoi

    torch.manual_seed(3)
    made = {"dim": 64, "depth": 2, "heads": 2, "attn_dim_key": 8, "attn_dim_value": 16}
    theirs = AnnotatedBorzoi(BorzoiConfig(**made, bins_to_return=CONTEXT * 4 // 32)).eval()
    with torch.no_grad():
        for values in theirs.parameters():  # as the package starts them, sequences hardly differ
            if values.ndim > 1:
                nn.init.kaiming_normal_(values)
    save_file(theirs.state_dict(), tmp_path / "b.safetensors")
    rows = theirs.tracks_df[theirs.tracks_df["description"].str.startswith("RNA:")]
    chosen = [int(rows.index[0]), int(rows.index[-1])]
    model = load_model("borzoi", Settings(tmp_path / "b.safetensors", 4 * CONTEXT, tuple(map(str, chosen))))
    letters = np.random.default_rng(1).choice(np.frombuffer(b"ACGT", np.uint8), (2, 4 * CONTEXT))
    bins, middle = torch.arange(258, 271), 4 * CONTEXT // 64
    model.aim((((258 - middle) * 32, (271 - middle) * 32),), along=True)
    x = torch.from_numpy(ONE_HOT[letters]).transpose(1, 2)
    with torch.no_grad():
        told = theirs.predict_gene_count(x, [bins] * 2, average_strands=False, log1p=False)
    of = theirs.output_tracks_df["identifier"].tolist()
    expected = told[:, [of.index(theirs.tracks_df["identifier"][n]) for n in chosen]].numpy()
    assert np.allclose(model.predict(letters), expected, rtol=1e-4)
    far = np.abs(np.diff(np.log(expected), axis=0)).min()
    assert far > 0.01, "sequences must differ for this to say something"
    slope = model.gradient(letters[0])
    assert slope.shape == (2, 4 * CONTEXT, 4) and np.isfinite(slope).all()
