"""What other callers say of the same person: alleles to look at, and how many copies of each they call."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.errors import InputError
from deepcohort.genome.regions import Region
from deepcohort.genome.vcf import found_index, read_header
from deepcohort.variants.alleles import GenotypeFile
from deepcohort.variants.candidates import LONGEST_SHIFT, Key
from deepcohort.variants.reference import Reference

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class Others:
    """Calls of one person by other callers, by their names.

    weight: log of how much likelier a genotype is that all of them call; of some, in proportion.
    """

    files: Mapping[str, GenotypeFile]
    weight: float = 0.0

    @classmethod
    def opened(cls, given: Mapping[str, Path], sample: str, weight: float = 0.0) -> "Others":
        """Look at headers and indices; raises ``InputError`` where one lacks or has nobody of this name."""
        for name, path in given.items():
            if not name.isidentifier():
                raise InputError(f"--call-with {name}={path.name}: write the name of letters, digits and _")
            if sample not in read_header(path).samples:
                raise InputError(
                    f"{path.name}: has no genotypes of {sample}: rename the person's column "
                    "(bcftools reheader -s), or leave the file out"
                )
            if found_index(path) is None:
                raise InputError(f"{path.name}: there is no index: make one (bcftools index -t)")
        return cls({name: GenotypeFile.opened(path, sample) for name, path in given.items()}, weight)

    def copies(self, reference: Reference, start: int, end: int) -> dict[Key, Int64]:
        """Copies of each allele that somebody calls from ``start`` to ``end`` (0-based, half open).

        int64[C], in the order of ``files``. reference: reaches beyond this by more than an indel can be
        moved.
        """
        around = Region(reference.contig, max(1, start + 1 - LONGEST_SHIFT), end + LONGEST_SHIFT)
        found: dict[Key, Int64] = {}
        for number, file in enumerate(self.files.values()):
            for unit in file.alleles(reference.text, [around], reference.start, margin=0).units:
                pos, ref, alt = unit.key
                plain = len(ref) == len(alt) or (ref[0] == alt[0] and min(len(ref), len(alt)) == 1)
                if plain and start < pos <= end:
                    said = found.setdefault((pos - 1, ref, alt), np.zeros(len(self.files), np.int64))
                    said[number] = min(2, said[number] + unit.copies)
        return found

    def votes(self, copies: Int64) -> Float64 | None:
        """Logs of how much likelier 0, 1 and 2 copies of A alleles are by what is said, float64[A, 3].

        copies: int64[A, C], as by ``copies``. None where it does not count.
        """
        if not self.weight:
            return None
        shares: Float64 = (copies[:, :, None] == np.arange(3)).mean(axis=1)
        return self.weight * shares
