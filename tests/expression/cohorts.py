"""Simulated people around one gene, and a model of which all answers are known."""

import numpy as np
import pysam

from deepcohort.expression.genes import Gene
from deepcohort.expression.letters import ONE_HOT
from deepcohort.expression.people import Sequences
from deepcohort.genome.vcf import make_index
from tests.genotypes import write_vcf

OTHER = {"A": "C", "C": "G", "G": "T", "T": "A"}


def cohort(folder, length, places, people, *, indels=(), phased=True, strand="+", seed=1, **options):
    """Sequences of people with SNVs at ``places`` and indels, half deletions, around a gene in the middle."""
    rng = np.random.default_rng(seed)
    reference = "".join(rng.choice(list("ACGT"), length))
    fasta = folder / "r.fa"
    fasta.write_text(f">1\n{reference}\n")
    pysam.faidx(str(fasta))
    rows = []
    for place in sorted([*places, *indels]):
        ref, alt = reference[place], OTHER[reference[place]]
        if place in indels:
            deleted = (reference[place : place + 4], reference[place])
            inserted = (reference[place], reference[place] + OTHER[reference[place]] * 5)
            ref, alt = deleted if len(rows) % 2 else inserted
        pairs = rng.random((people, 2)) < rng.uniform(0.1, 0.6)
        if not phased:
            pairs = np.sort(pairs, axis=1)
        mark = "|" if phased else "/"
        rows.append(("1", place + 1, ref, alt, [f"{int(a)}{mark}{int(b)}" for a, b in pairs]))
    vcf = write_vcf(folder / "v.vcf.gz", rows, [f"p{n}" for n in range(people)], {"1": length})
    make_index(vcf, folder / "v.vcf.gz.tbi")
    tss = length // 2
    return Gene("G", "G", "1", tss, strand, tss, tss + 1), Sequences(fasta, [vcf], "1", **options)


class Additive:
    """Two outputs: sums of a weight for each base of each place, less ``middle``, to a power."""

    name = "additive"
    stranded = True
    additive = False
    tracks = ("one", "two")

    def __init__(self, before, after, seed=3, power=1, middle=0):
        rng = np.random.default_rng(seed)
        self.before, self.after, self.power, self.middle = before, after, power, middle
        self.weights = rng.normal(size=(2, before + 1 + after, 4))

    def predict(self, sequences):
        self.asked = getattr(self, "asked", 0) + len(sequences)
        sums = np.einsum("nlb,tlb->nt", ONE_HOT[sequences], self.weights)
        return (sums.astype(float) - self.middle) ** self.power

    def gradient(self, sequence):
        value = np.einsum("lb,tlb->t", ONE_HOT[sequence], self.weights) - self.middle
        return (self.power * value ** (self.power - 1))[:, None, None] * self.weights
