"""A cohort in which a motif near the start of genes makes expression, and a variant breaks it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pysam

from deepcohort.genome.vcf import make_index
from tests.expression.cohorts import OTHER
from tests.genotypes import write_vcf

MOTIF = "TGACTCAGCA"
PEOPLE = 90
GENES = {"1": 10, "2": 4}
APART = 1200


def write_planted(
    folder: Path,
    *,
    permuted: bool = False,
    seed: int = 1,
    number: int = PEOPLE,
    by_chrom: Mapping[str, int] = GENES,
) -> None:
    """Write r.fa, v.vcf.gz, genes.bed and e.bed; expression is that of others if ``permuted``.

    A gene's first variant breaks the motif, which lies anywhere in 100 bases around its start; three others
    do nothing. Expression is the number of motifs that are whole, and as much noise again.
    """
    rng = np.random.default_rng(seed)
    people = [f"p{n}" for n in range(number)]
    texts, genes, rows, measured = [], [], [], []
    for chrom, some in by_chrom.items():
        letters = rng.choice(list("ACGT"), APART * (some + 1))
        for n in range(1, some + 1):
            tss = APART * n
            at = tss + int(rng.integers(-100, 90))
            letters[at : at + len(MOTIF)] = list(MOTIF)
            free = [p for p in range(tss - 220, tss + 220, 3) if not at <= p < at + len(MOTIF)]
            places = sorted([at + 4, *rng.choice(free, 3, replace=False).tolist()])
            for place in places:
                alleles = rng.random((number, 2)) < rng.uniform(0.3, 0.6)
                ref = str(letters[place])
                rows.append((chrom, place + 1, ref, OTHER[ref], [f"{int(a)}|{int(b)}" for a, b in alleles]))
                if place == at + 4:
                    y = 2.0 - alleles.sum(axis=1) + rng.normal(0, 0.7, number)
            name = f"G{chrom}{n:02d}"
            genes.append(f"{chrom}\t{tss}\t{tss + 400 + n}\t{name}\t0\t+\n")
            y = rng.permutation(y) if permuted else y
            measured.append(f"{chrom}\t{tss}\t{tss + 1}\t{name}\t" + "\t".join(f"{v:.3f}" for v in y) + "\n")
        texts.append(f">{chrom}\n{''.join(letters)}\n")
    (folder / "r.fa").write_text("".join(texts))
    pysam.faidx(str(folder / "r.fa"))
    lengths = {chrom: APART * (some + 1) for chrom, some in by_chrom.items()}
    write_vcf(folder / "v.vcf.gz", rows, people, lengths)
    make_index(folder / "v.vcf.gz", folder / "v.vcf.gz.tbi")
    (folder / "genes.bed").write_text("".join(genes))
    header = "#chr\tstart\tend\tgene_id\t" + "\t".join(people) + "\n"
    (folder / "e.bed").write_text(header + "".join(measured))
