"""Data sets of the imputation benchmark: a panel, held-out people at array density, and their truth."""

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import msprime
import numpy as np
from numpy.typing import NDArray

from benchmarks import genotypes
from benchmarks.genotypes import Genotypes

TYPED_EVERY = 3_000
"""Bases for each typed site: about the density of a genome-wide array."""
SPARSELY_TYPED_EVERY = 12_000
"""The same in a sparse design, a quarter of the dense one."""
THINNED_TYPED_EVERY = 20_000
"""The same where the panel's own sites are thinned."""
THINNED_DENSELY_TYPED_EVERY = 13_000
"""The same again, a third denser."""
TYPED_MAF = 0.05
"""Typed sites are more common than this in the panel, as those of arrays are."""


class Dataset(StrEnum):
    """The real data sets; README.md of the data folder says where they come from."""

    chr15 = "chr15"
    par1 = "par1"
    chr20 = "chr20"
    chr20_drawn = "chr20-drawn"
    chr22 = "chr22"
    chr15_sparse = "chr15-sparse"
    par1_sparse = "par1-sparse"
    chr20_sparse = "chr20-sparse"
    chr20_drawn_sparse = "chr20-drawn-sparse"
    chr22_sparse = "chr22-sparse"
    chr22_whole = "chr22-whole"
    chr22_whole_dense = "chr22-whole-dense"


PEOPLE = {
    Dataset.chr15: "imputation/chr15.MEGF11.2504.phased.bcf",
    Dataset.par1: "imputation/PAR1.1000G_phase1.1092.phased.bcf",
    Dataset.chr22: "imputation/1000GP.chr22.noNA12878.s.bcf",
    Dataset.chr22_whole: "imputation/1KG_phase1_chr22.1092.19773.phased.bcf",
}
"""Files of sets that come in one file."""

EUROPEANS = "expression/1000g_eur_chr20_shapeit4"


def data_folder() -> Path:
    """Folder of the real data: DEEPCOHORT_DATA, else ``../shared/data`` beside the repository."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    return Path(os.environ.get("DEEPCOHORT_DATA", beside))


def everyone_of(dataset: Dataset) -> Genotypes:
    """Read all people of a data set, at the sites that all its files share."""
    if dataset in (Dataset.chr20, Dataset.chr20_drawn):
        one, other = _europeans()
        place = {site: i for i, site in enumerate(zip(other.pos, other.ref, other.alt, strict=True))}
        sites = zip(one.pos, one.ref, one.alt, strict=True)
        pairs = np.array([(i, place[site]) for i, site in enumerate(sites) if site in place])
        one, other = one.sites(pairs[:, 0]), other.sites(pairs[:, 1])
        haplotypes = np.concatenate([one.haplotypes, other.haplotypes], axis=1)
        samples = np.concatenate([one.samples, other.samples])
        return replace(one, samples=samples, haplotypes=haplotypes)
    everyone = genotypes.read(data_folder() / PEOPLE[dataset])
    if dataset is not Dataset.chr22:
        return everyone
    # Who is not in the chr15 file is a relative of others.
    founders = genotypes.read_samples(data_folder() / PEOPLE[Dataset.chr15])
    return everyone.people(np.flatnonzero(np.isin(everyone.samples, founders)))


def _europeans() -> tuple[Genotypes, Genotypes]:
    """300 and 202 people of chr20; NA12878 is left out: she alone is not phased in the source."""
    folder = data_folder() / EUROPEANS
    panel, others = genotypes.read(folder / "reference.vcf.gz"), genotypes.read(folder / "unphased.vcf.gz")
    return panel, others.people(np.flatnonzero(others.samples != "NA12878"))


def prepare(dataset: Dataset, seed: int, out: Path) -> None:
    """Write panel, targets, truth and the peers' genetic map of ``dataset`` under ``out``.

    Args:
        dataset: which data.
        seed: draws the held-out people and the typed sites.
        out: folder for ``panel.vcf.gz``, ``target.vcf.gz`` (phased), ``target.unphased.vcf.gz``,
            ``truth.vcf.gz``, ``map.plink`` (where there is a map) and ``dataset.json``.
    """
    if (out / "dataset.json").exists():
        return
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    make: dict[Dataset, Callable[[np.random.Generator, Path], tuple[Genotypes, Genotypes, NDArray[np.int64]]]]
    make = {Dataset.chr15: _chr15, Dataset.par1: _par1, Dataset.chr20: _chr20, Dataset.chr22: _chr22}
    make |= {Dataset.chr20_drawn: _chr20_drawn, Dataset.chr22_whole: _chr22_whole}
    whole = Dataset(dataset.value.removesuffix("-sparse").removesuffix("-dense"))
    panel, truth, typed = make[whole](rng, out)
    if whole in (Dataset.chr20, Dataset.chr20_drawn) and dataset is not whole:
        typed = typed[:: SPARSELY_TYPED_EVERY // TYPED_EVERY]
    elif dataset is Dataset.chr22_whole_dense:
        typed = typed_sites(panel, rng, THINNED_DENSELY_TYPED_EVERY)
    elif dataset is not whole:
        typed = typed_sites(panel, rng, SPARSELY_TYPED_EVERY)
    _write(out, panel, truth, typed, dataset.value, seed)


def _write(
    out: Path, panel: Genotypes, truth: Genotypes, typed: NDArray[np.int64], name: str, seed: int
) -> None:
    genotypes.write(out / "panel.vcf.gz", panel)
    genotypes.write(out / "truth.vcf.gz", truth)
    genotypes.write(out / "target.vcf.gz", truth.sites(typed))
    genotypes.write(out / "target.unphased.vcf.gz", truth.sites(typed), phased=False)
    facts = {
        "dataset": name,
        "seed": seed,
        "contig": panel.contig,
        "panel_people": int(panel.samples.size),
        "target_people": int(truth.samples.size),
        "panel_sites": int(panel.pos.size),
        "typed_sites": int(typed.size),
        "map": (out / "map.plink").exists(),
    }
    (out / "dataset.json").write_text(json.dumps(facts, indent=2) + "\n")


def hold_out(everyone: Genotypes, number: int, rng: np.random.Generator) -> tuple[Genotypes, Genotypes]:
    """Split people at random into a panel and ``number`` targets, both in the order of the file."""
    order = rng.permutation(everyone.samples.size)
    return everyone.people(np.sort(order[number:])), everyone.people(np.sort(order[:number]))


def _carried(panel: Genotypes, truth: Genotypes) -> tuple[Genotypes, Genotypes]:
    """Both at the sites that vary in the panel: others are not in a real panel either."""
    alleles = panel.haplotypes
    seen = np.flatnonzero((alleles > 0).any(axis=(1, 2)) & (alleles == 0).any(axis=(1, 2)))
    return panel.sites(seen), truth.sites(seen)


def typed_sites(panel: Genotypes, rng: np.random.Generator, every: int = TYPED_EVERY) -> NDArray[np.int64]:
    """Draw one biallelic SNP of panel MAF > 5 % in every ``every`` bases that have one; ``[typed]``."""
    frequency = panel.alt_frequency()
    maf = np.minimum(frequency, 1 - frequency)
    fit = np.flatnonzero(panel.biallelic_snps() & (maf > TYPED_MAF))
    fit = rng.permutation(fit)
    _, first = np.unique(panel.pos[fit] // every, return_index=True)
    return np.sort(fit[first])


def write_plink_map(out: Path, contig: str, pos: NDArray[np.int64], centimorgan: NDArray[np.float64]) -> None:
    """Write ``map.plink``: contig, a dot, cM, position, as Beagle and minimac4 read it."""
    lines = [f"{contig}\t.\t{c:.6f}\t{p}" for p, c in zip(pos, centimorgan, strict=True)]
    (out / "map.plink").write_text("\n".join(lines) + "\n")


def _chr22_whole(rng: np.random.Generator, out: Path) -> tuple[Genotypes, Genotypes, NDArray[np.int64]]:
    """A whole chromosome whose sites are thinned, as sparsely typed in proportion."""
    folder = data_folder() / "imputation"
    panel, truth = hold_out(everyone_of(Dataset.chr22_whole), 100, rng)
    _convert_map(folder / "chr22.b37.gmap.gz", out, panel)
    return panel, truth, typed_sites(panel, rng, THINNED_TYPED_EVERY)


def _convert_map(source: Path, out: Path, panel: Genotypes) -> None:
    """Write the rows of a ``pos chr cM`` map around the panel's region as a PLINK map."""
    with gzip.open(source, "rt") as file:
        rows = [line.split() for line in file][1:]
    pos = np.array([int(row[0]) for row in rows])
    centimorgan = np.array([float(row[2]) for row in rows])
    first = max(int(np.searchsorted(pos, panel.pos[0])) - 1, 0)
    last = int(np.searchsorted(pos, panel.pos[-1], side="right")) + 1
    write_plink_map(out, panel.contig, pos[first:last], centimorgan[first:last])


def _chr15(rng: np.random.Generator, out: Path) -> tuple[Genotypes, Genotypes, NDArray[np.int64]]:
    folder = data_folder() / "imputation"
    panel, truth = hold_out(everyone_of(Dataset.chr15), 150, rng)
    _convert_map(folder / "chr15.b37.gmap.gz", out, panel)
    return panel, truth, typed_sites(panel, rng)


def _par1(rng: np.random.Generator, out: Path) -> tuple[Genotypes, Genotypes, NDArray[np.int64]]:
    folder = data_folder() / "imputation"
    panel, truth = hold_out(everyone_of(Dataset.par1), 100, rng)
    _convert_map(folder / "chrX_par1.b37.gmap.gz", out, panel)
    return panel, truth, typed_sites(panel, rng)


def _chr20(rng: np.random.Generator, out: Path) -> tuple[Genotypes, Genotypes, NDArray[np.int64]]:
    """300 Europeans as panel, 202 others as targets, typed at the sites of a real array.

    The map is INFO/CM of the panel. The split is the source's, so the seed changes nothing: the panel is of
    Spain, Finland and Britain, the targets are of Italy and Utah.
    """
    panel, truth = _europeans()
    _write_carried_map(out, panel)
    return panel, truth, _array_sites(truth)


def _chr20_drawn(rng: np.random.Generator, out: Path) -> tuple[Genotypes, Genotypes, NDArray[np.int64]]:
    """The same people, 202 of them drawn as targets, at the sites that both files have."""
    panel, truth = hold_out(everyone_of(Dataset.chr20), 202, rng)
    panel, truth = _carried(panel, truth)
    _write_carried_map(out, panel)
    return panel, truth, _array_sites(truth)


def _array_sites(people: Genotypes) -> NDArray[np.int64]:
    known = {site: i for i, site in enumerate(zip(people.pos, people.ref, people.alt, strict=True))}
    array = genotypes.read_sites(data_folder() / EUROPEANS / "scaffold.vcf.gz")
    return np.array(sorted(known[site] for site in array if site in known))


def _write_carried_map(out: Path, panel: Genotypes) -> None:
    """The map that the source's panel carries."""
    source = data_folder() / EUROPEANS / "reference.vcf.gz"
    pos, first = np.unique([pos for pos, _, _ in genotypes.read_sites(source)], return_index=True)
    centimorgan = genotypes.read_info(source, "CM")
    write_plink_map(out, panel.contig, pos, np.maximum.accumulate(centimorgan[first]))


def _chr22(rng: np.random.Generator, out: Path) -> tuple[Genotypes, Genotypes, NDArray[np.int64]]:
    """High-coverage calls."""
    panel, truth = hold_out(everyone_of(Dataset.chr22), 150, rng)
    return panel, truth, typed_sites(panel, rng)


def simulate_speed(out: Path, bases: int, panel_people: int, target_people: int, seed: int) -> None:
    """Simulate the data of the speed benchmark under ``out``, as ``prepare`` writes real data."""
    if (out / "dataset.json").exists():
        return
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    everyone = simulated(bases, panel_people + target_people, seed)
    panel, truth = hold_out(everyone, target_people, rng)
    panel, truth = _carried(panel, truth)
    write_plink_map(out, "20", np.array([1, bases]), np.array([0.0, bases / 1e6]))
    _write(out, panel, truth, typed_sites(panel, rng), "speed", seed)


def simulated(bases: int, number: int, seed: int) -> Genotypes:
    """Simulate people of three continents: coalescent (msprime) of the out-of-Africa history.

    Parameters of Gutenkunst et al. 2009, 1e-8 recombinations and 1.25e-8 mutations a base and generation.
    """
    share = {"AFR": number // 3, "EUR": number // 3, "EAS": number - 2 * (number // 3)}
    ancestry = msprime.sim_ancestry(
        samples=share,
        demography=out_of_africa(),
        sequence_length=bases,
        recombination_rate=1e-8,
        random_seed=seed,
    )
    trees = msprime.sim_mutations(
        ancestry, rate=1.25e-8, random_seed=seed, model=msprime.BinaryMutationModel()
    )
    once = [site.id for site in trees.sites() if len(site.mutations) == 1]
    matrix = trees.genotype_matrix()[once].astype(np.int8).reshape(len(once), number, 2)
    pos = trees.tables.sites.position[once].astype(np.int64) + 1
    names = np.array([f"S{i:05d}" for i in range(number)])
    count = len(once)
    return Genotypes("20", names, pos, [f"s{p}" for p in pos], ["A"] * count, ["C"] * count, matrix)


def out_of_africa() -> msprime.Demography:
    """Three populations out of Africa (Gutenkunst et al. 2009, table 1), 25 years a generation."""
    generation = 25
    split_asia, split_europe, growth_africa = 21_200 / generation, 140_000 / generation, 220_000 / generation
    demography = msprime.Demography()
    demography.add_population(name="AFR", initial_size=12_300)
    demography.add_population(name="EUR", initial_size=1_000 * np.exp(0.004 * split_asia), growth_rate=0.004)
    demography.add_population(name="EAS", initial_size=510 * np.exp(0.0055 * split_asia), growth_rate=0.0055)
    demography.add_population(name="OOA", initial_size=2_100)
    demography.add_population(name="AMH", initial_size=12_300)
    demography.add_population(name="ANC", initial_size=7_300)
    demography.set_symmetric_migration_rate(["AFR", "EUR"], 3e-5)
    demography.set_symmetric_migration_rate(["AFR", "EAS"], 1.9e-5)
    demography.set_symmetric_migration_rate(["EUR", "EAS"], 9.6e-5)
    demography.add_population_split(time=split_asia, derived=["EUR", "EAS"], ancestral="OOA")
    demography.add_symmetric_migration_rate_change(time=split_asia, populations=["AFR", "OOA"], rate=25e-5)
    demography.add_population_split(time=split_europe, derived=["AFR", "OOA"], ancestral="AMH")
    demography.add_population_split(time=growth_africa, derived=["AMH"], ancestral="ANC")
    return demography
