"""A panel of which some people are taken: as if the others were not in the file."""

import numpy as np
import pysam.bcftools
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.imputation.panel import PanelChunk, pack_panel
from deepcohort.inputs.checks import check_genotypes
from tests.genotypes import write_vcf
from tests.scripts import run_script

PEOPLE = ["a", "man", "Zoë", "d"]
CHOSEN = ["d", "man"]


def write_panel(folder, people):
    """X of some of four people, the second of whom is a man."""
    rng = np.random.default_rng(4)
    rows = []
    for number in range(30):
        drawn = dict(zip(PEOPLE, rng.integers(0, 2, (4, 2)).tolist(), strict=True))
        cells = [str(one) if name == "man" else f"{one}|{two}" for name, (one, two) in drawn.items()]
        chosen = [cell for name, cell in zip(PEOPLE, cells, strict=True) if name in people]
        rows.append(("X", 100 + number, "A", "G", chosen))
    path = write_vcf(folder / f"{len(people)}.bcf", rows, people)
    pysam.bcftools.index("-f", str(path), catch_stdout=False)
    return path


@pytest.fixture
def whole(tmp_path):
    return write_panel(tmp_path, PEOPLE)


@pytest.fixture
def part(tmp_path):
    return write_panel(tmp_path, [name for name in PEOPLE if name in CHOSEN])


def same(one, other):
    assert one.alleles(np.arange(30)).tolist() == other.alleles(np.arange(30)).tolist()
    assert one.person.tolist() == other.person.tolist() == [0, 1, 1]
    assert one.pos.tolist() == other.pos.tolist()


def test_a_packed_panel_holds_those_who_are_named(tmp_path, whole, part):
    expected = pack_panel(part, "X", (1, 500), (1, 500), None)
    same(pack_panel(whole, "X", (1, 500), (1, 500), None, CHOSEN), expected)
    (tmp_path / "list.txt").write_text("d\t2\nman\n")
    options = ("--region", "X:1-500", "--core", "1-500", "--panel-samples", tmp_path / "list.txt")
    done = run_script("imputation", "pack-panel", *options, "--out", tmp_path / "p.npz", whole)
    assert done.returncode == 0, done.stderr
    same(PanelChunk.load(tmp_path / "p.npz"), expected)


def test_the_check_of_a_panel_looks_at_those_who_are_named(tmp_path, whole, part):
    made = []
    for name, path, only in (("one", whole, CHOSEN), ("two", part, None)):
        check = check_genotypes(
            path,
            panel=True,
            name="panel",
            index=None,
            out_sites=tmp_path / f"{name}.sites.bcf",
            out_index=tmp_path / f"{name}.csi",
            out_people=tmp_path / f"{name}.npz",
            only=only,
        )
        check.file, check.notes = "", []
        sites = pysam.bcftools.view("-H", "--no-version", str(tmp_path / f"{name}.sites.bcf"))
        made.append((check, sites, (tmp_path / f"{name}.npz").read_bytes()))
    assert made[0] == made[1]
    assert made[0][0].samples == ["man", "d"]


def test_people_who_are_not_there_are_refused(tmp_path, whole):
    with pytest.raises(InputError, match=r"--panel_samples names nobody, whom 4\.bcf lacks"):
        pack_panel(whole, "X", (1, 500), (1, 500), None, ["nobody"])
    (tmp_path / "list.txt").write_text("nobody\n")
    outputs = [
        word for kind in ("sites", "index", "people", "report") for word in (f"--out-{kind}", tmp_path / kind)
    ]
    done = run_script(
        "inputs", "check-panel", "--name", "p", "--panel-samples", tmp_path / "list.txt", *outputs, whole
    )
    assert done.returncode == 2
    assert done.stderr.startswith(
        "ERROR: --panel_samples names nobody, whom 4.bcf lacks (1 of 1 are not there)"
    )
