"""Input that is odd but right: all of it in one small run."""

import csv
import random
from dataclasses import dataclass
from pathlib import Path

import msprime
import numpy as np
import pysam
import pytest
from numpy.typing import NDArray

from tests.conftest import Nextflow, Run
from tests.genotypes import Record, write_vcf

# One worker runs these, so that they share the run.
pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("edge")]

LENGTH = 600_000
TYPED_UNTIL = 195_000
PANEL = {"women": 40, "men": 40}
WOMEN, MEN = ["Zoë", "李雷", "Ana María", "Ďábel"], ["Jürgen", "Ólafur", "Παύλος"]
ABSENT = "niemand"
PEOPLE = [WOMEN[0], MEN[0], WOMEN[1], ABSENT, MEN[1], *WOMEN[2:], MEN[2]]
ALTS = {"A": "GT", "G": "AC", "C": "TA", "T": "CG"}


@dataclass(frozen=True)
class Truth:
    """``alleles`` int8[sites, haplotypes] of records (position, REF, ALTs), 0 for REF."""

    sites: list[tuple[int, str, str]]
    alleles: NDArray[np.int8]
    sequence: str


def simulate() -> Truth:
    """One population's X chromosome. Every tenth record takes its next neighbour in as a second ALT."""
    haplotypes = PANEL["women"] * 2 + PANEL["men"] + len(WOMEN) * 2 + len(MEN)
    ancestry = msprime.sim_ancestry(
        haplotypes,
        ploidy=1,
        sequence_length=LENGTH,
        recombination_rate=1e-8,
        population_size=2e4,
        random_seed=7,
    )
    mutated = msprime.sim_mutations(ancestry, rate=1e-8, model=msprime.BinaryMutationModel(), random_seed=7)
    derived = np.array(mutated.genotype_matrix(), np.int8)
    positions = [int(site.position) + 1 for site in mutated.sites()]
    sequence = "".join(random.Random(7).choices("ACGT", k=LENGTH))
    sites, rows = [], []
    for number in range(0, len(positions) - 1):
        ref = sequence[positions[number] - 1]
        first, second = derived[number], derived[number + 1]
        both = number % 10 == 0
        alleles = np.where(second > 0, 2, first).astype(np.int8) if both else first
        present = {1, 2} if both else {1}
        if present <= set(alleles[: 2 * PANEL["women"] + PANEL["men"]].tolist()):
            sites.append((positions[number], ref, ",".join(ALTS[ref][: len(present)])))
            rows.append(alleles)
    return Truth(sites, np.array(rows), sequence)


def cells(row: NDArray[np.int8], women: int, men: int, mark: str) -> list[str]:
    """Genotypes of women, then of men, who have one X."""
    pairs = [f"{row[2 * i]}{mark}{row[2 * i + 1]}" for i in range(women)]
    return pairs + [str(row[2 * women + i]) for i in range(men)]


def write_inputs(folder: Path, truth: Truth) -> None:
    """Panel and target without indexes, the target's chromosome called chrX, and a reference."""
    of_panel = 2 * PANEL["women"] + PANEL["men"]
    panel: list[Record] = []
    target: list[Record] = []
    for number, ((position, ref, alt), row) in enumerate(zip(truth.sites, truth.alleles, strict=True)):
        panel.append(("X", position, ref, alt, cells(row[:of_panel], PANEL["women"], PANEL["men"], "|")))
        common = 0.05 < np.mean(row[:of_panel] > 0) < 0.95
        if common and position < TYPED_UNTIL and (number % 2 or "," in alt):
            called = dict(zip(WOMEN + MEN, cells(row[of_panel:], len(WOMEN), len(MEN), "/"), strict=True))
            target.append(("chrX", position, ref, alt, [called.get(name, "./.") for name in PEOPLE]))
    write_vcf(folder / "panel.bcf", panel, [f"p{i}" for i in range(PANEL["women"] + PANEL["men"])])
    write_vcf(folder / "Ziel.vcf.gz", target, PEOPLE)
    (folder / "ref.fa").write_text(f">X\n{truth.sequence}\n")
    (folder / "samples.csv").write_text("sample,file\nKöln,Ziel.vcf.gz\n", encoding="utf-8")


@pytest.fixture(scope="module")
def truth() -> Truth:
    return simulate()


@pytest.fixture(scope="module")
def edge(nextflow_of_module: Nextflow, truth: Truth) -> Run:
    folder = nextflow_of_module.folder
    write_inputs(folder, truth)
    run = nextflow_of_module.pipeline(
        *("--steps", "impute", "--input", "samples.csv", "--panel", "panel.bcf", "--fasta", "ref.fa"),
        *("--chunk_bases", "100000", "--overlap_bases", "20000"),
    )
    assert run.returncode == 0, run.output
    return run


@dataclass(frozen=True)
class Published:
    """``dosage`` and ``ploidy`` [sites, people] of the published VCF, ``raf`` and ``typed`` [sites]."""

    sites: list[tuple[int, str, str]]
    dosage: NDArray[np.float64]
    ploidy: NDArray[np.int64]
    raf: NDArray[np.float64]
    typed: NDArray[np.bool_]


@pytest.fixture(scope="module")
def published(edge: Run) -> Published:
    with pysam.VariantFile(str(edge.outdir / "imputation/Köln.X.vcf.gz")) as vcf:
        assert list(vcf.header.samples) == PEOPLE
        records = list(vcf)
        assert {record.contig for record in records} == {"chrX"}
        return Published(
            [(record.pos, str(record.ref), ",".join(record.alts or ())) for record in records],
            np.array([[call["DS"][0] for call in record.samples.values()] for record in records], float),
            np.array([[len(call["GT"]) for call in record.samples.values()] for record in records]),
            np.array([record.info["RAF"] for record in records], float).ravel(),
            np.array(["TYPED" in record.info for record in records]),
        )


def true_dosage(truth: Truth) -> NDArray[np.float64]:
    """Copies of each ALT, a row for each ALT of each record, in the order of PEOPLE (NaN for the absent)."""
    of_panel = 2 * PANEL["women"] + PANEL["men"]
    rows = []
    for (_, _, alt), row in zip(truth.sites, truth.alleles, strict=True):
        for number in range(1, alt.count(",") + 2):
            copies = (row[of_panel:] == number).astype(float)
            women = copies[: 2 * len(WOMEN)].reshape(-1, 2).sum(axis=1)
            known = dict(zip(WOMEN + MEN, [*women, *copies[2 * len(WOMEN) :]], strict=True))
            rows.append([known.get(name, np.nan) for name in PEOPLE])
    return np.array(rows)


def test_every_alt_of_the_panel_is_there_and_bcftools_reads_it_without_a_word(
    edge: Run, published: Published, truth: Truth
) -> None:
    expected = [(pos, ref, alt) for pos, ref, alts in truth.sites for alt in alts.split(",")]
    assert published.sites == expected
    assert any("," in alt for _, _, alt in truth.sites)
    file = edge.outdir / "imputation/Köln.X.vcf.gz"
    text = pysam.bcftools.view("--no-version", str(file))
    assert pysam.bcftools.view.get_messages() == ""
    assert sum(not line.startswith("#") for line in text.splitlines()) == len(expected)


def test_men_stay_haploid_and_women_diploid(published: Published) -> None:
    men = np.isin(PEOPLE, MEN)
    assert (published.ploidy[:, men] == 1).all()
    assert (published.ploidy[:, ~men] == 2).all()
    assert (published.dosage <= published.ploidy + 1e-3).all()


def test_typed_and_imputed_genotypes_are_right(published: Published, truth: Truth) -> None:
    expected = true_dosage(truth)
    known = ~np.isin(PEOPLE, ABSENT)
    position = np.array([pos for pos, _, _ in published.sites])
    assert published.typed.sum() > 50
    typed = published.typed & (published.raf > 0.05)
    assert np.abs(published.dosage - expected)[np.ix_(typed, known)].mean() < 0.02
    between = ~published.typed & (position < TYPED_UNTIL)
    assert between.sum() > 100
    found, wanted = published.dosage[np.ix_(between, known)], expected[np.ix_(between, known)]
    # Against the frequency, which is what is left without a model.
    plain = published.ploidy[np.ix_(between, known)] * published.raf[between, None]
    assert ((found - wanted) ** 2).sum() < 0.3 * ((plain - wanted) ** 2).sum()


def test_somebody_without_a_genotype_gets_the_frequencies_of_the_panel(published: Published) -> None:
    absent = PEOPLE.index(ABSENT)
    assert published.dosage[:, absent] == pytest.approx(2 * published.raf, abs=0.01)


def test_a_chunk_without_typed_sites_is_flagged_and_filled_with_frequencies(
    edge: Run, published: Published
) -> None:
    with (edge.outdir / "inputs/Köln.chunks.tsv").open(encoding="utf-8", newline="") as table:
        chunks = list(csv.DictReader(table, delimiter="\t"))
    untyped = [chunk for chunk in chunks if chunk["flag"] == "untyped"]
    assert 0 < len(untyped) < len(chunks)
    start = min(int(chunk["start"]) for chunk in untyped)
    there = np.array([position >= start for position, _, _ in published.sites])
    expected = published.ploidy[there] * published.raf[there, None]
    assert there.sum() > 100
    assert published.dosage[there] == pytest.approx(expected, abs=2e-3)


def test_what_was_odd_stands_in_the_report(edge: Run) -> None:
    report = (edge.outdir / "report/multiqc_report.html").read_text(encoding="utf-8")
    for sentence in (
        "Ziel.vcf.gz had no index: one was made.",
        "panel.bcf had no index: one was made.",
        "Ziel.vcf.gz and ref.fa name chromosomes differently (chrX is X): taken as the same.",
        f"Ziel.vcf.gz has no genotype at all for {ABSENT}: only panel frequencies can be given.",
        "haploid genotypes (as men have on X): kept haploid.",
    ):
        assert sentence in report, sentence
