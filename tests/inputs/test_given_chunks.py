"""Chunks of an earlier run, used again or refused."""

import pytest

from deepcohort.genome.builds import BUILDS, PSEUDO_AUTOSOMAL
from deepcohort.genome.errors import InputError
from deepcohort.inputs.chunks import ChunkSize
from deepcohort.inputs.given_chunks import read_chunks
from deepcohort.inputs.plan import plan_imputation
from deepcohort.inputs.plan_tables import PlanFiles, write_plan
from tests.inputs.test_plan import SITES, SMALL, TYPED, checked, counts

HEADER = "chunk\tchrom\tstart\tend\tpadded_start\tpadded_end"


def table(folder, *rows, header=HEADER):
    path = folder / "old.chunks.tsv"
    path.write_text("\n".join([header, *("\t".join(map(str, row)) for row in rows)]) + "\n")
    return path


def refused(path):
    with pytest.raises(InputError) as error:
        read_chunks(path)
    return str(error.value)


def test_a_plan_is_repeated_from_its_chunks(tmp_path):
    panel, target = checked(tmp_path, "panel", SITES, "chr20"), checked(tmp_path, "target", TYPED)
    first = plan_imputation([panel], [target], size=SMALL)
    names = ("c.tsv", "b", "h.tsv", "qc.tsv", "f.tsv", "p.tsv", "excluded.txt")
    write_plan(first, "cohort", PlanFiles(*(tmp_path / name for name in names)))
    other = ChunkSize(variants=100, bases=1000)
    again = plan_imputation([panel], [target], size=other, given=read_chunks(tmp_path / "c.tsv"))
    assert again.chunks == first.chunks
    assert counts(again)["chunks"] == len(first.chunks) > 1


def test_only_the_chunks_given_are_worked_on_and_their_sites_counted_anew(tmp_path):
    panel, target = checked(tmp_path, "panel", SITES), checked(tmp_path, "target", TYPED)
    given = read_chunks(
        table(tmp_path, ("x", "chr20", 2000, 2999, 1500, 3500), ("y", 20, 9000, 9999, 9000, 9999))
    )
    chunks = {chunk.start: chunk for chunk in plan_imputation([panel], [target], given=given).chunks}
    assert set(chunks) == {2000, 9000}
    assert (chunks[2000].panel_sites, chunks[2000].cost, chunks[2000].typed_sites) == (100, 201, 21)
    assert (chunks[9000].typed_sites, chunks[9000].flag) == (10, "few")
    assert chunks[2000].chunk == "20.000002000-000002999"


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "there is no chunk in it: give another file, or leave --chunks out"),
        ([("x", 20, "1e3", 9, 1, 9)], "row 2, column start: '1e3' is no position: write a whole number"),
        ([("x", 20, 0, 9, 1, 9)], "row 2, column start: '0' is no position"),
        ([("x", 20, 5, 9, 1)], "row 2, column padded_end: '' is no position"),
        ([("x", "", 5, 9, 1, 9)], "row 2, column chrom: it is empty: name the chromosome"),
        ([("x", 20, 5, 4, 1, 9)], "row 2 ends at 4, before its start 5: turn the two round"),
        (
            [("x", 20, 5, 9, 1, 9), ("x", 20, 10, 20, 11, 30)],
            "row 3: padded_start to padded_end (11-30) does not hold start to end (10-20): mend the row",
        ),
        (
            [("x", 20, 10, 20, 1, 30), ("x", 21, 1, 9, 1, 9), ("x", "chr20", 1, 10, 1, 30)],
            "rows 4 and 2 overlap (20:1-10 and 20:10-20), so their sites would be imputed twice: mend start "
            "and end, which leave the overlap out",
        ),
    ],
)  # fmt: skip
def test_tables_that_are_refused(tmp_path, rows, sentence):
    assert refused(table(tmp_path, *rows)).startswith(f"old.chunks.tsv: {sentence}")


def test_another_table_is_refused(tmp_path):
    assert refused(table(tmp_path, (20, 5), header="chrom\tstart")) == (
        "old.chunks.tsv: column end, padded_start, padded_end is missing: give a chunks.tsv that an earlier "
        "run wrote into inputs/"
    )  # fmt: skip


def test_chunks_of_other_files_are_refused(tmp_path):
    panel, target = checked(tmp_path, "panel", SITES), checked(tmp_path, "target", TYPED)
    for row, sentence in (
        (
            ("x", 21, 1, 9, 1, 9),
            "row 2 is on chromosome 21, which the panel lacks: take such rows out, or leave",
        ),
        (
            ("x", 20, 1, 9, 1, 9),
            "row 2: panel.vcf.gz has no site in 20:1-9: give the chunks of this panel, or leave",
        ),
    ):
        with pytest.raises(InputError) as error:
            plan_imputation([panel], [target], given=read_chunks(table(tmp_path, row)))
        assert str(error.value).startswith(f"old.chunks.tsv: {sentence}")
    both = checked(tmp_path, "panel2", SITES, "22")
    with pytest.raises(InputError) as error:
        given = read_chunks(table(tmp_path, ("x", 22, 1000, 1009, 1000, 1009)))
        plan_imputation([panel, both], [target], given=given)
    assert "row 2 is on chromosome 22, which the cohort lacks" in str(error.value)


def x_sites(build):
    (first, par1), (par2, last) = PSEUDO_AUTOSOMAL[build]
    places = [*range(first, par1, 20_000), par1, par1 + 1, *range(par1 + 5, par2, 500_000), par2 - 1]
    return [(position, "A", "G") for position in [*places, par2, *range(par2 + 1, last, 5_000)]]


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("contig", ["X", "chrX"])
def test_no_chunk_of_x_mixes_what_men_have_once_and_twice(tmp_path, build, contig):
    sites, length = x_sites(build), BUILDS[build]["X"]
    panel = checked(tmp_path, "panel", sites, contig, length)
    target = checked(tmp_path, "target", sites[::2], contig)
    plan = plan_imputation([panel], [target], size=ChunkSize(bases=50_000_000))
    (_, par1), (par2, _) = PSEUDO_AUTOSOMAL[build]
    covered = 0
    for chunk in plan.chunks:
        sides = {(p > par1) + (p >= par2) for p, _, _ in sites if chunk.padded_start <= p <= chunk.padded_end}
        assert len(sides) == 1
        assert (chunk.padded_start > par1) + (chunk.padded_start >= par2) in sides
        assert (chunk.padded_end > par1) + (chunk.padded_end >= par2) in sides
        covered += chunk.panel_sites
    assert covered == len(sites)
    assert "x_length_unknown" not in counts(plan, "X")
    across = table(tmp_path, ("x", "X", par1 - 10, par1, par1 - 10, par1 + 1))
    with pytest.raises(InputError) as error:
        plan_imputation([panel], [target], given=read_chunks(across))
    assert str(error.value) == (
        f"old.chunks.tsv: row 2: X:{par1 - 10}-{par1 + 1} crosses the end of a pseudo-autosomal region, "
        "beyond which men have another number of copies: leave --chunks out to have X cut there"
    )  # fmt: skip


def test_an_x_of_unknown_build_is_not_cut_and_that_is_counted(tmp_path):
    sites = x_sites("GRCh37")
    size = ChunkSize(bases=200_000_000)
    panel, target = checked(tmp_path, "panel", sites, "X"), checked(tmp_path, "target", sites[::2], "X")
    unknown = plan_imputation([panel], [target], size=size)
    assert (len(unknown.chunks), counts(unknown, "X")["x_length_unknown"]) == (1, 1)
    dog = checked(tmp_path, "panel.dog", sites, "X", 123_869_142 + 50_000_000)
    of_dogs = plan_imputation([dog], [target], size=size)
    assert len(of_dogs.chunks) == 1
    assert "x_length_unknown" not in counts(of_dogs, "X")
