import gzip
import random

import pysam
import pytest

from deepcohort.genome.errors import InputError
from deepcohort.inputs.fasta import check_fasta
from tests.genotypes import bgzip


def sequence(n):
    return "".join(random.Random(n).choices("ACGT", k=n))


def fasta_text(names=("20", "21")):
    return "".join(f">{name}\n{sequence(60)}\n{sequence(20)}\n" for name in names)


@pytest.mark.parametrize("packed", [False, True])
def test_a_reference_is_indexed(tmp_path, packed):
    file = tmp_path / ("ref.fa.gz" if packed else "ref.fa")
    bgzip(file, fasta_text()) if packed else file.write_text(fasta_text())
    found = check_fasta(file, name="reference", out_index=tmp_path / f"{file.name}.fai")
    assert found.lengths == {"20": 80, "21": 80}
    assert found.notes == [f"{file.name}: its index was made (2 sequences)."]
    with pysam.FastaFile(str(file)) as reference:
        assert reference.fetch("21", 58, 62) == (sequence(60) + sequence(20))[58:62]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"ACGT\n", "no FASTA: the first line must start with >"),
        (gzip.compress(fasta_text().encode(), mtime=0), "compressed by plain gzip"),
        (b">20\nACGT\nAC\nACGT\n", "cannot be indexed: give each sequence one name and lines of one length"),
        (fasta_text(["20", "20"]).encode(), "1 sequences have the name of another: rename or remove them"),
    ],
)
def test_bad_references_are_refused(tmp_path, content, message):
    (tmp_path / "ref.fa").write_bytes(content)
    with pytest.raises(InputError, match=message):
        check_fasta(tmp_path / "ref.fa", name="reference", out_index=tmp_path / "ref.fa.fai")
    assert [path.name for path in tmp_path.iterdir()] == ["ref.fa"]
