"""Parts written and joined, read back by other programs."""

import csv
import gzip
import io
import os
import re
from dataclasses import replace

import numpy as np
import pysam
import pytest
from cyvcf2 import VCF

from deepcohort.genome.errors import InputError
from deepcohort.imputation.imputers import Imputer
from deepcohort.imputation.join import join_parts
from deepcohort.imputation.parts import dosage_sums, write_part
from deepcohort.imputation.sums import DosageSums
from tests.imputation.cohort import cohort, impute, write

CORES = [(1, 30_500), (30_501, 60_000), (60_001, 90_000)]


def part_name(core, batch):
    return f"20.{core[0]:09d}-{core[1]:09d}.batch_{batch:04d}.vcf.gz"


def write_parts(folder, data, cores, batches, **options):
    """Parts of some cores by batches of people (first, last); in an order that is not theirs."""
    folder.mkdir(exist_ok=True)
    paths = []
    for core in cores:
        for number, (first, last) in enumerate(batches, 1):
            paths.append(folder / part_name(core, number))
            write(paths[-1], data.core(*core), data.people(first, last), **options)
    return paths[::-1]


def join(folder, parts, samples, name="cohort.20.vcf.gz"):
    out, sites = folder / name, folder / "cohort.20.sites.tsv.gz"
    join_parts(parts, samples, "20", out, sites, 2)
    return out, sites


@pytest.fixture(scope="module")
def data():
    return cohort()


@pytest.fixture(scope="module")
def joined(data, tmp_path_factory):
    """The cohort in three chunks and two batches, joined; and what was imputed."""
    folder = tmp_path_factory.mktemp("joined")
    parts = write_parts(folder, data, CORES, [(0, 5), (5, 12)])
    out, sites = join(folder, parts, data.target.samples)
    return out, sites, impute(data.panel, data.target)


def table(sites):
    with gzip.open(sites, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def run_bcftools(*arguments):
    return pysam.bcftools.view(*map(str, arguments))


def rows_of(output):
    return [line.split("\t") for line in output.splitlines() if not line.startswith("##")]


def cells_of(row, name):
    """One field of all people of a line, as lists of numbers (None where missing)."""
    place = row[8].split(":").index(name)
    cells = [cell.split(":")[place].split(",") for cell in row[9:]]
    return [[None if number == "." else float(number) for number in cell] for cell in cells]


def test_genotypes_are_the_chances_to_three_decimals(data, joined):
    out, _, imputed = joined
    header, *rows = rows_of(run_bcftools(out))
    assert header[9:] == data.target.samples
    assert len(rows) == 90
    for row, chances in zip(rows, imputed.chances.astype(float).reshape(90, -1, 2), strict=True):
        assert row[0] == "chr20"
        assert row[8] == "GT:DS:GP:HDS"
        fields = (cells_of(row, name) for name in ("DS", "GP", "HDS"))
        for person, ((dosage,), probabilities, haplotypes) in enumerate(zip(*fields, strict=True)):
            first, second = chances[person]
            if data.target.haploid[person]:
                expected, alleles = [1 - first, first], [first]
            elif data.target.phased[person]:
                expected = [(1 - first) * (1 - second), first + second - 2 * first * second, first * second]
                alleles = [first, second]
            else:
                expected, alleles = [1 - first - second, first, second], None
            assert sum(probabilities) == pytest.approx(1, abs=1e-9)
            np.testing.assert_allclose(probabilities, expected, atol=1.1e-3)
            assert dosage == pytest.approx(np.dot(expected, range(len(expected))), abs=5.1e-4)
            if alleles is None:
                assert haplotypes == [None]
            else:
                np.testing.assert_allclose(haplotypes, alleles, atol=5.1e-4)


def test_genotypes_are_the_likeliest_and_observed_ones_stay(data, joined):
    out, _, imputed = joined
    n_typed = 0
    for record, chances in zip(VCF(str(out)), imputed.chances.reshape(90, -1, 2), strict=True):
        genotypes = record.genotypes
        for person, (first, second) in enumerate(chances):
            called = genotypes[person]
            if data.target.haploid[person]:
                assert called[0] == (first > 0.5)
                assert len(called) == 2 or called[1] == -2
            elif data.target.phased[person]:
                assert called == [first > 0.5, second > 0.5, True]
            else:
                assert sum(called[:2]) == np.argmax([1 - first - second, first, second])
                assert called[2] is False
        if record.INFO.get("TYPED"):
            seen = data.target.genotypes[n_typed]
            complete = (seen >= 0).all(axis=1)
            assert [sum(g[:2]) for g, whole in zip(genotypes, complete, strict=True) if whole] == seen[
                complete
            ].sum(axis=1).tolist()
            n_typed += 1
    assert n_typed == 30


def test_sites_are_those_of_the_panel_and_what_is_said_of_them(data, joined):
    out, sites, imputed = joined
    rows, panel = table(sites), data.panel
    assert len(rows) == 90
    frequency = panel.alleles(np.arange(90)).mean(axis=1)
    for number, (row, record) in enumerate(zip(rows, VCF(str(out)), strict=True)):
        assert (panel.pos[number], panel.ids[number], panel.ref[number]) == (
            record.POS,
            record.ID,
            record.REF,
        )
        assert [panel.alt[number]] == record.ALT
        typed = bool(imputed.typed[number])
        assert record.INFO.get("RAF") == pytest.approx(frequency[number], rel=1e-5)
        assert (record.INFO.get("TYPED") is not None, record.INFO.get("IMP") is not None) == (
            typed,
            not typed,
        )
        assert record.INFO.get("BYFREQ") is None
        assert record.INFO.get("SUMS") is None
        assert record.FILTER is None
        assert list(row.values())[:6] == [
            "20", str(record.POS), record.ID, record.REF, record.ALT[0], str(int(typed))
        ]  # fmt: skip
        for name in ("raf", "af", "r2"):
            assert float(row[name]) == pytest.approx(record.INFO.get(name.upper()), rel=1e-5)


def test_typed_sites_tell_how_they_are_imputed_without_themselves(data, joined):
    """ER2 of the joined batches against each typed site taken out, imputed, and compared with its alleles."""
    out, sites, _ = joined
    phased = np.flatnonzero(np.repeat(data.target.phased, 2))
    told = 0
    for record, row in zip(VCF(str(out)), table(sites), strict=True):
        er2, place = record.INFO.get("ER2"), np.searchsorted(data.target.typed, record.POS // 1000 - 1)
        assert row["er2"] == ("NA" if er2 is None else f"{er2:.4g}")
        assert "LOO" not in dict(record.INFO)
        if not record.INFO.get("TYPED"):
            assert er2 is None
            continue
        without = data.target.genotypes.copy()
        without[place] = -1
        imputed = impute(data.panel, replace(data.target, genotypes=without))
        chances = imputed.chances[record.POS // 1000 - 1, phased]
        alleles = data.target.genotypes[place].reshape(-1)[phased]
        seen = alleles >= 0
        if len(set(alleles[seen])) == 2:
            expected = np.corrcoef(chances[seen], alleles[seen])[0, 1] ** 2
            assert er2 == pytest.approx(expected, abs=2e-3)
            told += 1
        else:
            assert er2 is None
    assert told > 15


def test_a_model_that_cannot_leave_sites_out_tells_nothing(data):
    assert impute(data.panel, data.target).left_out
    assert not impute(data.panel, data.target, Imputer.knn).left_out


def direct_frequency_and_r2(chances, phased, haploid):
    """AF and R2 from each person's chances of 0, 1 and 2 copies, in float64."""
    dosages, squares, alleles = [], [], 0
    for person, (first, second) in enumerate(chances.astype(float).reshape(-1, 2)):
        if haploid[person]:
            probabilities = [1 - first, first, 0]
        elif phased[person]:
            probabilities = [(1 - first) * (1 - second), 0, first * second]
            probabilities[1] = 1 - sum(probabilities)
        else:
            probabilities = [1 - first - second, first, second]
        dosages.append(probabilities[1] + 2 * probabilities[2])
        squares.append(probabilities[1] + 4 * probabilities[2])
        alleles += 1 if haploid[person] else 2
    mean = np.mean(dosages)
    variance, expected = np.var(dosages), np.mean(squares) - mean**2
    return sum(dosages) / alleles, variance / expected if expected > 1e-7 else 0.0


def test_frequency_and_estimated_r2(data, joined):
    _, sites, imputed = joined
    for row, chances in zip(table(sites), imputed.chances, strict=True):
        frequency, r2 = direct_frequency_and_r2(chances, data.target.phased, data.target.haploid)
        assert float(row["af"]) == pytest.approx(frequency, abs=2e-6)
        assert float(row["r2"]) == pytest.approx(r2, abs=2e-3)


@pytest.mark.parametrize("phased", [True, False])
def test_estimated_r2_estimates_the_squared_correlation(phased):
    """Where the chances are true, R2 is what a comparison with the truth would give."""
    rng = np.random.default_rng(1)
    people = 20_000
    chances = rng.beta(0.3, 1.2, (3, people, 2)) ** np.array([1, 2, 4])[:, None, None]
    if not phased:
        both = chances[:, :, 0] * chances[:, :, 1]
        chances = np.stack([chances.sum(axis=2) - 2 * both, both], axis=2)
    flat = chances.reshape(3, -1).astype(np.float32)
    sums = dosage_sums(flat, np.full(people, phased), np.zeros(people, bool))
    for site, one in enumerate(sums):
        first, second = chances[site].T
        draws = rng.random((2, people))
        if phased:
            truth, dosage = (draws < [first, second]).sum(axis=0), first + second
        else:
            truth, dosage = (draws[0] < first + second).astype(int) + (draws[0] < second), first + 2 * second
        assert one.r2 == pytest.approx(np.corrcoef(truth, dosage)[0, 1] ** 2, abs=0.02)
        assert one.frequency == pytest.approx(truth.mean() / 2, abs=0.01)


def test_sums_of_parts_add_up_through_text():
    sums = [DosageSums(20, 10, 3.25, 2.5, 4.125), DosageSums(10, 6, 1e-7, 1e-9, 1.00000001e-7)]
    total = DosageSums.parse(str(sums[0])) + DosageSums.parse(str(sums[1]))
    assert total.people == 16
    assert total.frequency == pytest.approx(3.2500001 / 30, rel=1e-8)


def test_a_site_where_nobody_can_differ_has_no_r2():
    chances = np.zeros((1, 10), np.float32)
    (sums,) = dosage_sums(chances, np.ones(5, bool), np.zeros(5, bool))
    assert (sums.frequency, sums.r2) == (0, 0)


def remarks(capfd, path):
    """What bcftools says on stderr when it reads a file."""
    verbosity = pysam.set_verbosity(3)
    capfd.readouterr()
    pysam.bcftools.view("-o", os.devnull, str(path), catch_stdout=False)
    pysam.set_verbosity(verbosity)
    return capfd.readouterr().err


def test_bcftools_has_nothing_to_remark(data, joined, tmp_path, capfd):
    assert remarks(capfd, joined[0]) == ""
    (part,) = write_parts(tmp_path, data, CORES[:1], [(0, 12)])
    # SUMS is for the join alone and stands in no header: this also shows that remarks are seen.
    assert "INFO 'SUMS' at chr20:1000 is not defined" in remarks(capfd, part)


def test_chunks_and_batches_leave_no_trace(data, joined, tmp_path):
    out, sites, _ = joined
    whole, whole_sites = join(
        tmp_path, write_parts(tmp_path, data, [(1, 90_000)], [(0, 12)]), data.target.samples
    )
    # Frequencies are sums in another order.
    for one, other in zip(table(whole_sites), table(sites), strict=True):
        assert float(one.pop("af")) == pytest.approx(float(other.pop("af")), abs=2e-6)
        assert one == other
    without_af = [re.sub(r"\bAF=[^;]+;", "", run_bcftools("-H", file)) for file in (whole, out)]
    assert without_af[0] == without_af[1]


def test_same_bytes_again_and_on_other_threads(data, joined, tmp_path):
    parts = write_parts(tmp_path, data, CORES, [(0, 5), (5, 12)], threads=2)
    out, sites = join(tmp_path, parts, data.target.samples)
    assert out.read_bytes() == joined[0].read_bytes()
    assert sites.read_bytes() == joined[1].read_bytes()


def test_the_index_finds_records(joined):
    out, _, _ = joined
    assert out.with_name(f"{out.name}.tbi").exists()
    assert [r.POS for r in VCF(str(out))("chr20:30000-32000")] == [30_000, 31_000, 32_000]


def test_bcf(data, joined, tmp_path):
    parts = write_parts(tmp_path, data, CORES, [(0, 5), (5, 12)])
    out, _ = join(tmp_path, parts, data.target.samples, "cohort.20.bcf")
    assert VCF(str(out)).samples == data.target.samples
    assert run_bcftools("-H", out) == run_bcftools("-H", joined[0])
    assert [r.POS for r in VCF(str(out))("chr20:30000-32000")] == [30_000, 31_000, 32_000]
    assert sorted(p.name for p in tmp_path.iterdir() if "batch" not in p.name) == [
        "cohort.20.bcf",
        "cohort.20.bcf.csi",
        "cohort.20.sites.tsv.gz",
    ]


def test_without_haplotype_dosages(data, tmp_path):
    parts = write_parts(tmp_path, data, CORES[:1], [(0, 12)], with_hds=False)
    out, _ = join(tmp_path, parts, data.target.samples)
    text = run_bcftools(out)
    assert "HDS" not in text
    assert rows_of(text)[1][8] == "GT:DS:GP"


def test_an_untyped_chunk_is_flagged(data, tmp_path):
    none = np.zeros(0, np.int64)
    target = replace(data.target, typed=none, genotypes=data.target.genotypes[:0])
    parts = []
    for core, people in ((CORES[0], data.target), (CORES[1], target)):
        parts.append(tmp_path / part_name(core, 1))
        write_part(parts[-1], data.core(*core), people, impute(data.core(*core), people), False, 1)
    out, sites = join(tmp_path, parts, data.target.samples)
    flags = {record.POS: record.INFO.get("BYFREQ") is not None for record in VCF(str(out))}
    assert flags == {pos: pos > 30_500 for pos in range(1000, 60_001, 1000)}
    assert {row["typed"] for row in table(sites)[30:]} == {"0"}


def test_a_chunk_without_sites_joins_too(data, tmp_path):
    parts = write_parts(tmp_path, data, [(1, 500), CORES[1]], [(0, 12)])
    out, sites = join(tmp_path, parts, data.target.samples)
    assert len(table(sites)) == len(list(VCF(str(out)))) == 30


def test_header_lines_of_symbolic_alleles(data, joined):
    assert "##ALT=<ID=DEL>" in VCF(str(joined[0])).raw_header
    plain = io.StringIO(run_bcftools("-h", joined[0])).read()
    assert plain.count("##contig=") == 1


@pytest.mark.parametrize("lost", [0, 1])
def test_a_missing_batch_is_refused(data, tmp_path, lost):
    parts = sorted(write_parts(tmp_path, data, CORES[:1], [(0, 5), (5, 12)]))
    del parts[lost]
    with pytest.raises(InputError, match=r"hold \d people where 12 were expected .*give all batches"):
        join(tmp_path, parts, data.target.samples)
    assert not (tmp_path / "cohort.20.vcf.gz").exists()


def test_people_in_another_order_are_refused(data, tmp_path):
    parts = write_parts(tmp_path, data, CORES[:1], [(0, 5), (5, 12)])
    with pytest.raises(InputError, match="expected in this order"):
        join(tmp_path, parts, data.target.samples[::-1])


def test_batches_of_other_sites_are_refused(data, tmp_path):
    first = write_parts(tmp_path / "a", data, CORES[:1], [(0, 5)])[0]
    longer = tmp_path / "a" / part_name(CORES[0], 2)
    write(longer, data.core(1, 31_000), data.people(5, 12))
    with pytest.raises(
        InputError, match=r"0002.vcf.gz is at chr20:31000 where .*0001.vcf.gz is at its end: impute all"
    ):
        join(tmp_path, [first, longer], data.target.samples)
    other = replace(data.core(*CORES[0]), alt=["G"] * 90)
    write(longer, other, data.people(5, 12))
    with pytest.raises(InputError, match=r"batch_0002.vcf.gz is at chr20:\d+ where"):
        join(tmp_path, [first, longer], data.target.samples)


def test_a_part_cut_off_is_refused(data, tmp_path):
    (part,) = write_parts(tmp_path, data, CORES[:1], [(0, 12)])
    part.write_bytes(part.read_bytes()[:-28])
    with pytest.raises(InputError, match=f"{part.name}: truncated"):
        join(tmp_path, [part], data.target.samples)


def test_a_file_that_is_no_part_is_refused(data, tmp_path):
    with pytest.raises(
        InputError, match=r"cohort.vcf.gz: not the name of a part \(chunk.batch_0001.vcf.gz\)"
    ):
        join(tmp_path, [tmp_path / "cohort.vcf.gz"], data.target.samples)
