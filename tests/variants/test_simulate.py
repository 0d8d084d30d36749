"""Simulated people and reads: what was asked for is in the files, and is learnt again from them."""

import gzip
import shutil
from dataclasses import replace

import numpy as np
import pysam
import pytest
from cyvcf2 import VCF

from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import Region
from deepcohort.variants import error_profile as ep
from deepcohort.variants.error_profile import ErrorProfile, learn
from deepcohort.variants.evaluate import evaluate
from deepcohort.variants.simulate import Outputs, Wanted, cigar_of, simulate
from deepcohort.variants.simulated_person import person_from
from deepcohort.variants.simulated_reads import simulated_reads
from tests.genotypes import write_vcf
from tests.scripts import ROOT, run_script

LENGTH = 40_000
REGION = Region("7", 4_001, 36_000)


def made_profile(errors=True, cycles=100):
    """Qualities of two levels, 12 % errors at 10 and none at 30 (or none at all), indels in long runs."""
    quality = np.zeros((2, ep.CLASSES, ep.QUALITIES), np.int64)
    quality[..., [10, 30]] = [1000, 9000]
    following = np.zeros((2, ep.CLASSES, ep.CYCLE_BINS, ep.QUALITIES, ep.QUALITIES), np.int64)
    following[..., 10, [10, 30]] = [6000, 4000]
    following[..., 30, [10, 30]] = [500, 9500]
    following[..., -1, 30, [10, 30]] = [3000, 7000]
    substitutions = np.zeros((ep.QUALITIES, 5, 4, 4), np.int64)
    substitutions[...] = 10**12 * np.eye(4, dtype=np.int64)
    if errors:
        substitutions[10] = 10**9 * (np.eye(4, dtype=np.int64) * 88 + (1 - np.eye(4, dtype=np.int64)) * 4)
    crossed = np.full(ep.LONGEST_RUN + 1, 10**9)
    inserted, deleted = np.zeros_like(crossed), np.zeros_like(crossed)
    if errors:
        inserted[6:], deleted[6:] = 10**7, 4 * 10**7
    sizes = np.zeros((2, ep.LONGEST_INDEL + 1), np.int64)
    sizes[:, 1] = 1
    inserts = np.zeros(ep.LONGEST_INSERT + 1, np.int64)
    inserts[280:321] = 1
    clips = np.zeros(ep.LONGEST_CLIP + 1, np.int64)
    clips[[0, 20]] = [98, 2] if errors else [1, 0]
    mapping = np.zeros(61, np.int64)
    mapping[60] = 1
    classes = np.ones((ep.CLASSES, ep.CLASSES), np.int64)
    return ErrorProfile(
        np.array([cycles]), classes, quality, following, substitutions, crossed, inserted, deleted, sizes,
        inserts, clips, mapping, np.array([100, 5]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A reference with runs of eight, and genotypes of one person on it: 0/1, 1|1, 0|1, 1|2, overlaps."""
    path = tmp_path_factory.mktemp("simulate")
    rng = np.random.default_rng(3)
    bases = rng.choice(list("ACGT"), LENGTH)
    for at in range(100, LENGTH - 100, 50):
        bases[at : at + 8] = rng.choice(list("ACGT"))
    sequence = "".join(bases)
    (path / "r.fa").write_text(f">chr7\n{sequence[:20_000]}NNNNNNNNNN{sequence[20_010:]}\n")
    pysam.faidx(str(path / "r.fa"))
    rows = []
    for number, pos in enumerate(range(4_525, 35_500, 250)):
        ref = sequence[pos - 1]
        others = [base for base in "ACGT" if base != ref]
        alt = [others[0], ref + "GATC"[number % 4] * 3, f"{others[0]},{others[1]}", others[1]][number % 4]
        ref = sequence[pos - 1 : pos + 2] if number % 4 == 3 else ref
        alt = sequence[pos - 1] if number % 4 == 3 else alt
        rows.append(("7", pos, ref, alt, [["0/1", "1|1", "1|2", "0|1"][number % 4]]))
    pos = rows[3][1] + 1
    other = "ACGTA"["ACGT".index(sequence[pos - 1]) + 1]
    rows.append(("7", pos, sequence[pos - 1], other, ["0/1"]))
    rows.append(("7", 35_900, sequence[35_899], "<DEL>", ["0/1"]))
    write_vcf(path / "g.vcf.gz", sorted(rows, key=lambda row: row[1]), ["me"], {"7": LENGTH})
    return path


def made(folder, out, profile=None, region=REGION, genotypes="g.vcf.gz", sample=None, bwa=False, **more):
    out.mkdir(exist_ok=True)
    wanted = Wanted(
        **{"coverage": 20, "read_length": 100, "added_per_kb": 0, "name": "sim", "seed": 1} | more
    )
    outputs = Outputs(out / "t.vcf.gz", out / "t.bed", out / "r.bam", (out / "1.fq.gz", out / "2.fq.gz"))
    profile = profile or made_profile()
    simulate(
        folder / genotypes, sample, folder / "r.fa", region, profile, wanted, outputs, use_bwa=bwa, threads=1
    )
    return out


def test_the_truth_is_what_was_given(folder, tmp_path):
    out = made(folder, tmp_path / "a")
    found = evaluate(out / "t.vcf.gz", folder / "g.vcf.gz", folder / "r.fa", out / "t.bed")
    assert sum(one.side == "calls" for one in found.judged) > 150
    # Of the two records that cannot be simulated one lies in the regions and is no symbol.
    assert [one.side for one in found.judged if one.verdict != "right"] == ["truth"]
    records = list(VCF(str(out / "t.vcf.gz")))
    assert all(record.genotypes[0][2] for record in records)
    assert [record.POS for record in records] == sorted(record.POS for record in records)
    turned = {tuple(r.genotypes[0][:2]) for r in records if r.is_snp and len(r.ALT) == 1}
    assert turned == {(0, 1), (1, 0)}
    assert (out / "t.bed").read_text() == "chr7\t4000\t20000\nchr7\t20010\t36000\n"


def test_haplotypes_against_bcftools(folder, tmp_path):
    """Added variants too: the truth put on the reference by bcftools spells the same haplotypes."""
    out = made(folder, tmp_path / "a", added_per_kb=3.0)
    with pysam.FastaFile(str(folder / "r.fa")) as fasta:
        sequence = fasta.fetch("chr7")
    rng = np.random.default_rng(1)
    person = person_from(
        folder / "g.vcf.gz", None, REGION, "chr7", 2000, sequence[2000:38_000].encode(), 3.0, rng
    )
    kinds = [{len(text) - (change.end - change.start) for text in change.texts} for change in person.changes]
    assert len(kinds) > 150
    assert max(max(kind) for kind in kinds) > 10
    assert min(min(kind) for kind in kinds) < -10
    assert any(len(kind) == 2 and 0 not in kind for kind in kinds)
    for which in (0, 1):
        options = ("-H", str(which + 1), "-f", str(folder / "r.fa"), str(out / "t.vcf.gz"))
        text = "".join(pysam.bcftools.consensus(*options).split("\n")[1:])
        bases, places = person.haplotype(which)
        assert bases.tobytes().decode() == text[2000:-2000]
        on = places >= 0
        assert (np.diff(places[on]) > 0).all()


def test_reads_without_errors_are_the_haplotypes(folder):
    """Every base of every read is the haplotype's at its place, complemented where the read is reversed."""
    rng = np.random.default_rng(5)
    haplotypes = [np.frombuffer("".join(rng.choice(list("ACGT"), 5_000)).encode(), np.uint8) for _ in (0, 1)]
    total = 0
    for batch in simulated_reads(haplotypes, made_profile(errors=False), 20, 100, rng):
        for mate in (0, 1):
            backward = batch.reverse ^ (mate == 1)
            rows = zip(batch.haplotype, batch.place, strict=True)
            codes = np.stack([ep.CODES[haplotypes[h]][p[mate]] for h, p in rows])
            codes = np.where(backward[:, None], 3 - codes, codes)
            wrong = (codes != batch.codes[:, mate])[~batch.elsewhere]
            assert wrong.mean() < 1e-4
            steps = np.where(backward, -1, 1)[:, None]
            assert (np.diff(batch.place[:, mate], axis=1) == steps).all()
        total += int((~batch.duplicate).sum()) * 200
    assert total / 5_000 == pytest.approx(20, rel=0.01)


@pytest.fixture(scope="module")
def learnt(folder, tmp_path_factory):
    """What is learnt from reads of a made profile, with the truth and without."""
    out = made(folder, tmp_path_factory.mktemp("learnt"), coverage=40)
    options = ([out / "r.bam"], folder / "r.fa", [REGION])
    return learn(*options, out / "t.vcf.gz"), learn(*options)


@pytest.mark.parametrize("which", [0, 1])
def test_what_is_learnt_is_what_was_simulated(learnt, which):
    given, found = made_profile(), learnt[which]
    seen = found.substitutions.sum(axis=(1, 2, 3))
    right = np.diagonal(found.substitutions, axis1=2, axis2=3).sum(axis=(1, 2))
    assert 1 - right[10] / seen[10] == pytest.approx(0.12, abs=0.01)
    # Fragments from elsewhere and second reads of other places leave a little.
    assert 1 - right[30] / seen[30] < 3e-4
    rates = found.error_rates()[10]
    assert rates[:4] == pytest.approx(np.full((4, 4), 0.12), abs=0.03)
    for part in (0, 5, ep.CYCLE_BINS - 1):
        own, asked = (one.following[:, :, part].sum(axis=(0, 1))[30] for one in (found, given))
        assert own[10] / own.sum() == pytest.approx(asked[10] / asked.sum(), rel=0.15)
    assert found.deleted[8] / found.crossed[8] == pytest.approx(0.04, rel=0.2)
    assert found.inserted[8] / found.crossed[8] == pytest.approx(0.01, rel=0.35)
    assert found.deleted[2:6].sum() / found.crossed[2:6].sum() < 3e-4
    sizes = found.insert_sizes / found.insert_sizes.sum()
    assert sizes @ np.arange(len(sizes)) == pytest.approx(300, abs=6)
    assert found.clips[20] / found.clips.sum() == pytest.approx(0.02, rel=0.25)
    assert found.duplicates[1] / found.duplicates[0] == pytest.approx(0.05, rel=0.2)
    assert found.cycles.tolist() == [100]


def test_mates_are_good_or_bad_together(folder, tmp_path):
    """Classes of the pairs come out as they went in."""
    profile = made_profile()
    classes = np.diag([700, 100, 100, 100])
    first = profile.first.copy()
    following = profile.following.copy()
    following[:, 0, :, 30, 10], following[:, 0, :, 30, 30] = 9_000, 1_000
    out = made(folder, tmp_path / "a", replace(profile, classes=classes, first=first, following=following))
    found = learn([out / "r.bam"], folder / "r.fa", [REGION])
    together = found.classes / found.classes.sum()
    assert together[0, 0] + together[1, 1] > 1.3 * (together[0].sum() ** 2 + together[1].sum() ** 2)


def test_variants_are_not_taken_for_errors(folder, tmp_path):
    """Homozygous variants every 30 bases would be 3 % errors of good qualities."""
    with pysam.FastaFile(str(folder / "r.fa")) as fasta:
        sequence = fasta.fetch("chr7")
    rows = [
        ("7", pos, sequence[pos - 1], "ACGTA"["ACGT".index(sequence[pos - 1]) + 1], ["1/1"])
        for pos in range(4_030, 36_000, 30)
        if sequence[pos - 1] != "N"
    ]
    write_vcf(folder / "many.vcf.gz", rows, ["me"], {"7": LENGTH})
    out = made(folder, tmp_path / "a", genotypes="many.vcf.gz")
    for truth in (None, out / "t.vcf.gz"):
        found = learn([out / "r.bam"], folder / "r.fa", [REGION], truth)
        seen = found.substitutions[30]
        assert 1 - np.trace(seen.sum(axis=(0))) / seen.sum() < 5e-4


def test_rates_of_runs_never_fall(learnt):
    rates = learnt[0].indel_rates()
    assert (np.diff(rates, axis=1) >= 0).all()
    known = np.flatnonzero(learnt[0].crossed >= ep.ENOUGH_CROSSED).max()
    assert rates[1, known + 1] == pytest.approx(min(ep.HIGHEST_INDEL_RATE, rates[1, known] * ep.GROWTH))
    pooled = ep._never_falling(np.array([0, 5, 1, 9]), np.array([0, 100, 100, 100]))
    assert pooled == pytest.approx([0, 0.03, 0.03, 0.09])


def test_a_profile_comes_back_from_its_file(learnt, tmp_path):
    learnt[0].save(tmp_path / "p.npz")
    again = ErrorProfile.load(tmp_path / "p.npz")
    assert all(
        np.array_equal(a, b) for a, b in zip(vars(learnt[0]).values(), vars(again).values(), strict=True)
    )


def test_the_same_bytes_by_seed_and_others_by_another(folder, tmp_path):
    files = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        out = made(folder, tmp_path / name, seed=seed, coverage=3, added_per_kb=1.0)
        files[name] = {path.name: path.read_bytes() for path in sorted(out.iterdir())}
    assert files["a"].keys() == {
        "t.vcf.gz",
        "t.vcf.gz.tbi",
        "t.bed",
        "r.bam",
        "r.bam.bai",
        "1.fq.gz",
        "2.fq.gz",
    }
    assert files["a"] == files["b"]
    assert files["a"]["r.bam"] != files["c"]["r.bam"]
    assert files["a"]["t.vcf.gz"] != files["c"]["t.vcf.gz"]


def test_fastq_and_bam_hold_the_same_reads(folder, tmp_path):
    out = made(folder, tmp_path / "a", coverage=3)
    fastq = {}
    for mate in (1, 2):
        lines = gzip.decompress((out / f"{mate}.fq.gz").read_bytes()).decode().split("\n")
        fastq |= {
            (name[1:], mate): sequence for name, sequence in zip(lines[0::4], lines[1::4], strict=False)
        }
    with pysam.AlignmentFile(str(out / "r.bam")) as bam:
        reads = list(bam)
        assert bam.has_index()
        assert bam.header["RG"] == [{"ID": "sim", "SM": "sim", "PL": "ILLUMINA"}]
    assert len(reads) == len(fastq)
    for read in reads:
        assert read.get_forward_sequence() == fastq[read.query_name, 2 if read.is_read2 else 1]
        assert read.is_duplicate == read.query_name.endswith("duplicate")
    proper = [read for read in reads if read.is_proper_pair]
    assert len(proper) > 0.97 * len(reads)
    assert all(read.has_tag("MQ") for read in proper)
    assert {abs(read.template_length) // 10 for read in proper} <= set(range(20, 40))


@pytest.mark.skipif(shutil.which("bwa") is None, reason="bwa is not installed: apt-get install bwa")
def test_alignment_by_bwa(folder, tmp_path):
    known, aligned = (made(folder, tmp_path / name, coverage=3, bwa=name == "b") for name in ("a", "b"))
    places = []
    for out in (known, aligned):
        with pysam.AlignmentFile(str(out / "r.bam")) as bam:
            places.append({(r.query_name, r.is_read2): r.reference_start for r in bam if not r.flag & 0x900})
            assert bam.header["RG"][0]["SM"] == "sim"
            assert "PG" not in bam.header
    assert places[0].keys() == places[1].keys()
    near = [abs(place - places[1][key]) < 30 for key, place in places[0].items()]
    assert np.mean(near) > 0.98


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([5, 6, 7, 8], (5, "4M")),
        ([5, 6, -1, -1, 7, 10, 11], (5, "2M2I1M2D2M")),
        ([-2, -2, 8, 9, -1], (8, "2S2M1S")),
        ([-1, -2, -2], (-1, "3S")),
    ],
)
def test_cigars(places, expected):
    assert cigar_of(np.array(places)) == expected


def test_what_cannot_be_simulated(folder, tmp_path):
    def refused(message, **options):
        with pytest.raises(InputError) as error:
            made(folder, tmp_path / "a", **options)
        assert message in str(error.value)

    write_vcf(folder / "two.vcf.gz", [("7", 5_000, "A", "C", ["0/1", "0/1"])], ["a", "b"], {"7": LENGTH})
    write_vcf(folder / "other.vcf.gz", [("8", 5_000, "A", "C", ["0/1"])], ["a"], {"8": LENGTH})
    rows = [("7", 5_000, "N", "C", ["0/1"]), ("7", 5_001, "ACGTACGT", "A", ["1/1"])]
    write_vcf(folder / "wrong.vcf.gz", rows, ["a"], {"7": LENGTH})
    refused("two.vcf.gz: holds 2 people: say whom to simulate (--sample)", genotypes="two.vcf.gz")
    refused("two.vcf.gz: holds 2 people", genotypes="two.vcf.gz", sample="c")
    refused("other.vcf.gz: has no chromosome 7: give genotypes of the region", genotypes="other.vcf.gz")
    refused(
        "wrong.vcf.gz: 7:5001 has REF ACGTACGT, which is not what the FASTA says", genotypes="wrong.vcf.gz"
    )
    refused("r.fa: has no chromosome 9: give a region that it has", region=Region("9", 1, 10_000))
    refused("is shorter than 6,000 bases or ends after the 40,000", region=Region("7", 1, 5_000))
    refused("is shorter than 6,000 bases or ends after the 40,000", region=Region("7", 1, 50_000))


def test_what_bwa_says_is_told(folder, tmp_path, monkeypatch):
    (tmp_path / "bwa").write_text("#!/bin/sh\necho no room left >&2\nexit 3\n")
    (tmp_path / "bwa").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(InputError, match=r"bwa index ended with 3 \(no room left\): mend that first"):
        made(folder, tmp_path / "a", bwa=True, coverage=1)
    assert not (tmp_path / "a/r.bam").exists()


def test_what_cannot_be_learnt(folder, tmp_path):
    out = made(folder, tmp_path / "a", coverage=1)
    for regions, message in (
        ([Region("9", 1, 9_000)], "r.fa: has no chromosome 9: give a region that it has"),
        ([Region("7", 4_001, 5_000)], "reads can be counted in the regions: give regions with at least 500"),
    ):
        with pytest.raises(InputError, match=message):
            learn([out / "r.bam"], folder / "r.fa", regions)
    (tmp_path / "p.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"p.npz: not an error profile: make it with 'learn-errors'"):
        ErrorProfile.load(tmp_path / "p.npz")


def test_from_the_command_line(folder, tmp_path):
    made_profile().save(tmp_path / "p.npz")
    options = [
        "--genotypes", folder / "g.vcf.gz", "--fasta", folder / "r.fa", "--profile", tmp_path / "p.npz",
        "--name", "x", "--out-truth", tmp_path / "t.vcf.gz", "--out-bed", tmp_path / "t.bed",
    ]  # fmt: skip
    region = ("--region", "chr7:4001-20000")
    none = run_script("variants", "simulate", *options, *region)
    assert (none.returncode, none.stdout) == (2, "")
    assert "no reads are asked for: give --out-reads, --out-fastq or both" in none.stderr
    reads = ("--out-reads", tmp_path / "r.bam", "--known-placement", "--coverage", 10)
    two = run_script("variants", "simulate", *options, "--region", "chr7:1-7000,chr7:9000-20000", *reads)
    assert two.returncode == 2
    assert "a person is simulated over one region: give one" in two.stderr
    done = run_script("variants", "simulate", *options, *region, *reads)
    assert done.returncode == 0, done.stderr
    assert "left out: 1 overlaps the one before" in done.stderr
    learnt = run_script(
        "variants", "learn-errors", "--fasta", folder / "r.fa", "--regions", "chr7:4001-20000",
        "--out", tmp_path / "again.npz", tmp_path / "r.bam",
    )  # fmt: skip
    assert learnt.returncode == 0, learnt.stderr
    assert ErrorProfile.load(tmp_path / "again.npz").cycles.tolist() == [148]


@pytest.mark.parametrize("name", ["hiseq2500_2x148", "hiseqx_2x151"])
def test_the_profiles_that_come_along(name):
    """They can be read, and bases of better quality are wrong less often."""
    path = ROOT / "assets/error_profiles" / f"{name}.npz"
    profile = ErrorProfile.load(path)
    seen = profile.substitutions.sum(axis=(1, 2, 3))
    wrong = seen - np.diagonal(profile.substitutions, axis1=2, axis2=3).sum(axis=(1, 2))
    low, high = slice(3, 20), slice(30, None)
    assert wrong[low].sum() / seen[low].sum() > 20 * wrong[high].sum() / seen[high].sum()
    assert path.stat().st_size < 200_000
