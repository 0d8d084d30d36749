"""People made up for tests: populations that drift apart on two continents, drawn site by site."""

from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.genotypes import write_vcf

HOME = {"AAA": "EAST", "BBB": "EAST", "CCC": "WEST", "DDD": "WEST"}


class Simulated:
    """``copies`` int8[n, S] of people ``names``, each of a population ``label``."""

    def __init__(self, people=20, sites=600, seed=1, home=None, drift=(0.15, 0.04)):
        rng = np.random.default_rng(seed)
        self.home = home or HOME
        root = rng.uniform(0.1, 0.9, sites)
        continents = {name: drifted(root, drift[0], rng) for name in sorted(set(self.home.values()))}
        self.names, self.label, rows = [], [], []
        for population, continent in self.home.items():
            frequency = drifted(continents[continent], drift[1], rng)
            for number in range(people):
                self.names.append(f"{population}{number}")
                self.label.append(population)
                rows.append(rng.binomial(2, frequency))
        self.copies = np.array(rows, np.int8)
        half = sites // 2
        alleles = ("AG", "AC", "TC", "TG")
        places = [(str(1 + i // half), 1000 + 500 * (i % half)) for i in range(sites)]
        self.sites = [(*place, *alleles[i % 4]) for i, place in enumerate(places)]

    def write_vcf(self, path, rows=None, sites=None, turned=(), flipped=(), missing=(), prefix=""):
        """Some people; REF and ALT swapped at ``turned`` sites, the other strand at ``flipped`` ones."""
        rows = range(len(self.names)) if rows is None else rows
        records = []
        for i in range(len(self.sites)) if sites is None else sites:
            chrom, pos, ref, alt = self.sites[i]
            copies = [int(self.copies[row, i]) for row in rows]
            if i in turned:
                ref, alt, copies = alt, ref, [2 - c for c in copies]
            if i in flipped:
                ref, alt = ("TGCA"["ACGT".index(base)] for base in (ref, alt))
            cells = [("0/0", "0/1", "1/1")[c] for c in copies]
            cells = ["./." if (row, i) in missing else cell for row, cell in zip(rows, cells, strict=False)]
            records.append((prefix + chrom, pos, ref, alt, cells))
        path = Path(path)
        write_vcf(path, records, [self.names[row] for row in rows])
        return indexed(path)

    def write_labels(self, path, rows=None):
        rows = range(len(self.names)) if rows is None else rows
        lines = [f"{self.names[r]}\t{self.label[r]}\t{self.home[self.label[r]]}\n" for r in rows]
        Path(path).write_text("sample\tpopulation\tsuperpopulation\n" + "".join(lines))
        return Path(path)


def of_few_founders(rng, people=120, sites=1_500, founders=12):
    """Two populations of the same frequencies whose people are made of few founders' haplotypes each."""
    frequency = rng.uniform(0.1, 0.9, sites)
    copies, label = [], []
    for population in (0, 1):
        haplotypes = rng.random((founders, sites)) < frequency
        for _ in range(people // 2):
            whole = []
            for _ in (0, 1):
                cuts = np.sort(rng.integers(0, sites, 4))
                of = rng.integers(0, founders, 5)
                whole.append(haplotypes[np.repeat(of, np.diff([0, *cuts, sites])), np.arange(sites)])
            copies.append(whole[0].astype(np.int8) + whole[1])
            label.append(population)
    order = rng.permutation(people)
    return np.array(copies, np.int8)[order], np.array(label)[order]


@st.composite
def with_missing(draw, people, most_sites):
    """Any copies int8[people, S], -1 where missing, and the first site of each of some chromosomes."""
    sites = draw(st.integers(1, most_sites))
    copies = draw(arrays.arrays(np.int8, (people, sites), elements=st.integers(-1, 2)))
    return copies, np.unique([0, *draw(st.lists(st.integers(0, sites - 1), max_size=3))])


def information_of(learnt):
    """Of each site: minus the log of the chance that strangers are not homozygous for different alleles."""
    known = learnt >= 0
    share = np.where(known, learnt, 0).sum(axis=0) / np.maximum(2 * known.sum(axis=0), 1)
    return -np.log(1 - np.clip(2 * (share * (1 - share)) ** 2, 1e-4, 0.5))


def alike(one, other, starts):
    """Sites at which two people may share, one by one: they are not homozygous for different alleles.

    A person of whom nothing is known along 64 sites, from the start of a chromosome on, is as both there.
    """
    ends = [*starts[1:], len(one)]
    words = [
        slice(first, min(first + 64, end))
        for start, end in zip(starts, ends, strict=True)
        for first in range(start, end, 64)
    ]
    homozygous = []
    for person in (one, other):
        has = np.stack([person == 0, person == 2])
        for word in words:
            has[:, word] |= (person[word] < 0).all()
        homozygous.append(has)
    return ~((homozygous[0][0] & homozygous[1][1]) | (homozygous[0][1] & homozygous[1][0]))


def drifted(frequency, fst, rng):
    """Frequencies of a population that split off (Balding and Nichols 1995)."""
    scale = (1 - fst) / fst
    return np.clip(rng.beta(frequency * scale, (1 - frequency) * scale), 0.01, 0.99)


def indexed(path):
    import pysam.bcftools

    pysam.bcftools.index("-f", "-t", str(path))
    return path
