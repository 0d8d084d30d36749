"""Simulate the bundled cohort: a phased panel of three populations, people typed on an array, the truth.

Run as ``python assets/simulate.py``; the same versions of msprime and zlib give the same bytes.

The history is the out-of-Africa model of three populations with the estimates of Gutenkunst et al. (2009,
PLoS Genetics 5:e1000695, table 1), as they apply to populations of African, European and East
Asian ancestry, with generations of 25 years. Nobody in these files is or was a person.
"""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import msprime
import numpy as np
import pysam
import tskit
import typer
from numpy.typing import NDArray

POPULATIONS = ("AFR", "EUR", "EAS")
LENGTHS = {"20": 3_000_000, "22": 1_500_000}
FIRST_POSITION = 1_000_000
PANEL_PEOPLE = {"AFR": 260, "EUR": 260, "EAS": 260}
TARGET_PEOPLE = {"AFR": 20, "EUR": 20, "EAS": 20}
UNLABELLED = 3

YEARS_PER_GENERATION = 25
MUTATION_RATE = 1.25e-8
TRANSITION_BIAS = 4.0
MIN_PANEL_COPIES = 2

ARRAY_SPACING = 3_000
ARRAY_MAF = 0.05
MISSING = 0.005
SWAPPED, FLIPPED, INDELS = 0.02, 0.01, 0.05

COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True)
class Site:
    """A site: position (1-based), alleles with REF first, allele number of each haplotype (int8)."""

    position: int
    alleles: tuple[str, ...]
    haplotypes: NDArray[np.int8]


def out_of_africa() -> msprime.Demography:
    """Build the history: an expansion in Africa, a bottleneck on leaving it, growth in Europe and Asia."""
    left_africa, split = 140_000 / YEARS_PER_GENERATION, 21_200 / YEARS_PER_GENERATION
    growth = {"EUR": 0.004, "EAS": 0.0055}
    founders = {"EUR": 1_000, "EAS": 510}
    history = msprime.Demography()
    history.add_population(name="AFR", initial_size=12_300)
    for name, rate in growth.items():
        now = founders[name] * np.exp(rate * split)
        history.add_population(name=name, initial_size=now, growth_rate=rate)
    history.add_population(name="OUT", initial_size=2_100)
    history.add_population(name="OLD", initial_size=12_300)
    rates = {("AFR", "EUR"): 3e-5, ("AFR", "EAS"): 1.9e-5, ("EUR", "EAS"): 9.6e-5}
    for pair, rate in rates.items():
        history.set_symmetric_migration_rate(list(pair), rate)
    history.add_population_split(time=split, derived=["EUR", "EAS"], ancestral="OUT")
    history.add_symmetric_migration_rate_change(time=split, populations=["AFR", "OUT"], rate=25e-5)
    history.add_population_split(time=left_africa, derived=["AFR", "OUT"], ancestral="OLD")
    history.add_population_parameters_change(
        time=220_000 / YEARS_PER_GENERATION, population="OLD", initial_size=7_300
    )
    return history


def recombination(length: int, random: np.random.Generator) -> msprime.RateMap:
    """Draw a map with hotspots: every 50 kb or so 2 kb at some 30 cM/Mb, 0.4 cM/Mb between."""
    starts = np.cumsum(random.exponential(50_000, size=length // 20_000) + 2_000).round()
    starts = starts[starts < length - 4_000]
    edges = np.concatenate([[0], np.column_stack([starts, starts + 2_000]).ravel(), [length]])
    rates = np.full(len(edges) - 1, 0.4e-8)
    rates[1::2] = random.gamma(2.0, 15e-8, size=len(starts))
    return msprime.RateMap(position=edges, rate=rates)


def simulate(chrom: str, rates: msprime.RateMap, seed: int) -> tskit.TreeSequence:
    """Simulate all people of a chromosome; panel and target people come from the same populations."""
    people = [
        msprime.SampleSet(PANEL_PEOPLE[name] + TARGET_PEOPLE[name], population=name) for name in POPULATIONS
    ]
    trees = msprime.sim_ancestry(
        people, demography=out_of_africa(), recombination_rate=rates, random_seed=seed + int(chrom)
    )
    model = msprime.HKY(kappa=TRANSITION_BIAS, equilibrium_frequencies=[0.3, 0.2, 0.2, 0.3])
    return msprime.sim_mutations(trees, rate=MUTATION_RATE, model=model, random_seed=seed + int(chrom))


def split_people() -> tuple[NDArray[np.int64], NDArray[np.int64], list[str], list[str]]:
    """Haplotypes of the panel and of the targets (int64 each), and the names of both."""
    panel: list[int] = []
    target: list[int] = []
    panel_names: list[str] = []
    target_names: list[str] = []
    person = 0
    for name in POPULATIONS:
        for number in range(PANEL_PEOPLE[name] + TARGET_PEOPLE[name]):
            mine = number < PANEL_PEOPLE[name]
            (panel if mine else target).extend((2 * person, 2 * person + 1))
            (panel_names if mine else target_names).append(f"{name}{number + 1:03d}")
            person += 1
    return np.array(panel), np.array(target), panel_names, target_names


def sites(trees: tskit.TreeSequence, panel: NDArray[np.int64], random: np.random.Generator) -> Iterator[Site]:
    """Yield sites that vary in the panel, alleles nobody has left out; some of two bases made indels."""
    for variant in trees.variants():
        present = np.unique(variant.genotypes)
        order = [0, *(a for a in present if a != 0)]
        if len(order) < 2:
            continue
        alleles = tuple(variant.alleles[a] for a in order)
        renumbered = np.zeros(max(order) + 1, dtype=np.int8)
        renumbered[order] = np.arange(len(order))
        haplotypes = renumbered[variant.genotypes]
        copies = np.bincount(haplotypes[panel], minlength=len(order))
        if copies.max() > len(panel) - MIN_PANEL_COPIES:
            continue
        if len(order) == 2 and random.random() < INDELS:
            alleles = _indel(alleles[0], random)
        yield Site(FIRST_POSITION + int(variant.site.position), alleles, haplotypes)


def _indel(base: str, random: np.random.Generator) -> tuple[str, str]:
    longer = base + "".join(random.choice(list("ACGT"), size=random.geometric(0.4)))
    return (base, longer) if random.random() < 0.5 else (longer, base)


def array_sites(
    variants: list[Site], everybody: NDArray[np.int64], random: np.random.Generator
) -> list[Site]:
    """Choose common single-base sites, one in each stretch; write some swapped or on the other strand."""
    chosen: dict[int, Site] = {}
    for site in variants:
        if len(site.alleles) == 2 and max(map(len, site.alleles)) == 1:
            frequency = site.haplotypes[everybody].mean()
            stretch = site.position // ARRAY_SPACING
            if min(frequency, 1 - frequency) > ARRAY_MAF and stretch not in chosen:
                chosen[stretch] = site
    return [_as_an_array_writes_it(site, random.random()) for site in chosen.values()]


def _as_an_array_writes_it(site: Site, chance: float) -> Site:
    ref, alt = site.alleles
    if ref == alt.translate(COMPLEMENT):
        return site
    if chance < SWAPPED:
        return replace(site, alleles=(alt, ref), haplotypes=1 - site.haplotypes)
    if chance < SWAPPED + FLIPPED:
        return replace(site, alleles=(ref.translate(COMPLEMENT), alt.translate(COMPLEMENT)))
    return site


def write_vcf(
    path: Path,
    chrom: str,
    variants: list[Site],
    people: tuple[NDArray[np.int64], list[str]],
    missing: NDArray[np.bool_] | None = None,
) -> None:
    """Write genotypes of some people: phased, or unphased with missing ones (bool[sites, people])."""
    haplotypes, names = people
    with pysam.BGZFile(str(path), "wb9") as out:
        header = [
            "##fileformat=VCFv4.3",
            "##source=DeepCohort assets/simulate.py (no real person)",
            f"##contig=<ID={chrom},length={FIRST_POSITION + LENGTHS[chrom]}>",
            '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
            "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]),
        ]
        out.write(("\n".join(header) + "\n").encode())
        for number, site in enumerate(variants):
            genotypes = site.haplotypes[haplotypes].reshape(-1, 2)
            cells = (
                [f"{a}|{b}" for a, b in genotypes.tolist()]
                if missing is None
                else _unphased(genotypes, missing[number])
            )
            ref, *alts = site.alleles
            fixed = [chrom, str(site.position), f"s{chrom}_{site.position}", ref, ",".join(alts)]
            out.write(("\t".join([*fixed, ".", ".", ".", "GT", *cells]) + "\n").encode())


def _unphased(genotypes: NDArray[np.int8], missing: NDArray[np.bool_]) -> list[str]:
    pairs = np.sort(genotypes, axis=1).tolist()
    return ["./." if gone else f"{a}/{b}" for (a, b), gone in zip(pairs, missing.tolist(), strict=True)]


def write_map(path: Path, chrom: str, rates: msprime.RateMap) -> None:
    """Write the true map, ``pos chr cM`` with a header."""
    cm = np.concatenate([[0.0], np.cumsum(np.diff(rates.position) * rates.rate)]) * 100
    rows = [f"{FIRST_POSITION + int(p)}\t{chrom}\t{c:.6f}\n" for p, c in zip(rates.position, cm, strict=True)]
    with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as out:
        out.write(("pos\tchr\tcM\n" + "".join(rows)).encode())


def write_table(path: Path, separator: str, rows: list[list[str]]) -> None:
    """Write rows of cells."""
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)


def write_sheets(folder: Path, panel_names: list[str], target_names: list[str]) -> None:
    """Write the sheets that a run starts from, and the labels of all but a few of the targets."""
    by_chrom = list(LENGTHS)
    write_table(
        folder / "samples.csv",
        ",",
        [["sample", "file"], *(["demo", f"target.{c}.vcf.gz"] for c in by_chrom)],
    )
    write_table(folder / "panel.csv", ",", [["chrom", "file"], *([c, f"panel.{c}.vcf.gz"] for c in by_chrom)])
    write_table(
        folder / "truth.csv",
        ",",
        [["sample", "vcf"], *(["demo", f"truth.{c}.vcf.gz"] for c in by_chrom)],
    )
    labelled = [*panel_names, *target_names[:-UNLABELLED]]
    write_table(
        folder / "labels.tsv",
        "\t",
        [["sample", "population", "superpopulation"], *([n, f"sim{n[:3]}", n[:3]] for n in labelled)],
    )


def main(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(__file__).parent / "demo",
    seed: Annotated[int, typer.Option(help="Seed of everything.")] = 2009,
) -> None:
    """Write the bundled cohort."""
    maps = out / "genetic_map"
    maps.mkdir(parents=True, exist_ok=True)
    panel, target, panel_names, target_names = split_people()
    for chrom, length in LENGTHS.items():
        random = np.random.default_rng(seed + int(chrom))
        rates = recombination(length, random)
        trees = simulate(chrom, rates, seed)
        variants = list(sites(trees, panel, random))
        typed = array_sites(variants, np.concatenate([panel, target]), random)
        missing = random.random((len(typed), len(target_names))) < MISSING
        write_vcf(out / f"panel.{chrom}.vcf.gz", chrom, variants, (panel, panel_names))
        write_vcf(out / f"truth.{chrom}.vcf.gz", chrom, variants, (target, target_names))
        write_vcf(out / f"target.{chrom}.vcf.gz", chrom, typed, (target, target_names), missing)
        write_map(maps / f"chr{chrom}.map.gz", chrom, rates)
        typer.echo(f"chromosome {chrom}: {len(variants)} sites, {len(typed)} on the array")
    write_sheets(out, panel_names, target_names)


if __name__ == "__main__":
    typer.run(main)
