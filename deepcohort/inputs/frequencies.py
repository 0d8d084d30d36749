"""Frequencies of a cohort beside those of the panel: sites that do not fit, and sites seldom called."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcohort.genome.harmonise import COMPLEMENT, Harmonised
from deepcohort.genome.vcf import Sites

OUTLIER = 30.0
"""Corrected chi-square above which frequencies do not fit; by chance at one of 20 million sites."""

FITS = 10.0
"""Corrected chi-square up to which the frequency of an A/T or C/G site fits when it is turned round."""

EXPECTED = 5.0
"""Copies to be expected in each cell of a table for its chi-square to mean something (Cochran 1954)."""

MEDIAN = 0.4549
"""Median of chi-square with one degree of freedom."""

SELDOM_CALLED = 0.1
"""Share of missing genotypes above which a site, or a person, is named."""

CELLS = 50
"""Steps of either frequency in the table of sites by both."""

FREQUENCY, STRAND, MISSING, DUPLICATE = "frequency", "strand", "missing", "duplicate"


@dataclass(frozen=True)
class FlaggedSite:
    """A row of qc.tsv: a target site with the panel's alleles, why it is named, and what was measured.

    ``reason`` is ``frequency``; ``strand``, where the alleles are A/T or C/G and the frequency fits the other
    strand; ``missing``; or ``duplicate``. Frequencies are of the panel's ALT, None where unknown.
    """

    chrom: str
    pos: int
    ref: str
    alt: str
    reason: str
    target_af: float | None
    panel_af: float | None
    chi_square: float | None
    missing: float


@dataclass(frozen=True)
class PanelCounts:
    """Sites of the panel, one per ALT: position, alleles, copies of ALT and alleles in all."""

    pos: NDArray[np.int64]
    ref: list[str]
    alt: list[str]
    copies: NDArray[np.int64]
    called: NDArray[np.int64]


@dataclass(frozen=True)
class SiteQuality:
    """Sites of one chromosome that need a look, numbers of shared sites by both frequencies, and counts.

    ``cells`` are (target_af, panel_af, sites): the middles of cells 1 / ``CELLS`` wide that hold sites.
    """

    flagged: list[FlaggedSite]
    cells: list[tuple[float, float, int]]
    counts: dict[str, int]

    @property
    def outliers(self) -> NDArray[np.int64]:
        """Positions whose frequency does not fit, int64, sorted."""
        return np.unique([site.pos for site in self.flagged if site.reason in (FREQUENCY, STRAND)]).astype(
            np.int64
        )


def chi_square(
    ours: NDArray[np.int64],
    our_total: NDArray[np.int64],
    theirs: NDArray[np.int64],
    their_total: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Pearson's chi-square of tables of two alleles in two files, float64[n].

    NaN where a cell would be expected to hold fewer than ``EXPECTED`` copies.
    """
    total = our_total + their_total
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (ours + theirs) / total
        variance = pooled * (1 - pooled) * (1 / our_total + 1 / their_total)
        value = (ours / our_total - theirs / their_total) ** 2 / variance
        least = np.minimum(pooled, 1 - pooled) * np.minimum(our_total, their_total)
    return np.where(least >= EXPECTED, value, np.nan)


def drift(values: NDArray[np.float64]) -> float:
    """How many times larger the values' median is than chi-square's own; 1 where it is not.

    Two populations differ at every site, in proportion to p (1 - p) like the error of counting, so one factor
    tells how much larger all values are (genomic control: Devlin and Roeder 1999, Biometrics 55:997).
    """
    known = values[np.isfinite(values)]
    return max(1.0, float(np.median(known)) / MEDIAN) if len(known) else 1.0


@dataclass(frozen=True)
class _Shared:
    """Shared sites, [n] each: copies of the panel's ALT and alleles called, in the target and the panel."""

    ours: NDArray[np.int64]
    our_total: NDArray[np.int64]
    theirs: NDArray[np.int64]
    their_total: NDArray[np.int64]

    def chi_square(self, *, turned: bool = False) -> NDArray[np.float64]:
        """Chi-square of each site, as it is or with the target's alleles turned round."""
        ours = self.our_total - self.ours if turned else self.ours
        return chi_square(ours, self.our_total, self.theirs, self.their_total)

    def variance_between(self, factor: float) -> int:
        """Variance of the difference of frequencies by p (1 - p), beyond that of counting, in thousandths."""
        if not len(self.ours):
            return 0
        ours, theirs = float(np.median(self.our_total)), float(np.median(self.their_total))
        return round(1000 * (factor - 1) * (1 / max(ours, 1) + 1 / max(theirs, 1)))

    def cells(self) -> list[tuple[float, float, int]]:
        """Sites by both frequencies, as ``SiteQuality`` holds them."""
        known = (self.our_total > 0) & (self.their_total > 0)
        pairs = ((self.ours, self.our_total), (self.theirs, self.their_total))
        steps = [np.minimum(CELLS * n[known] // total[known], CELLS - 1) for n, total in pairs]
        cells, counts = np.unique(np.stack(steps), axis=1, return_counts=True)
        middles = ((cells + 0.5) / CELLS).T.tolist()
        return [(ours, theirs, n) for (ours, theirs), n in zip(middles, counts.tolist(), strict=True)]


def compare(chrom: str, panel: PanelCounts, target: Sites, matched: Harmonised, people: int) -> SiteQuality:
    """Compare ALT's frequency at shared sites and look for sites that are seldom called or come twice.

    ``people`` is the number of the cohort's people.
    """
    shared = _Shared(
        _copies_of_panel_alt(target, matched),
        target.called[matched.target_index],
        panel.copies[matched.panel_index],
        panel.called[matched.panel_index],
    )
    values = shared.chi_square()
    factor = drift(values)
    outlier = values / factor > OUTLIER
    turned = shared.chi_square(turned=True) / factor <= FITS
    missing = target.missing / max(people, 1)
    seldom = missing[matched.target_index] > SELDOM_CALLED
    flagged = [_duplicate(chrom, target, site, missing) for site in matched.duplicates.tolist()]
    for row in np.flatnonzero(outlier | seldom).tolist():
        site, other = int(matched.target_index[row]), int(matched.panel_index[row])
        ref, alt = panel.ref[other], panel.alt[other]
        strand = STRAND if turned[row] and COMPLEMENT.get(ref.upper()) == alt.upper() else FREQUENCY
        flagged.append(
            FlaggedSite(
                chrom=chrom,
                pos=int(target.pos[site]),
                ref=ref,
                alt=alt,
                reason=strand if outlier[row] else MISSING,
                target_af=_share(shared.ours[row], shared.our_total[row]),
                panel_af=_share(shared.theirs[row], shared.their_total[row]),
                chi_square=float(values[row]) if np.isfinite(values[row]) else None,
                missing=float(missing[site]),
            )
        )
    flagged.sort(key=lambda site: (site.pos, site.ref, site.alt, site.reason))
    counts = {
        "qc_compared": int(np.isfinite(values).sum()),
        "qc_frequency": sum(site.reason == FREQUENCY for site in flagged),
        "qc_strand": sum(site.reason == STRAND for site in flagged),
        "qc_missing": int(seldom.sum()),
        "qc_monomorphic": int(((shared.ours == 0) | (shared.ours == shared.our_total)).sum()),
        "qc_drift_permille": shared.variance_between(factor),
    }
    return SiteQuality(flagged, shared.cells(), counts)


def _copies_of_panel_alt(target: Sites, matched: Harmonised) -> NDArray[np.int64]:
    """Copies of the panel's ALT in the target, int64[shared]; where swapped, they are the target's REF."""
    of_record = np.bincount(target.record, weights=target.copies).astype(np.int64)
    ref_copies = target.called - of_record[target.record] if len(of_record) else target.called
    chosen = matched.target_index
    return np.where(matched.swapped, ref_copies[chosen], target.copies[chosen])


def _duplicate(chrom: str, target: Sites, site: int, missing: NDArray[np.float64]) -> FlaggedSite:
    frequency = _share(target.copies[site], target.called[site])
    ref, alt = target.ref[site], target.alt[site]
    return FlaggedSite(
        chrom, int(target.pos[site]), ref, alt, DUPLICATE, frequency, None, None, float(missing[site])
    )


def _share(copies: np.int64, total: np.int64) -> float | None:
    return float(copies / total) if total else None
