"""Called variants: what each person has, and how right it is where the truth is known."""

from collections import Counter
from pathlib import Path
from typing import Any

from deepcohort.report.accuracy import Cells, number
from deepcohort.report.rows import Row, read_kinds, read_rows
from deepcohort.report.sections import PALETTE, Line, Section, lines

COUNTED = {"sample", "what", "bin", "count"}
JUDGED = {
    "evaluation": {
        "name",
        "stratum",
        "type",
        "truth",
        "calls",
        "precision",
        "recall",
        "f1",
        "f1_low",
        "f1_high",
    },
    "concordance": {
        *(
            "name",
            "other",
            "type",
            "truth",
            "shared",
            "genotype_differs",
            "alone",
            "other_alone",
            "concordance",
        ),
    },
    "mendelian": {"child", "father", "mother", "type", "records", "errors", "error_rate", "incomplete"},
}
"""Tables of calls that were judged by their names, with columns they must have."""

KINDS_OF_VARIANTS = {"snp": "SNPs", "indel": "indels"}

PLOTTED = {"depth": "Depth", "gq": "Genotype quality"}
"""Distributions that are drawn, and their tabs."""

Person = dict[str, Counter[str]]
Judged = dict[str, list[Row]]


def read_counts(paths: list[Path]) -> dict[str, Person]:
    """Counts of each person by what and bin; raises ``InputError`` for other tables."""
    people: dict[str, Person] = {}
    for row in read_rows(paths, COUNTED, "join-calls"):
        people.setdefault(row["sample"], {}).setdefault(row["what"], Counter())[row["bin"]] = int(
            row["count"]
        )
    return people


def read_judged(paths: list[Path]) -> Judged:
    """Figures of SNPs and indels over everything, by kind of table; raises ``InputError`` for others."""
    found = read_kinds(paths, JUDGED, "judged calls", "combine-evaluations' or 'mendelian")
    return {
        kind: [row for row in rows if row["type"] in KINDS_OF_VARIANTS and row.get("stratum", "all") == "all"]
        for kind, rows in found.items()
    }


def facts(people: dict[str, Person]) -> list[str]:
    """What was done, in words."""
    if not people:
        return []
    called = _with(people, "filter")
    variants = sum(sum(person.get("type", Counter()).values()) for person in called.values())
    sentences = []
    if called:
        sentences.append(
            f"Variants of {_who(called)} were called from reads: {variants:,} that pass all filters."
        )
    if together := _with(people, "cohort"):
        sites = max(_sites(person) for person in together.values())
        sentences.append(f"{_who(together).capitalize()} got genotypes at {sites:,} sites of the cohort.")
    return sentences


def _with(people: dict[str, Person], what: str) -> dict[str, Person]:
    return {name: person for name, person in people.items() if what in person}


def _who(people: dict[str, Person]) -> str:
    return "one person" if len(people) == 1 else f"{len(people)} people"


def _sites(person: Person) -> int:
    return sum(person["cohort"][kind] for kind in ("reference", "variant", "missing"))


def sections(people: dict[str, Person], judged: Judged) -> list[Section]:
    """Tables of the people, distributions of depth and quality, and how right calls are: by the truth, beside
    other callers, and in trios.
    """
    called, together = _with(people, "filter"), _with(people, "cohort")
    return [
        *([_people(called), _distributions(called)] if called else []),
        *([_cohort(together)] if together else []),
        *([_figures(judged["evaluation"])] if judged["evaluation"] else []),
        *([_beside(judged["concordance"])] if judged["concordance"] else []),
        *([_trios(judged["mendelian"])] if judged["mendelian"] else []),
    ]


def _people(people: dict[str, Person]) -> Section:
    headers = {
        "snps": {"title": "SNPs", "format": "{:,.0f}"},
        "insertions": {"title": "Insertions", "format": "{:,.0f}"},
        "deletions": {"title": "Deletions", "format": "{:,.0f}"},
        "titv": {"title": "Ti/Tv", "description": "Transitions for each transversion", "format": "{:.2f}"},
        "hethom": {"title": "Het/hom", "description": "Heterozygous for each homozygous", "format": "{:.2f}"},
        "depth": {"title": "Depth", "description": "Median reads at variants", "format": "{:,.0f}"},
        "low": {"title": "Low", "description": "Variants that a filter refused", "format": "{:,.0f}"},
    }
    data = {name: _row(person) for name, person in sorted(people.items())}
    about = (
        "Variants that pass all filters. In a genome the ratio of transitions to transversions is about 2, "
        "and that of heterozygous to homozygous sites 1.5 to 2; people far from the others deserve a look."
    )
    return Section("called_variants", "calls", "Called variants", about, "table", data, headers=headers)


def _cohort(people: dict[str, Person]) -> Section:
    headers = {
        "variant": {"title": "Variants", "description": "Genotypes with an ALT", "format": "{:,.0f}"},
        "alone": {"title": "Alone", "description": "Variants that nobody else has", "format": "{:,.0f}"},
        "missing": {
            "title": "Missing",
            "description": "Share of sites without a genotype",
            "format": "{:.4f}",
        },
    }
    data: dict[str, Cells] = {
        name: {
            "variant": person["cohort"]["variant"],
            "alone": person["cohort"]["alone"],
            "missing": _ratio(person["cohort"]["missing"], _sites(person)),
        }
        for name, person in sorted(people.items())
    }
    about = "Genotypes of everybody at the sites of the cohort that pass, from all gVCFs together."
    return Section("calls_cohort", "calls", "Genotyped together", about, "table", data, headers=headers)


def _row(person: Person) -> Cells:
    kinds, changes = person.get("type", Counter()), person.get("substitution", Counter())
    copies, depth = person.get("zygosity", Counter()), person.get("depth", Counter())
    filters = person.get("filter", Counter())
    return {
        "snps": kinds["snp"],
        "insertions": kinds["insertion"],
        "deletions": kinds["deletion"],
        "titv": _ratio(changes["transition"], changes["transversion"]),
        "hethom": _ratio(copies["heterozygous"], copies["homozygous"]),
        "depth": _median(depth),
        "low": sum(count for why, count in filters.items() if why not in ("PASS", "RefCall")),
    }


def _ratio(one: int, other: int) -> float | None:
    return one / other if other else None


def _median(counts: Counter[str]) -> float | None:
    half, seen = sum(counts.values()) / 2, 0
    for value, count in sorted((int(value), count) for value, count in counts.items()):
        seen += count
        if seen >= half:
            return float(value)
    return None


def _distributions(people: dict[str, Person]) -> Section:
    tabs = {
        tab: [
            Line(name, _shares(person.get(what, Counter())), PALETTE[count % len(PALETTE)])
            for count, (name, person) in enumerate(sorted(people.items()))
        ]
        for what, tab in PLOTTED.items()
    }
    data, settings = lines(tabs, "share of variants", xlab="reads, or phred", ymin=0)
    about = "Variants that pass all filters, by the reads that cover them and by the quality of the genotype."
    return Section("calls_distribution", "calls", "Depth and quality", about, "linegraph", data, settings)


def _shares(counts: Counter[str]) -> list[tuple[int, float]]:
    total = sum(counts.values()) or 1
    top = max(map(int, counts), default=0)
    return [(value, counts[str(value)] / total) for value in range(top + 1)]


def _figures(judged: list[Row]) -> Section:
    bound = "Of the 95 % interval of F1, over blocks of 1 kb"
    headers = {
        "truth": {"title": "True", "description": "Alleles of the truth", "format": "{:,.0f}"},
        "calls": {"title": "Called", "format": "{:,.0f}"},
        "precision": {"title": "Precision", "format": "{:.4f}"},
        "recall": {"title": "Recall", "format": "{:.4f}"},
        "f1": {"title": "F1", "format": "{:.4f}"},
        "f1_low": {"title": "from", "description": bound, "format": "{:.4f}"},
        "f1_high": {"title": "to", "description": bound, "format": "{:.4f}"},
    }
    about = "Beside the genotypes of --truth, by the haplotypes that both spell; genotypes count too."
    named = {f"{row['name']} · {KINDS_OF_VARIANTS[row['type']]}": row for row in judged}
    return _table("calls_evaluation", "Against the truth", about, named, headers)


def _table(id_: str, name: str, about: str, rows: dict[str, Row], headers: dict[str, Any]) -> Section:
    """The cells of ``headers`` as numbers, of rows by their names."""
    data = {title: {column: number(row[column]) for column in headers} for title, row in rows.items()}
    return Section(id_, "calls", name, about, "table", data, headers=headers)


def _beside(rows: list[Row]) -> Section:
    headers = {
        "shared": {"title": "Both", "description": "Alleles that both call alike", "format": "{:,.0f}"},
        "genotype_differs": {
            "title": "Other genotype",
            "description": "Alleles that both call, in another number of copies",
            "format": "{:,.0f}",
        },
        "alone": {"title": "Ours alone", "format": "{:,.0f}"},
        "other_alone": {"title": "Theirs alone", "format": "{:,.0f}"},
        "concordance": {"title": "Concordance", "description": "Share that both call", "format": "{:.4f}"},
    }
    named = {
        f"{row['name']} · {row['other']} · {row['truth']} {KINDS_OF_VARIANTS[row['type']]}": row
        for row in rows
    }
    about = (
        "Beside the calls of --compare, those that the truth says are right and those that it says are wrong."
    )
    return _table("calls_concordance", "Beside other callers", about, named, headers)


def _trios(rows: list[Row]) -> Section:
    headers = {
        "records": {"title": "Records", "description": "With genotypes of all three", "format": "{:,.0f}"},
        "errors": {"title": "Errors", "format": "{:,.0f}"},
        "error_rate": {"title": "Rate", "format": "{:.5f}"},
        "incomplete": {"title": "Incomplete", "description": "One has no genotype", "format": "{:,.0f}"},
    }
    named = {f"{row['child']} · {KINDS_OF_VARIANTS[row['type']]}": row for row in rows}
    about = "Genotypes of children that their parents of --pedigree cannot have given."
    return _table("calls_mendelian", "Trios", about, named, headers)
