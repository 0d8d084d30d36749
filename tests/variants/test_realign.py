"""Likelihoods of reads and genotypes, held against plain computations."""

from itertools import combinations_with_replacement, pairwise, product

import numpy as np
import pytest

from deepcohort.variants.active import Span
from deepcohort.variants.candidates import Candidates
from deepcohort.variants.gaps import SHORT_READS, gap_chances
from deepcohort.variants.genotypes import FOLLOWS, MOST, SECOND, diplotypes, genotype_of
from deepcohort.variants.haplotypes import (
    MOST_HAPLOTYPES,
    NOT_SEEN,
    Edit,
    Haplotypes,
    conflicts,
    haplotypes_of,
    in_conflict,
    shown_by_cigar,
)
from deepcohort.variants.priors import BY_UNITS, FEWER, INDEL, SHARE, allele_chances
from deepcohort.variants.reads import CODES, Reads
from deepcohort.variants.realign import (
    EXTEND,
    LONGEST_CLIP,
    likelihoods,
    pieces,
    reads_in,
)
from deepcohort.variants.reference import Reference
from deepcohort.variants.windows import Window


def codes(text):
    return CODES[np.frombuffer(text.encode(), np.uint8)]


GAPS = SHORT_READS * np.array([1.0, 3.0])[:, None, None]
"""Deletions are likelier than insertions, so that the two are told apart."""

OPERATIONS = {"M": 0, "I": 1, "D": 2, "N": 3, "S": 4}


def made_reads(rows):
    """rows: (start, [(operation, length)], bases, quality)."""
    ops = [OPERATIONS[op] for _, cigar, *_ in rows for op, _ in cigar]
    lengths = [length for _, cigar, *_ in rows for _, length in cigar]
    ends = [start + sum(n for op, n in cigar if op in "MDN") for start, cigar, *_ in rows]
    n = len(rows)
    return Reads(
        bases=np.concatenate([codes(row[2]) for row in rows]),
        quality=np.concatenate([np.full(len(row[2]), row[3], np.uint8) for row in rows]),
        base_start=np.cumsum([0, *(len(row[2]) for row in rows)]),
        ops=np.array(ops, np.uint8),
        lengths=np.array(lengths, np.int32),
        op_start=np.cumsum([0, *(len(row[1]) for row in rows)]),
        start=np.array([row[0] for row in rows], np.int64),
        end=np.array(ends, np.int64),
        mapq=np.full(n, 60, np.uint8),
        mate_mapq=np.full(n, 60, np.uint8),
        reverse=np.zeros(n, bool),
        insert_size=np.zeros(n, np.int32),
        fragment=np.arange(n),
        gaps=GAPS,
    )


def one_haplotype(text, start=0):
    none = np.zeros(1, np.int64)
    where = np.array([0, len(text)])
    return Haplotypes(
        start, start + len(text), codes(text), np.arange(len(text)), where, np.zeros((1, 0), bool), none, none
    )


def plain_likelihood(read, quality, haplotype):
    """Sum over all alignments, memoised by states."""
    insertions, deletions = gap_chances(codes(haplotype), GAPS)
    error = 10 ** (-quality / 10)
    match, insertion, deletion = ({(0, j): value for j in range(len(haplotype) + 1)} for value in (1.0, 0, 0))
    for i, base in enumerate(read, 1):
        for j in range(len(haplotype) + 1):
            same = j > 0 and haplotype[j - 1] == base
            stay = 1 - insertions[j - 1] - deletions[j - 1]
            before = (i - 1, j - 1)
            match[i, j] = deletion[i, j] = 0.0
            if j > 0:
                match[i, j] = (1 - error if same else error / 3) * (
                    match[before] * stay + (insertion[before] + deletion[before]) * (1 - EXTEND)
                )
                deletion[i, j] = match[i, j - 1] * deletions[j - 1] + deletion[i, j - 1] * EXTEND
            opened = insertions[min(j, len(haplotype) - 1)]
            insertion[i, j] = (1 if same else 0.25) * (
                match[i - 1, j] * opened + insertion[i - 1, j] * EXTEND
            )
    return sum(match[len(read), j] + insertion[len(read), j] for j in range(len(haplotype) + 1))


@pytest.mark.parametrize(
    ("read", "haplotype"),
    [("ACGTA", "ACGTA"), ("AGTAA", "ACGTAA"), ("ACCGT", "ACGTT"), ("AAAAAT", "CAAAAAAAT"), ("ANG", "ACG")],
)
def test_likelihoods_sum_over_all_alignments(read, haplotype):
    """Reads so short that no alignment is further away than is looked at."""
    reads = made_reads([(0, [("M", len(read))], read, 20)])
    found, parts = likelihoods(reads, np.array([0]), one_haplotype(haplotype))
    expected = plain_likelihood(read, 20, haplotype)
    if "N" in read:
        assert np.exp(found[0, 0]) == pytest.approx(expected * 0.25 / (0.01 / 3), rel=0.05)
    else:
        assert np.exp(found[0, 0]) == pytest.approx(expected, rel=1e-9)
    assert parts.tolist() == [[0, len(read)]]


def test_pieces_are_cut_at_the_stretch():
    bases = "ACGTACGTACGTACGTACGT"
    reads = made_reads(
        [
            (100, [("M", 20)], bases, 30),
            (90, [("M", 8), ("D", 4), ("M", 12)], bases, 30),
            (108, [("S", 5), ("M", 15)], bases, 30),
            (95, [("M", 10), ("I", 3), ("M", 7)], bases, 30),
            (80, [("M", 15), ("S", 5)], bases, 30),
            (99, [("M", 3), ("N", 500), ("M", 17)], bases, 30),
            (92, [("M", 8), ("S", 12)], bases, 30),
        ]
    )
    parts = pieces(reads, np.arange(7), 105, 112)
    parts[:, :2] -= np.where(parts[:, 1] > 0, reads.base_start[:-1], 0)[:, None]
    assert parts.tolist() == [
        [5, 12, 0, 0],
        [11, 18, 0, 0],
        [2, 9, 0, 0],
        [13, 20, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [13, 20, 0, 0],
    ]
    assert reads_in(reads, 105, 112).tolist() == [0, 1, 2, 3, 5, 6]
    assert LONGEST_CLIP >= 50


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((10, 1, "C"), (10, 1, "G"), True),
        ((10, 1, "C"), (11, 1, "G"), False),
        ((10, 0, "CC"), (10, 1, "G"), False),
        ((10, 0, "CC"), (10, 0, "C"), True),
        ((10, 0, "CC"), (10, 2, ""), True),
        ((11, 0, "CC"), (10, 2, ""), True),
        ((12, 0, "CC"), (10, 2, ""), False),
        ((10, 3, ""), (12, 1, "G"), True),
        ((10, 3, ""), (13, 1, "G"), False),
        ((10, 3, ""), (10, 1, "G"), True),
        ((10, 3, ""), (12, 3, ""), True),
    ],
)
def test_edits_that_cannot_be_on_one_haplotype(one, other, expected):
    first, second = (Edit(at, gone, codes(new)) for at, gone, new in (one, other))
    assert in_conflict(first, second) == in_conflict(second, first) == expected


def candidates_at(rows):
    n = len(rows)
    zeros, floats = np.zeros(n, np.int64), np.zeros(n)
    pos = np.array([row[0] for row in rows], np.int64)
    readers = [np.array(row[3] if len(row) > 3 else [], np.int64) for row in rows]
    refs, alts = [row[1] for row in rows], [row[2] for row in rows]
    return Candidates(pos, refs, alts, zeros, zeros, zeros, floats, floats, readers)


def spelled(haplotypes):
    where = haplotypes.where
    texts = ["".join("ACGTN"[c] for c in haplotypes.bases[a:b]) for a, b in pairwise(where)]
    return dict(zip(texts, haplotypes.carries.tolist(), strict=True))


def test_all_combinations_of_few_candidates():
    reference = Reference.of("20", 100, "TTACGGATCCTA")
    found = candidates_at([(102, "A", "C"), (104, "GG", "G"), (105, "G", "T")])
    span = Span(102, 106, 0, 3)
    none = np.full((1, 3), NOT_SEEN, np.int8)
    made = spelled(haplotypes_of(found, span, reference, none, conflicts(found, span)))
    assert made == {
        "TTACGGATCCTA": [False, False, False],
        "TTCCGGATCCTA": [True, False, False],
        "TTACGATCCTA": [False, True, False],
        "TTCCGATCCTA": [True, True, False],
        "TTACGTATCCTA": [False, False, True],
        "TTCCGTATCCTA": [True, False, True],
    }


def test_of_many_combinations_those_that_reads_show_are_kept():
    reference = Reference.of("20", 0, "A" * 60)
    found = candidates_at([(pos, "A", "C") for pos in range(10, 50, 5)])
    truly = np.array([1, 0, 0, 1, 1, 0, 1, 1], np.int8)
    shown = np.tile(np.stack([truly, 1 - truly]), (20, 1))
    shown[::3, :4] = NOT_SEEN
    made = haplotypes_of(found, Span(10, 46, 0, 8), reference, shown, np.zeros((8, 8), bool))
    assert len(made.carries) == MOST_HAPLOTYPES
    assert not made.carries[0].any()
    assert truly.tolist() in made.carries.astype(int).tolist()
    assert (1 - truly).tolist() in made.carries.astype(int).tolist()


def test_what_reads_show_by_their_cigar():
    reads = made_reads(
        [
            (0, [("M", 10)], "ACGTACGTAC", 30),
            (0, [("M", 4), ("D", 2), ("M", 6)], "ACGTGTACAC", 30),
            (5, [("M", 10)], "CGTACGTACG", 5),
        ]
    )
    found = candidates_at([(3, "TAC", "T", [1]), (5, "C", "G"), (8, "A", "T")])
    assert shown_by_cigar(reads, np.arange(3), found, Span(3, 9, 0, 3)).tolist() == [
        [0, 0, 0],
        [1, 0, 1 if reads.bases[16] == 3 else 0],
        [NOT_SEEN, NOT_SEEN, NOT_SEEN],
    ]


def made_window(carries, logs, excluded=None):
    n = np.array(carries).shape[1]
    none = np.zeros(len(carries), np.int64)
    haplotypes = Haplotypes(0, 1, np.zeros(0, np.uint8), none[:0], none, np.array(carries, bool), none, none)
    if excluded is None:
        excluded = ~np.eye(n, dtype=bool)
    rows = np.arange(len(logs))
    parts = np.zeros((len(logs), 2), np.int64)
    return Window(Span(0, 1, 0, n), haplotypes, excluded, rows, parts, np.array(logs, float))


SNP = 1e-3


def weighed_by(window, fragment, chance=SNP, apart=100, ploidy=2):
    n = len(window.excluded)
    return diplotypes(window, np.array(fragment), np.full(n, chance), np.arange(n) * apart, ploidy)


def plain_genotypes(logs, priors):
    """Posterior of each pair of alleles, by sums of products."""
    found = {}
    for pair in combinations_with_replacement(range(logs.shape[1]), 2):
        likelihood = np.prod(0.5 * np.exp(logs[:, pair[0]]) + 0.5 * np.exp(logs[:, pair[1]]))
        found[pair] = likelihood, likelihood * priors[pair]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_genotypes_of_one_site_are_bayes_rule(seed):
    """One, or two alternative alleles, single bases."""
    rng = np.random.default_rng(seed)
    n = 1 + seed % 2
    logs = np.log(rng.choice([0.99, 0.02], (6, n + 1)))
    carries = np.eye(n + 1, dtype=bool)[:, 1:]
    window = made_window(carries, logs)
    found = genotype_of(weighed_by(window, np.arange(6), apart=0), window, list(range(n)))
    priors = {(0, 0): 1.0, (0, 1): SNP, (0, 2): SNP, (1, 1): SNP / 2, (2, 2): SNP / 2, (1, 2): SNP * SECOND}
    plain = plain_genotypes(logs, priors)
    total = sum(chance for _, chance in plain.values())
    best = max(plain, key=lambda pair: plain[pair][1])
    assert found.qual == pytest.approx(-10 * np.log10(plain[0, 0][1] / total), abs=1e-6)
    assert found.gq == min(MOST, round(-10 * np.log10(1 - plain[best][1] / total)))
    named = tuple(0 if a == 0 else found.kept.index(a - 1) + 1 for a in best)
    assert found.alleles == named
    kept = [0, *(a + 1 for a in found.kept)]
    pairs = [(kept[i], kept[j]) for j in range(len(kept)) for i in range(j + 1)]
    likelihood = np.array([plain[pair][0] for pair in pairs])
    assert found.pl.tolist() == np.rint(-10 * np.log10(likelihood / likelihood.max())).astype(int).tolist()


def test_haploid_genotypes_have_one_allele_each():
    logs = np.log([[0.1, 0.9], [0.2, 0.8], [0.1, 0.9], [0.001, 0.9]])
    window = made_window([[False], [True]], logs)
    found = genotype_of(weighed_by(window, np.arange(4), 2e-4, ploidy=1), window, [0], 1)
    odds = np.exp(logs[:, 1].sum() - logs[:, 0].sum())
    assert found.alleles == (1,)
    assert found.pl.tolist() == [round(10 * np.log10(odds)), 0]
    assert found.qual == pytest.approx(10 * np.log10(1 + odds * 2e-4), abs=1e-6)


def test_mates_are_of_one_haplotype():
    """Two fragments, each of one mate that tells nothing and one that does, weigh as two reads."""
    told = np.log([[0.9, 0.01], [0.01, 0.9]])
    silent = np.log([[0.5, 0.5], [0.5, 0.5]])
    carries = [[False], [True]]
    alone = weighed_by(made_window(carries, told), [0, 1])
    paired = weighed_by(made_window(carries, np.concatenate([told, silent])), [0, 1, 0, 1])
    assert paired.logs == pytest.approx(alone.logs + 2 * np.log(0.5))


@pytest.mark.parametrize("apart", [5, 100])
def test_neighbouring_sites_share_reads_but_not_alleles(apart):
    """Two sites, four haplotypes: what one site says is summed over the other, close by or not."""
    rng = np.random.default_rng(0)
    carries = [list(pair) for pair in product([False, True], repeat=2)]
    logs = np.log(rng.choice([0.99, 0.05], (5, 4)))
    window = made_window(carries, logs, np.zeros((2, 2), bool))
    found = genotype_of(weighed_by(window, np.arange(5), apart=apart), window, [0])
    chance, weight = np.zeros(3), np.zeros(3)
    theta = np.array([1.0, SNP, SNP / 2])
    for one, other in combinations_with_replacement(range(4), 2):
        here, there = np.array([carries[one], carries[other]]).T
        likelihood = np.prod(0.5 * np.exp(logs[:, one]) + 0.5 * np.exp(logs[:, other]))
        elsewhere = theta[there.sum()]
        if apart == 5 and there.any() and (here == there).all():
            elsewhere *= FOLLOWS / SNP
        chance[here.sum()] += likelihood * elsewhere
        weight[here.sum()] += elsewhere
    posterior = chance / weight * theta
    assert found.qual == pytest.approx(-10 * np.log10(posterior[0] / posterior.sum()), abs=1e-6)


def test_priors_grow_with_the_repeat():
    reference = Reference.of("20", 0, "GTC" + "A" * 10 + "GTCACACACACACAGGTTTGACGTCCGGA")
    rows = [
        (1, "T", "C"),
        (1, "T", "G"),
        (2, "CA", "C"),
        (2, "C", "CAA"),
        (2, "C", "CG"),
        (14, "TCA", "T"),
        (26, "A", "AGATTACA"),
    ]
    chances = allele_chances(candidates_at(rows), reference)
    assert chances[0] > 3 * chances[1]
    assert chances[2] == pytest.approx(BY_UNITS[10] * SHARE)
    assert chances[3] == pytest.approx(BY_UNITS[10] * SHARE * FEWER)
    assert chances[5] == pytest.approx(BY_UNITS[6 + 2] * SHARE)
    assert (chances[[4, 6]] == INDEL).all()
