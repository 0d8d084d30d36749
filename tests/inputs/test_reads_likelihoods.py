"""Likelihoods from reads against a plain computation, base by base, and through the whole pipeline."""

import math
from functools import partial

import numpy as np
import pysam
import pytest
from cyvcf2 import VCF

from deepcohort.genome.errors import InputError
from deepcohort.inputs.reads_likelihoods import LARGEST, Snps, likelihoods_at, write_likelihoods
from tests.genotypes import write_vcf
from tests.pipeline.test_edge_input import LENGTH, WOMEN, simulate, write_inputs
from tests.scripts import run_script

run = partial(run_script, "inputs")

LETTERS = "ACGT"
PLACES = [place for place, name in enumerate(WOMEN) if " " not in name]
PEOPLE = [WOMEN[place] for place in PLACES]


def write_reads(path, reads, name="me", contig="chr20", length=100_000):
    """A BAM of (name, start, CIGAR, sequence, qualities, flag, mapping quality), 0-based, with its index."""
    header = {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": [{"SN": contig, "LN": length}]}
    header["RG"] = [{"ID": "g", "SM": name}]
    with pysam.AlignmentFile(str(path), "wb", header=header) as out:
        for one in sorted(reads, key=lambda read: read[1]):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.reference_start, read.cigarstring = one[0], one[1], one[2]
            read.query_sequence, read.flag, read.mapping_quality = one[3], one[5], one[6]
            read.query_qualities = pysam.qualitystring_to_array("".join(chr(33 + q) for q in one[4]))
            read.reference_id = 0
            out.write(read)
    pysam.samtools.index(str(path))
    return path


def plain(bases, ref, alt):
    """PL of (base, quality) pairs."""
    logs = [0.0, 0.0, 0.0]
    for base, quality in bases:
        error = 10 ** (-quality / 10)
        chance = {allele: 1 - error if base == allele else error / 3 for allele in (ref, alt)}
        logs[0] += math.log10(chance[ref])
        logs[1] += math.log10((chance[ref] + chance[alt]) / 2)
        logs[2] += math.log10(chance[alt])
    return [min(LARGEST, round(10 * (max(logs) - one))) for one in logs]


def asked(path, sites):
    snps = Snps(
        np.array([site[0] for site in sites]),
        np.array([LETTERS.index(site[1]) for site in sites], np.int8),
        np.array([LETTERS.index(site[2]) for site in sites], np.int8),
    )
    with pysam.AlignmentFile(str(path)) as file:
        pl, depth = likelihoods_at(file, "chr20", snps)
    return pl.tolist(), depth.tolist()


def test_random_reads_against_a_plain_computation(tmp_path):
    """CIGARs with clips, insertions, deletions and skips; bases looked up by pysam's own pairs."""
    rng = np.random.default_rng(1)
    reads = []
    for number in range(300):
        cigar = str(rng.choice(["50M", "5S40M5S", "20M3I27M", "20M4D30M", "3H25M100N25M", "10=1X39="]))
        length = 50
        sequence = "".join(rng.choice(list("ACGTN"), length, p=[0.24] * 4 + [0.04]))
        qualities = rng.integers(2, 41, length).tolist()
        mapping = int(rng.choice([0, 9, 10, 20, 60]))
        reads.append((f"r{number}", int(rng.integers(1000, 2000)), cigar, sequence, qualities, 0, mapping))
    path = write_reads(tmp_path / "a.bam", reads)
    positions = sorted(rng.choice(np.arange(990, 2200), 150, replace=False).tolist())
    sites = [(p, *rng.choice(list(LETTERS), 2, replace=False)) for p in positions]
    sites += [(sites[3][0], *("AC" if sites[3][1] != "A" else "GT"))]
    sites.sort(key=lambda site: site[0])
    bases = {position: [] for position in positions}
    with pysam.AlignmentFile(str(path)) as file:
        for read in file:
            for at, there in read.get_aligned_pairs(matches_only=True):
                quality = min(read.query_qualities[at], read.mapping_quality)
                if there + 1 in bases and quality >= 10 and read.query_sequence[at] != "N":
                    bases[there + 1].append((read.query_sequence[at], quality))
    found, depth = asked(path, sites)
    assert depth == [len(bases[site[0]]) for site in sites]
    assert 0 in depth and max(depth) > 10
    for pl, (position, ref, alt), number in zip(found, sites, depth, strict=True):
        assert (
            np.abs(np.array(pl) - plain(bases[position], ref, alt)).max() <= 1 if number else pl == [0, 0, 0]
        )


@pytest.mark.parametrize("flag", [0x4, 0x100, 0x200, 0x400, 0x800])
def test_reads_that_do_not_count(tmp_path, flag):
    path = write_reads(tmp_path / "a.bam", [("r", 99, "4M", "ACGT", [30] * 4, flag, 60)])
    assert asked(path, [(100, "A", "C")])[1] == [0]


def test_overlapping_mates_count_once(tmp_path):
    mates = [("p", 99, "4M", "AAAA", [20] * 4, 99, 60), ("p", 101, "4M", "CAAA", [35] * 4, 147, 60)]
    path = write_reads(tmp_path / "a.bam", [*mates, ("q", 99, "4M", "AAAA", [30] * 4, 0, 60)])
    found, depth = asked(path, [(101, "A", "C"), (102, "A", "C")])
    assert depth == [2, 2]
    assert found == [plain([("A", 20), ("A", 30)], "A", "C"), plain([("C", 35), ("A", 30)], "A", "C")]


def panel_sites(folder, contig="20"):
    records = [
        (contig, 100, "A", "C", ["0|1"]),
        (contig, 101, "A", "AT", ["0|1"]),
        (contig, 200, "G", "A,T", ["0|1"]),
    ]
    path = write_vcf(folder / "panel.sites.bcf", records, ["p"])
    pysam.bcftools.index("-f", str(path), catch_stdout=False)
    return path


def test_files_of_people_are_put_side_by_side(tmp_path):
    sites = panel_sites(tmp_path)
    for name, base in (("Zoë", "A"), ("b", "C")):
        reads = [(f"r{i}", 99, "2M", base * 2, [30, 30], 0, 60) for i in range(2)]
        reads += [("far", 199, "1M", "T", [30], 0, 60)] if name == "b" else []
        bam = write_reads(tmp_path / f"{name}.bam", reads, "other")
        done = run(
            *("reads-likelihoods", "--name", name, "--index", f"{bam}.bai", "--panel-sites", sites),
            *("--out", tmp_path / f"{name}.likelihoods.bcf", bam),
        )
        assert done.returncode == 0, done.stderr
    parts = [tmp_path / f"{name}.likelihoods.bcf" for name in ("b", "Zoë")]
    for people, out in ((parts, "both.bcf"), (parts[:1], "one.bcf")):
        done = run("merge-likelihoods", "--out", tmp_path / out, *people)
        assert done.returncode == 0, done.stderr
    both = VCF(str(tmp_path / "both.bcf"))
    assert both.samples == ["b", "Zoë"]
    assert both.seqlens == [100_000]
    records = [(r.CHROM, r.POS, r.REF, r.ALT, r.format("PL").tolist()) for r in both("20")]
    by_two = [plain([("C", 30)] * 2, "A", "C"), plain([("A", 30)] * 2, "A", "C")]
    assert records[0] == ("20", 100, "A", ["C"], by_two)
    assert [record[:4] for record in records[1:]] == [("20", 200, "G", ["A"]), ("20", 200, "G", ["T"])]
    assert records[2][4][0] == plain([("T", 30)], "G", "T")
    assert all(value < 0 for value in records[2][4][1])
    assert VCF(str(tmp_path / "one.bcf")).samples == ["b"]


def test_reads_of_other_chromosomes_are_refused(tmp_path):
    bam = write_reads(tmp_path / "a.bam", [("r", 99, "4M", "ACGT", [30] * 4, 0, 60)], contig="chr9")
    message = (
        "a.bam: none of its chromosomes is in the panel: give reads that are aligned to the panel's reference"
    )
    with pytest.raises(InputError, match=message):
        write_likelihoods(
            bam, tmp_path / "a.bam.bai", "me", [panel_sites(tmp_path)], None, tmp_path / "o.bcf"
        )


def shotgun(path, rng, truth, alleles, coverage=3.0, size=150):
    """Reads of one woman from her two haplotypes, the simulated sites in the reference sequence."""
    haplotypes = []
    for column in alleles.T:
        sequence = list(truth.sequence)
        for (position, _, alts), allele in zip(truth.sites, column, strict=True):
            if allele:
                sequence[position - 1] = alts.split(",")[allele - 1]
        haplotypes.append("".join(sequence))
    reads = []
    for number in range(int(coverage * LENGTH / size)):
        start = int(rng.integers(0, LENGTH - size))
        letters = list(haplotypes[rng.integers(2)][start : start + size])
        for at in np.flatnonzero(rng.random(size) < 0.003):
            letters[at] = str(rng.choice(list(LETTERS)))
        reads.append((f"r{number}", start, f"{size}M", "".join(letters), [25] * size, 0, 60))
    write_reads(path, reads, contig="chrX", length=LENGTH)


@pytest.mark.pipeline
def test_from_reads_to_imputed_genotypes(nextflow):
    truth = simulate()
    write_inputs(nextflow.folder, truth)
    rng, first = np.random.default_rng(5), truth.alleles.shape[1] - 2 * len(WOMEN) - 3
    sheet = ["sample,file"]
    for person, name in zip(PLACES, PEOPLE, strict=True):
        columns = slice(first + 2 * person, first + 2 * person + 2)
        shotgun(nextflow.folder / f"{person}.bam", rng, truth, truth.alleles[:, columns])
        sheet.append(f"{name},{person}.bam")
    (nextflow.folder / "samples.csv").write_text("\n".join(sheet) + "\n", encoding="utf-8")
    done = nextflow.pipeline(
        *("--steps", "call,impute", "--input", "samples.csv", "--panel", "panel.bcf", "--fasta", "ref.fa"),
        *("--chunk_bases", "400000"),
    )
    assert done.returncode == 0, done.output
    assert done.tasks["READS_LIKELIHOODS"] == 3 and "ACCURACY" not in done.tasks
    with pysam.VariantFile(str(done.outdir / "imputation/reads.X.vcf.gz")) as vcf:
        assert list(vcf.header.samples) == PEOPLE
        records = list(vcf)
    assert all("IMP" in record.info for record in records)
    true = {(p, r, a): n for n, (p, r, alts) in enumerate(truth.sites) for a in alts.split(",")}
    copies, dosages = [], []
    for record in records:
        row = true[record.pos, record.ref, record.alts[0]]
        allele = truth.sites[row][2].split(",").index(record.alts[0]) + 1
        mine = truth.alleles[row, first : first + 2 * len(WOMEN)].reshape(-1, 2)[PLACES]
        copies.append((mine == allele).sum(axis=1))
        dosages.append([call["DS"][0] for call in record.samples.values()])
    assert np.corrcoef(np.ravel(copies), np.ravel(dosages))[0, 1] ** 2 > 0.85


@pytest.mark.pipeline
def test_people_who_come_as_reads_beside_a_cohort(nextflow):
    """The plan of the tasks, read by the newer parser."""
    for name in ("a.bam", "b.cram", "c.vcf.gz", "panel.vcf.gz", "ref.fa"):
        (nextflow.folder / name).touch()
    rows = ["sample,file,index,sex", "a,a.bam,,", "b,b.cram,,", "cohort,c.vcf.gz,,"]
    (nextflow.folder / "samples.csv").write_text("\n".join(rows) + "\n")
    files = ("--input", "samples.csv", "--panel", "panel.vcf.gz", "--fasta", "ref.fa")
    done = nextflow.pipeline("-stub", "--steps", "call,impute", *files, NXF_SYNTAX_PARSER="v2")
    assert done.returncode == 0, done.output
    expected = {"READS_LIKELIHOODS": 2, "MERGE_LIKELIHOODS": 1, "CHECK_TARGET": 2, "PLAN": 2}
    assert {name: done.tasks[name] for name in expected} == expected
    assert "imputation/reads.20.vcf.gz" in done.published
