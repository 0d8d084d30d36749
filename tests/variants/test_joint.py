"""People genotyped together from their gVCFs."""

import itertools
from functools import partial
from math import log10

import numpy as np
import pysam
import pytest
from cyvcf2 import VCF
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcohort.genome.command import Device
from deepcohort.genome.errors import InputError
from deepcohort.genome.likelihoods import genotypes_among
from deepcohort.variants import calls_vcf, joint
from deepcohort.variants.callers import loaded
from deepcohort.variants.joint_model import genotype_people
from deepcohort.variants.joint_sites import SiteEvidence
from deepcohort.variants.joint_vcf import hardy_weinberg
from deepcohort.variants.mendelian import mendelian_errors
from deepcohort.variants.names import Name
from deepcohort.variants.normalise import normalised
from tests.conftest import ROOT
from tests.scripts import run_script
from tests.variants.gvcfs import block, record, write_gvcf
from tests.variants.people import Person

run = partial(run_script, "variants")
LENGTH = 3_000
SEQUENCE = "".join(np.random.default_rng(5).choice(list("ACGT"), LENGTH))
SEQUENCE = SEQUENCE[:499] + "ACGGCGCT" + SEQUENCE[507:]  # no indel here can be written in two ways
SURE = "0/0:50:30:30:0,90,900"
NOTHING = "./.:0:0:0:0,0,0"


@pytest.fixture(scope="module")
def fasta(tmp_path_factory):
    path = tmp_path_factory.mktemp("fasta") / "ref.fa"
    path.write_text(f">chr20\n{SEQUENCE}\n")
    pysam.samtools.faidx(str(path))
    return path


def base(pos):
    return SEQUENCE[pos - 1]


def other(pos, turn=1):
    return "ACGT"[("ACGT".index(base(pos)) + turn) % 4]


def around(pos, lines, entry=SURE, last=None):
    """Records with blocks of an entry before and after them."""
    last = last or pos
    before, after = block(1, pos - 1, SEQUENCE[0], entry), block(last + 1, LENGTH, base(last + 1), entry)
    return [before, *lines, after]


def snp(pos, entry, turn=1, **more):
    return record(pos, base(pos), f"{other(pos, turn)},<NON_REF>", entry, **more)


HET = "0/1:60:30:15,15,0:500,0,450,545,495,990"
HOM = "1/1:60:20:0,20,0:700,60,0,760,60,760"


def genotyped(tmp_path, fasta, people, region="chr20"):
    """Lines of the cohort's VCF of people's gVCFs (lines by name), split at tabs."""
    paths = [write_gvcf(tmp_path, name, lines) for name, lines in people.items()]
    out = tmp_path / "cohort.vcf.gz"
    joint.genotype_region(paths, fasta, region, out)
    return [line.split("\t") for line in pysam.bcftools.view("-H", str(out)).splitlines()]


def genotypes(row):
    return [entry.split(":")[0] for entry in row[9:]]


def test_blocks_and_records_meet_at_a_site(tmp_path, fasta):
    people = {
        "anna": around(500, [snp(500, HET)]),
        "ben": [block(1, LENGTH, base(1))],
        "cleo": [block(1, 400, base(1)), block(401, 900, base(401), NOTHING), block(901, LENGTH, base(901))],
        "dan": around(500, [snp(500, HOM)]),
    }
    (row,) = genotyped(tmp_path, fasta, people)
    assert row[:5] == ["chr20", "500", ".", base(500), other(500)]
    assert row[6] == "PASS"
    assert row[7].startswith("AC=3;AN=6;AF=0.5;F_MISSING=0.25;HWE=")
    assert row[8] == "GT:GQ:DP:AD:PL"
    assert row[9] == "0/1:99:30:15,15:500,0,450"
    assert row[10].startswith("0/0:") and row[10].endswith(":30:.:0,90,900")
    assert row[11] == "./.:.:0:.:0,0,0"
    assert row[12].endswith(":20:0,20:700,60,0")


def test_nobody_and_nothing(tmp_path, fasta):
    assert genotyped(tmp_path, fasta, {"anna": [block(1, LENGTH, base(1))], "ben": []}) == []
    people = {"anna": around(500, [snp(500, HET)]), "ben": []}
    (row,) = genotyped(tmp_path, fasta, people)
    assert row[10] == "./.:.:.:.:0,0,0"


def test_alleles_are_put_together_by_the_longest_reference(tmp_path, fasta):
    gone, shorter = SEQUENCE[499:506], SEQUENCE[499:503]
    people = {
        "anna": around(500, [record(500, gone, f"{base(500)},<NON_REF>", HET)]),
        "ben": around(500, [record(500, base(500), f"{base(500)}GATT,<NON_REF>", HET)]),
        "cleo": around(500, [record(500, shorter, f"{base(500)},<NON_REF>", HOM)]),
        "dan": around(500, [snp(500, HET)]),
    }
    single, indels = genotyped(tmp_path, fasta, people)
    assert single[3:5] == [base(500), other(500)]
    assert genotypes(single) == ["0/0", "0/0", "0/0", "0/1"]
    alts = indels[4].split(",")
    assert indels[3] == gone
    assert sorted(alts) == sorted([base(500), base(500) + gone[4:], base(500) + "GATT" + gone[1:]])
    numbers = {alt: number for number, alt in enumerate(alts, 1)}
    assert genotypes(indels) == [
        f"0/{numbers[base(500)]}",
        f"0/{numbers[base(500) + 'GATT' + gone[1:]]}",
        f"{numbers[base(500) + gone[4:]]}/{numbers[base(500) + gone[4:]]}",
        "0/0",
    ]
    # Of the insertion nothing was said where a deletion was read, but by the allele that is not named.
    place = genotypes_among(range(4)).index((0, numbers[base(500) + "GATT" + gone[1:]]))
    assert indels[9].split(":")[4].split(",")[place] == "545"


def test_a_snp_within_anothers_deletion(tmp_path, fasta):
    """Of the deletion's reads the other copy's base is told by a block."""
    inside = block(501, 506, base(501), "0/0:45:15:15:0,45,400")
    people = {
        "anna": [
            block(1, 499, base(1)),
            record(500, SEQUENCE[499:506], f"{base(500)},<NON_REF>", HET),
            inside,
            block(507, LENGTH, base(507)),
        ],
        "ben": around(503, [snp(503, HET)]),
    }
    deletion, single = genotyped(tmp_path, fasta, people)
    assert (deletion[1], single[1]) == ("500", "503")
    assert genotypes(deletion) == ["0/1", "0/0"]
    assert genotypes(single) == ["0/0", "0/1"]
    assert "*" not in deletion[4] + single[4]
    # Programs that write no block there leave the base of the other copy untold.
    people["anna"].remove(inside)
    assert genotypes(genotyped(tmp_path, fasta, people)[1]) == ["./.", "0/1"]
    refused = record(500, SEQUENCE[499:506], f"{base(500)},<NON_REF>", "0/0:40:20:19,1,0:0,40,400,60,400,600")
    people["anna"][1] = refused
    assert genotypes(genotyped(tmp_path, fasta, people)[0]) == ["0/0", "0/1"]


def test_a_refused_allele_of_one_does_not_hide_anothers_call(tmp_path, fasta):
    refused = snp(500, "0/0:30:20:18,2,0:0,30,500,60,510,620", state="RefCall")
    people = {
        "anna": around(500, [refused]),
        "ben": around(500, [snp(500, HET)]),
        "cleo": around(700, [snp(700, "0/0:30:20:18,2,0:0,30,500,60,510,620", state="RefCall")]),
    }
    (row,) = genotyped(tmp_path, fasta, people)
    assert row[1] == "500"
    assert genotypes(row) == ["0/0", "0/1", "0/0"]
    assert row[9].split(":")[3] == "18,2"


def test_a_certain_allele_stays_though_few_have_it(tmp_path, fasta):
    entry = "0/1:20:6:4,2,0:20,0,120,32,126,158"
    people = {f"p{i:02d}": [block(1, LENGTH, base(1))] for i in range(40)}
    people["x"] = around(500, [snp(500, entry)])
    (row,) = genotyped(tmp_path, fasta, people)
    assert row[4] == other(500)
    people["x"] = around(500, [snp(500, entry.replace(":20:6", ":19:6"))])
    assert genotyped(tmp_path, fasta, people) == []


def test_two_single_bases_of_one_site(tmp_path, fasta):
    people = {
        "anna": around(500, [snp(500, HET)]),
        "ben": around(500, [snp(500, HOM, turn=2)]),
        "cleo": [block(1, LENGTH, base(1), "./.:0:3:3:4,0,30")],
    }
    (row,) = genotyped(tmp_path, fasta, people)
    first, second = sorted([other(500), other(500, 2)])
    assert row[4] == f"{first},{second}"
    numbers = {first: 1, second: 2}
    assert genotypes(row)[0] == f"0/{numbers[other(500)]}"
    assert genotypes(row)[1] == "/".join([str(numbers[other(500, 2)])] * 2)
    assert len(row[9].split(":")[4].split(",")) == 6


def test_people_with_one_copy(tmp_path, fasta):
    one = "1:60:20:0,20,0:700,0,600"
    people = {
        "anna": around(500, [snp(500, HET)]),
        "ben": around(500, [snp(500, one)], entry="0:50:15:15:0,400"),
        "cleo": [block(1, LENGTH, base(1), "0:50:15:15:0,400")],
        "dan": [block(1, LENGTH, base(1), ".:0:0:0:0,0")],
    }
    (row,) = genotyped(tmp_path, fasta, people)
    assert genotypes(row) == ["0/1", "1", "0", "."]
    assert [len(entry.split(":")[4].split(",")) for entry in row[9:]] == [3, 2, 2, 2]
    assert row[7].startswith("AC=2;AN=4;")


def test_gvcfs_of_other_programs(tmp_path, fasta):
    """<*> for any allele, blocks without PL or DP, a * allele, alleles that are not normalised."""
    short = block(1, 499, base(1), "0/0:40:12", "GT:GQ:MIN_DP", other="<*>")
    longer = SEQUENCE[499:502]
    padded = record(500, longer, f"{other(500)}{longer[1:]},<*>", "0/1:40:400,0,300,430,330,700", "GT:GQ:PL")
    star = record(
        500,
        base(500),
        f"{other(500)},*,<NON_REF>",
        "1/2:50:20:0,9,11,0:900,300,280,250,0,240,900,310,260,900",
    )
    people = {
        "anna": [short, padded, block(503, LENGTH, base(503), "0/0:40:12", "GT:GQ:MIN_DP", other="<*>")],
        "ben": around(500, [star]),
        "cleo": [block(1, LENGTH, base(1), "0/0:40:12", "GT:GQ:MIN_DP", other="<*>")],
    }
    (row,) = genotyped(tmp_path, fasta, people)
    assert row[3:5] == [base(500), other(500)]
    assert genotypes(row) == ["0/1", "0/1", "0/0"]
    assert row[11].split(":")[2] == "12"


def test_the_order_of_people_does_not_matter(tmp_path, fasta):
    people = {"b": around(500, [snp(500, HET)]), "a": around(700, [snp(700, HOM)]), "c": []}
    paths = [write_gvcf(tmp_path, name, lines) for name, lines in people.items()]
    for number, order in enumerate(itertools.permutations(paths)):
        joint.genotype_region(order, fasta, "chr20", tmp_path / f"{number}.vcf.gz")
    found = {(tmp_path / f"{number}.vcf.gz").read_bytes() for number in range(6)}
    assert len(found) == 1
    with pysam.VariantFile(str(tmp_path / "0.vcf.gz")) as cohort:
        assert list(cohort.header.samples) == ["a", "b", "c"]


# What is computed, beside sums over everything that may be.


def rising(weight, count):
    return np.prod([weight + i for i in range(count)]) if count else 1.0


def by_hand(likelihoods, weights, ploidy):
    """Posterior of each person's genotype and of nobody having the allele, over all joint genotypes."""
    pairs = genotypes_among(range(len(weights)), ploidy)
    posterior = np.zeros(likelihoods.shape)
    nobody = total = 0.0
    for chosen in itertools.product(range(len(pairs)), repeat=len(likelihoods)):
        copies = np.zeros(len(weights), int)
        chance = 1.0
        for person, g in enumerate(chosen):
            for allele in pairs[g]:
                copies[allele] += 1
            chance *= likelihoods[person, g] * (2 if len(set(pairs[g])) == 2 else 1)
        chance *= np.prod([rising(w, c) for w, c in zip(weights, copies, strict=True)])
        chance /= rising(sum(weights), copies.sum())
        total += chance
        nobody += chance if copies[1:].sum() == 0 else 0
        for person, g in enumerate(chosen):
            posterior[person, g] += chance
    return posterior / total, -10 * log10(nobody / total)


def evidence_of(pl, ploidy, alleles):
    pl = np.array(pl, float)
    n = len(pl)
    full = np.zeros((n, alleles * (alleles + 1) // 2))
    full[:, : pl.shape[1]] = pl
    return SiteEvidence(full, np.full(n, ploidy), np.full(n, 20), np.zeros((n, alleles), int))


@settings(max_examples=40, deadline=None)
@given(data=st.data(), ploidy=st.sampled_from([1, 2]), chance=st.sampled_from([1e-4, 1e-3, 0.05]))
def test_one_person_is_genotyped_as_alone(data, ploidy, chance):
    pl = data.draw(st.lists(st.integers(0, 90), min_size=ploidy + 1, max_size=ploidy + 1))
    if max(pl) == min(pl):
        return
    likelihoods = 10.0 ** (-np.array(pl) / 10)
    prior = np.array([1, chance] if ploidy == 1 else [1, chance, chance * (1 + chance) / 2])
    posterior = likelihoods * prior / (likelihoods * prior).sum()
    found = genotype_people(evidence_of([pl], ploidy, 2), np.array([chance]))
    best = int(found.alleles[0][found.alleles[0] >= 0].sum())
    assert posterior[best] == pytest.approx(posterior.max())
    assert found.gq[0] == pytest.approx(min(99, -10 * log10(1 - posterior[best] + 1e-30)), abs=0.6)
    assert found.qual == pytest.approx(-10 * log10(posterior[0]), abs=0.1)


@pytest.mark.parametrize(
    "pl",
    [
        [[60, 0, 70], [0, 30, 300], [0, 30, 300]],
        [[300, 30, 0], [12, 0, 90], [0, 9, 90]],
        [[25, 0, 70], [22, 0, 70], [24, 0, 70]],
        [[0, 30, 300], [0, 25, 300], [0, 28, 300]],
        [[300, 20, 0], [500, 45, 0], [400, 40, 0]],
    ],
)
@pytest.mark.parametrize("chance", [1e-3, 0.03])
def test_people_together_are_genotyped_as_by_all_that_may_be(pl, chance):
    exact, qual = by_hand(10.0 ** (-np.array(pl) / 10), [1, chance], 2)
    found = genotype_people(evidence_of(pl, 2, 2), np.array([chance]))
    np.testing.assert_array_equal(found.alleles.sum(axis=1), exact.argmax(axis=1))
    expected = -10 * np.log10(1 - exact.max(axis=1))
    np.testing.assert_allclose(found.gq, np.minimum(expected, 99), atol=3)
    assert found.qual == pytest.approx(qual, abs=0.3)


def test_three_alleles_and_one_copy():
    pl = [[300, 0, 250, 300, 280, 500], [0, 40, 400, 60, 500, 700], [400, 300, 350, 60, 50, 0]]
    exact, _ = by_hand(10.0 ** (-np.array(pl) / 10), [1, 1e-3, 1e-3], 2)
    found = genotype_people(evidence_of(pl, 2, 3), np.array([1e-3, 1e-3]))
    pairs = genotypes_among(range(3))
    assert [tuple(one) for one in found.alleles.tolist()] == [pairs[g] for g in exact.argmax(axis=1)]
    single = [[0, 50], [60, 0], [35, 0]]
    exact, qual = by_hand(10.0 ** (-np.array(single) / 10), [1, 1e-3], 1)
    found = genotype_people(evidence_of(single, 1, 2), np.array([1e-3]))
    assert found.alleles.tolist() == [[g, -1] for g in exact.argmax(axis=1)]
    assert found.qual == pytest.approx(qual, abs=0.3)


def test_many_with_little_evidence_make_each_other_sure():
    alone = genotype_people(evidence_of([[25, 0, 60]], 2, 2), np.array([1e-3]))
    people = genotype_people(evidence_of([[25, 0, 60]] * 10 + [[0, 60, 600]] * 10, 2, 2), np.array([1e-3]))
    assert alone.alleles.tolist() == [[0, 0]]
    assert people.alleles[:10].tolist() == [[0, 1]] * 10
    assert people.qual > 100


def test_hardy_weinberg_is_exact():
    # Every way of pairing the copies of 2 n haplotypes, counted.
    for none, once, twice in ((5, 3, 2), (0, 6, 1), (9, 0, 1), (4, 4, 0), (0, 0, 3)):
        copies, n = once + 2 * twice, none + once + twice
        haplotypes = [1] * copies + [0] * (2 * n - copies)
        counts = {}
        rng = np.random.default_rng(1)
        for _ in range(40_000):
            drawn = rng.permutation(haplotypes).reshape(n, 2).sum(axis=1)
            hets = int((drawn == 1).sum())
            counts[hets] = counts.get(hets, 0) + 1
        seen = counts.get(once, 0)
        expected = sum(count for count in counts.values() if count <= seen * 1.05) / 40_000
        assert hardy_weinberg(none, once, twice) == pytest.approx(expected, abs=0.02)


# From reads.


@pytest.fixture(scope="module", params=[Name.haplotypes, Name.ensemble])
def trio(request, tmp_path_factory):
    """Father, mother and child with reads, their VCFs and gVCFs by the haplotypes or the shipped callers."""
    if request.param is not Name.haplotypes:
        pytest.importorskip("torch")
    judge = loaded(request.param, ROOT / "assets/callers/short_reads", Device.cpu, 1)
    folder = tmp_path_factory.mktemp("trio")
    rng = np.random.default_rng(11)
    length = 20_000
    sequence = "".join(rng.choice(list("ACGT"), length))
    haplotypes = [[] for _ in range(4)]
    for pos in range(600, length - 600, 150):
        ref = sequence[pos - 1]
        size = int(rng.integers(1, 8))
        alt, gone = [("ACGT"["ACGT".index(ref) - 1], 1), (ref + "GAT", 1), (ref, 1 + size)][
            int(rng.integers(3))
        ]
        carriers = np.flatnonzero(rng.random(4) < 0.4)
        for haplotype in carriers:
            haplotypes[haplotype].append((pos, sequence[pos - 1 : pos - 1 + gone], alt))
    people = {"dad": (0, 1), "mum": (2, 3), "kid": (0, 2)}
    files = {}
    for name, own in people.items():
        person = Person(sequence, [haplotypes[h] for h in own]).sequenced(14, rng, error=0.003)
        bam, fasta = person.write(folder, name, sample=name)
        out = folder / f"{name}.vcf.gz"
        calls_vcf.call_region(bam, fasta, "chr20", out, gvcf=folder / f"{name}.g.vcf.gz", caller=judge)
        files[name] = out, folder / f"{name}.g.vcf.gz", fasta
    return files, haplotypes, people, sequence


def rows_of(path):
    vcf = VCF(str(path))
    return {
        (record.POS, record.REF, tuple(record.ALT)): [tuple(sorted(g[:-1])) for g in record.genotypes]
        for record in vcf
    }


def test_one_person_gets_the_genotypes_of_the_own_vcf(trio, tmp_path):
    vcf, gvcf, fasta = trio[0]["kid"]
    joint.genotype_region([gvcf], fasta, "chr20", tmp_path / "one.vcf.gz")
    alone = {key: value for key, value in rows_of(vcf).items() if any(value[0])}
    assert len(alone) > 50
    assert rows_of(tmp_path / "one.vcf.gz") == alone


def test_a_family_fits(trio, tmp_path):
    files, haplotypes, people, sequence = trio
    normal = [{normalised(sequence.encode(), 0, *edit) for edit in own} for own in haplotypes]
    gvcfs = [gvcf for _, gvcf, _ in files.values()]
    joint.genotype_region(gvcfs, files["kid"][2], "chr20", tmp_path / "trio.vcf.gz")
    found = VCF(str(tmp_path / "trio.vcf.gz"))
    assert found.samples == ["dad", "kid", "mum"]
    right = total = 0
    for row in found:
        if row.FILTER is None and len(row.ALT) == 1:
            for sample, genotype in zip(found.samples, row.genotypes, strict=True):
                truth = sum((row.POS, row.REF, row.ALT[0]) in normal[h] for h in people[sample])
                right += sum(genotype[:-1]) == truth
                total += 1
    assert total > 200
    assert right / total > 0.97
    (tmp_path / "trio.ped").write_text("f kid dad mum 1 0\n")
    rows = mendelian_errors(tmp_path / "trio.vcf.gz", tmp_path / "trio.ped", None)
    assert sum(int(row["records"]) for row in rows) > 60
    assert sum(int(row["errors"]) for row in rows) <= 1


def test_regions_are_the_pieces_of_the_whole(trio, tmp_path, monkeypatch):
    files = trio[0]
    gvcfs, fasta = [gvcf for _, gvcf, _ in files.values()], files["kid"][2]
    joint.genotype_region(gvcfs, fasta, "chr20", tmp_path / "whole.vcf.gz")
    monkeypatch.setattr(joint, "TILE", 1_313)
    parts = []
    for number, (first, last) in enumerate([(1, 7_000), (7_001, 14_000), (14_001, 20_000)]):
        parts.append(tmp_path / f"{number}.vcf.gz")
        done = [*gvcfs[number:], *gvcfs[:number]]
        joint.genotype_region(done, fasta, f"chr20:{first}-{last}", parts[-1])
    joined = run("join-cohort", *parts, "--out", tmp_path / "j.vcf.gz", "--out-counts", tmp_path / "c.tsv")
    assert joined.returncode == 0, joined.stderr
    assert rows_text(tmp_path / "j.vcf.gz") == rows_text(tmp_path / "whole.vcf.gz")
    header, *rows = (tmp_path / "c.tsv").read_text().splitlines()
    assert header == "sample\twhat\tbin\tcount"
    counted = {tuple(row.split("\t")[::2]): int(row.split("\t")[3]) for row in rows}
    assert counted["kid", "variant"] > 50 and counted["kid", "alone"] < 3 < counted["dad", "alone"]


def rows_text(path):
    return pysam.bcftools.view("-H", str(path))


# What is refused.


@pytest.mark.parametrize(
    ("people", "region", "message"),
    [
        ({"a": []}, "chr20:1-10,chr20:50-60", "--region chr20:1-10,chr20:50-60: 2 regions: give one"),
        (
            {"a": [snp(500, "0/1:60:30:15,15,0:500,0,450")]},
            "20",
            "a.g.vcf.gz: chr20:500 has 3 values of PL where its alleles have 6 genotypes: make the file "
            "again",
        ),
        (
            {"a": [block(1, 900, "A", "0/0:50:30:30:0,90")]},
            "20",
            "a.g.vcf.gz: the block at chr20:1 has 2 values of PL, not 3: make the file again",
        ),
        (
            {"a": [snp(500, "0/0/1:60:30:15,15,0:500,0,450")]},
            "20",
            "a.g.vcf.gz: chr20:500 has a genotype of 3 copies: one or two can be joined",
        ),
        (
            {"a": [block(1, 900, "A", "0/0:much:30:30:0,90,900")]},
            "20",
            "a.g.vcf.gz: the record at chr20:1 cannot be read: make the file again",
        ),
    ],
)
def test_bad_gvcfs_are_refused(tmp_path, fasta, people, region, message):
    paths = [write_gvcf(tmp_path, name, lines) for name, lines in people.items()]
    with pytest.raises(InputError) as refused:
        joint.genotype_region(paths, fasta, region, tmp_path / "out.vcf.gz")
    assert str(refused.value) == message
    assert not (tmp_path / "out.vcf.gz").exists()


def test_files_that_do_not_fit_are_refused(tmp_path, fasta):
    (tmp_path / "more").mkdir()
    one, same = write_gvcf(tmp_path, "a", []), write_gvcf(tmp_path / "more", "a", [])
    two = write_gvcf(tmp_path, "b\tc", [])
    longer = write_gvcf(tmp_path, "d", [], length=9_000)
    bare = write_gvcf(tmp_path, "e", [], index=False)
    for paths, message in (
        ([one, same], "a.g.vcf.gz and a.g.vcf.gz are both of a: give one gVCF for each person"),
        ([two], "holds 2 people: give a gVCF for each person (bcftools view -s)"),
        ([longer], "d.g.vcf.gz: chr20 has 9,000 bases but 3,000 in the FASTA: give gVCFs of one reference"),
        ([bare], "e.g.vcf.gz: there is no index: make one (bcftools index -t)"),
    ):
        with pytest.raises(InputError) as refused:
            joint.genotype_region(paths, fasta, "chr20", tmp_path / "out.vcf.gz")
        assert message in str(refused.value)


def test_a_damaged_gvcf_is_refused(tmp_path, fasta):
    lines = [block(pos, pos, base(pos), f"0/0:50:{pos}:30:0,90,{pos}") for pos in range(1, 2_900)]
    path = write_gvcf(tmp_path, "a", lines)
    text = bytearray(path.read_bytes())
    text[len(text) // 2 :] = b"\0" * (len(text) - len(text) // 2)
    path.write_bytes(text)
    with pytest.raises(InputError, match="damaged: the records of chr20 cannot be read: copy it again"):
        joint.genotype_region([path], fasta, "chr20", tmp_path / "out.vcf.gz")


def test_the_script_refuses_in_one_sentence(tmp_path, fasta):
    bare = write_gvcf(tmp_path, "e", [], index=False)
    done = run("genotype-region", bare, "--fasta", fasta, "--region", "20", "--out", tmp_path / "x.vcf.gz")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ERROR: e.g.vcf.gz: there is no index: make one (bcftools index -t)\n"
