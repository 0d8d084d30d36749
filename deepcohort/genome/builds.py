"""Which human genome build a header's contig lengths belong to."""

from collections.abc import Mapping

from deepcohort.genome.regions import TO_THE_END, chrom_key

_NAMES = (*map(str, range(1, 23)), "X", "Y")
_GRCH37 = (
    *(249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022),
    *(141213431, 135534747, 135006516, 133851895, 115169878, 107349540, 102531392, 90354753),
    *(81195210, 78077248, 59128983, 63025520, 48129895, 51304566, 155270560, 59373566),
)
_GRCH38 = (
    *(248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636),
    *(138394717, 133797422, 135086622, 133275309, 114364328, 107043718, 101991189, 90338345),
    *(83257441, 80373285, 58617616, 64444167, 46709983, 50818468, 156040895, 57227415),
)
BUILDS = {
    "GRCh37": dict(zip(_NAMES, _GRCH37, strict=True)),
    "GRCh38": dict(zip(_NAMES, _GRCH38, strict=True)),
}
"""Lengths in bases of the chromosomes of the two builds in use, by the Genome Reference Consortium."""

PSEUDO_AUTOSOMAL = {
    "GRCh37": ((60_001, 2_699_520), (154_931_044, 155_260_560)),
    "GRCh38": ((10_001, 2_781_479), (155_701_383, 156_030_895)),
}
"""First and last base of PAR1 and PAR2 on X, where men have two copies too (Genome Reference Consortium)."""


def build_of(lengths: Mapping[str, int | None]) -> str | None:
    """Name the build that all chromosomes with a known length agree with; None where none does."""
    known = {chrom_key(contig): length for contig, length in lengths.items() if length is not None}
    for build, expected in BUILDS.items():
        shared = known.keys() & expected.keys()
        if shared and all(known[chrom] == expected[chrom] for chrom in shared):
            return build
    return None


def stretches_of_x(build: str) -> list[tuple[int, int]]:
    """Cut X of a build into PAR1 (from the chromosome's first base), the rest, and PAR2 (to its end)."""
    (_, par1_end), (par2_start, _) = PSEUDO_AUTOSOMAL[build]
    return [(1, par1_end), (par1_end + 1, par2_start - 1), (par2_start, TO_THE_END)]
