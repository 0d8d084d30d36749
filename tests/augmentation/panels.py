"""Panels made up for tests: haplotypes that are mosaics of a few founders, other founders in each
population.
"""

import numpy as np

from deepcohort.augmentation.people import People
from tests.genotypes import write_vcf
from tests.population.people import indexed


class Founded:
    """``haplotypes`` int8[2n, S] of n people; each of ``labels`` has founders of its own and shared ones.

    The sites lie on ``chromosomes`` chromosomes from 20 on, as many on each.
    """

    def __init__(
        self,
        people=40,
        sites=200,
        labels=("AAA", "CCC"),
        founders=6,
        seed=1,
        switch=0.03,
        chromosomes=1,
    ):
        rng = np.random.default_rng(seed)
        shared = rng.random((founders, sites)) < rng.uniform(0.1, 0.9, sites)
        self.labels, self.label, rows = list(labels), [], []
        for kind, _ in enumerate(labels):
            own = shared.copy()
            changed = rng.random((founders, sites)) < 0.3
            own[changed] = rng.random(int(changed.sum())) < 0.5
            for _ in range(people):
                self.label.append(kind)
                for _ in range(2):
                    moves = np.flatnonzero(rng.random(sites) < switch)
                    lengths = np.diff([0, *moves, sites])
                    path = np.repeat(rng.integers(0, founders, len(moves) + 1), lengths)
                    rows.append(own[path, np.arange(sites)])
        self.haplotypes = np.array(rows, np.int8)
        self.names = [f"{self.labels[kind]}{number}" for number, kind in enumerate(self.label)]
        each = sites // chromosomes
        self.chrom = [str(20 + site // each) for site in range(sites)]
        self.pos = 1000 + 500 * (np.arange(sites) % each)

    def people(self, phased=True):
        label = np.array(self.label)
        one, other = self.haplotypes[0::2], self.haplotypes[1::2]
        classes = 2 * one + other if phased else one + other
        return People(classes.astype(np.int8), label, self.labels, phased)

    def write(self, folder, phased=True, missing=(), rows=None):
        """panel.vcf.gz and labels.tsv."""
        mark = "|" if phased else "/"
        rows = range(len(self.names)) if rows is None else rows
        records = []
        for site, (chrom, pos) in enumerate(zip(self.chrom, self.pos, strict=True)):
            cells = [f"{self.haplotypes[2 * i, site]}{mark}{self.haplotypes[2 * i + 1, site]}" for i in rows]
            cells = ["./." if (i, site) in missing else cell for i, cell in zip(rows, cells, strict=True)]
            records.append((chrom, int(pos), "A", "G", cells))
        panel = indexed(write_vcf(folder / "panel.vcf.gz", records, [self.names[i] for i in rows]))
        lines = [
            f"{self.names[i]}\t{self.labels[self.label[i]]}\tX{self.labels[self.label[i]]}\n" for i in rows
        ]
        labels = folder / "labels.tsv"
        labels.write_text("sample\tpopulation\tsuperpopulation\n" + "".join(lines))
        return panel, labels
