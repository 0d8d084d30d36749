"""Pictures of candidates, and what is told beside them."""

from functools import partial

import numpy as np
import pytest
from PIL import Image

from deepcohort.genome.errors import InputError
from deepcohort.variants.evidence import Evidence
from deepcohort.variants.features import NAMES
from deepcohort.variants.pictures import GAP, LINE, SCALE, explained, parse_sites, picture
from deepcohort.variants.tensors import LAYOUTS
from tests.scripts import run_script
from tests.variants.people import Person

run = partial(run_script, "variants")
SEQUENCE = "".join(np.random.default_rng(7).choice(list("ACGT"), 3_000))
PLACE = 1_500
REF, ALT = SEQUENCE[PLACE - 1], "ACGT"["ACGT".index(SEQUENCE[PLACE - 1]) - 1]


@pytest.fixture
def files(tmp_path):
    person = Person(SEQUENCE, [[(PLACE, REF, ALT)], []]).sequenced(20, np.random.default_rng(1), error=1e-4)
    return person.write(tmp_path)


def test_a_site_is_drawn(files, tmp_path):
    bam, fasta = files
    done = run("show", bam, "--fasta", fasta, "--sites", f"chr20:{PLACE}", "--out", tmp_path / "shown")
    assert done.returncode == 0, done.stderr
    (drawn,) = (tmp_path / "shown").glob("*.png")
    assert drawn.name == f"chr20_{PLACE}_{REF}_{ALT}.png"
    with Image.open(drawn) as image:
        shape = LAYOUTS["full"]
        assert image.size[0] == 3 * (shape.columns * SCALE + GAP) + GAP
        assert len(set(np.asarray(image).ravel().tolist())) > 10


def test_places_without_candidates_and_no_places_are_told(files, tmp_path):
    bam, fasta = files
    done = run("show", bam, "--fasta", fasta, "--sites", "chr20:700", "--out", tmp_path / "shown")
    assert done.returncode == 2 and "no candidate within 10 bases of 20:700-700: give another" in done.stderr
    with pytest.raises(InputError, match="is not a region"):
        parse_sites("chr20:x")
    assert [str(site) for site in parse_sites("chr20:5,chr21:70")] == ["20:5-5", "21:70-70"]


def test_a_tensor_is_copied_to_its_channels():
    tensor = np.random.default_rng(1).integers(0, 255, (4, 3, 5)).astype(np.uint8)
    drawn = np.asarray(picture(tensor, ["one line"]))
    top, wide, high = 2 * LINE, 5 * SCALE + GAP, 3 * SCALE + GAP + LINE
    for channel in range(4):
        left, upper = GAP + channel % 3 * wide, top + channel // 3 * high + LINE
        part = drawn[upper : upper + 3 * SCALE : SCALE, left : left + 5 * SCALE : SCALE]
        np.testing.assert_array_equal(part, tensor[channel])


def test_chances_are_told_as_they_are():
    features = np.zeros((1, len(NAMES)), np.float32)
    features[0, NAMES.index("reads_this")] = np.log1p(7)
    evidence = Evidence(np.zeros((1, 0, 0, 0), np.uint8), features, np.log([[0.25, 0.5, 0.25]]))
    lines = explained(evidence, 0, "5 A>C", np.log([0.2, 0.4, 0.4]))
    assert lines[0] == "5 A>C"
    assert lines[1] == "haplotypes: 0 copies 0.2500, 1 copies 0.5000, 2 copies 0.2500"
    assert lines[2] == "caller: 0 copies 0.2000, 1 copies 0.4000, 2 copies 0.4000"
    assert "reads_this 7 " in lines[3]
