"""The first chapter: what the run did and what to look at, in plain words."""

from html import escape

from deepcohort.report import accuracy, augmentation, calls, chunks, dropped, expression, fit, population
from deepcohort.report.accuracy import EVERYONE, number
from deepcohort.report.calls import Person
from deepcohort.report.chunks import Chunk
from deepcohort.report.dropped import FileCheck, SiteCount
from deepcohort.report.fit import Fit
from deepcohort.report.quality import POOR_ER2, SiteSummary
from deepcohort.report.rows import Row
from deepcohort.report.sections import Section

WARNING = (
    "For research use only, not for diagnosis: a called variant may be wrong, and an imputed genotype is a "
    "probability, not an observation."
)

STYLE = "<style>#mqc_welcome, h1 .multiqc-logo-wrapper { display: none !important; }</style>"
"""Takes the tutorial's banner and the large logo out; MultiQC is named at the side and at the foot."""

GOOD_R2 = 0.8
"""R² from which single variants of a bin are commonly used."""


def section(
    rows: list[Row],
    summaries: list[SiteSummary],
    checks: list[FileCheck],
    counts: list[SiteCount],
    found: dict[str, Chunk],
    fits: dict[str, Fit],
    people: dict[str, Person],
    of_people: population.Tables,
    of_genes: expression.Tables,
    artificial: augmentation.Tables,
    notes: list[str],
) -> Section:
    """Return the chapter as HTML: facts first, then what is unusual; ``notes`` are of the run as a whole."""
    facts = calls.facts(people) + population.facts(of_people) + _facts(summaries, found) + _accuracy(rows)
    facts += expression.facts(of_genes) + augmentation.facts(artificial)
    unusual = notes + dropped.sentences(checks, counts) + fit.sentences(fits, counts)
    unusual += population.sentences(of_people) + expression.sentences(of_genes)
    unusual += augmentation.sentences(artificial)
    unusual += chunks.sentences(found) + _labels(rows)
    parts = [STYLE, f'<div class="alert alert-warning">{escape(WARNING)}</div>']
    parts.append(_list("What was done", facts))
    parts.append(_list("What to know before you use it", unusual or ["Nothing unusual was found."]))
    return Section("summary_notes", "summary", "In short", "", "html", "\n".join(filter(None, parts)))


def _list(title: str, sentences: list[str]) -> str:
    if not sentences:
        return ""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<h4>{escape(title)}</h4><ul>{items}</ul>"


def _facts(summaries: list[SiteSummary], found: dict[str, Chunk]) -> list[str]:
    facts = []
    for cohort in sorted({summary.cohort for summary in summaries}):
        own = [summary for summary in summaries if summary.cohort == cohort]
        imputed, typed = sum(s.imputed for s in own), sum(s.typed for s in own)
        chromosomes = "one chromosome" if len(own) == 1 else f"{len(own)} chromosomes"
        facts.append(
            f"{cohort}: {imputed:,} sites of {chromosomes} were imputed from {typed:,} typed sites that the "
            "panel holds."
        )
        number, total, poor = (sum(s.left_out[place] for s in own) for place in range(3))
        if number:
            facts.append(
                f"{cohort}: {number:,} typed sites were imputed without themselves, with a mean squared "
                f"correlation of {total / number:.2f} (ER2); {poor:,} of them are below {POOR_ER2}."
            )
    learnt = sum(chunk.learnt_from > 0 for chunk in found.values())
    if learnt:
        facts.append(f"The model learnt its rates from the panel in {learnt} of {len(found)} chunks.")
    expected = chunks.expected_r2(list(found.values()))
    if expected:
        figures = ", ".join(f"{value:.2f} at {name}" for name, value in expected.items())
        facts.append(
            "What to expect without a truth: people of the panel, hidden and imputed from its other people "
            f"at the same typed sites, reach an aggregated R² by MAF of {figures}. People who are less like "
            "the panel, or not phased, are imputed worse."
        )
    return facts


def _accuracy(rows: list[Row]) -> list[str]:
    facts = []
    everyone = [row for row in rows if row["population"] == EVERYONE]
    for key in dict.fromkeys((row["cohort"], row["imputer"], row["source"]) for row in everyone):
        bins = [row for row in everyone if (row["cohort"], row["imputer"], row["source"]) == key]
        measured = [(row["maf_bin"], value) for row in bins if (value := number(row["r2"])) is not None]
        if not measured:
            continue
        good = [name for name, value in measured if value >= GOOD_R2]
        cohort, imputer, source = key
        reach = (
            f"reaches {GOOD_R2} at MAF {', '.join(good)}" if good else f"stays below {GOOD_R2} at every MAF"
        )
        facts.append(
            f"{cohort}, imputer {imputer}, measured on {accuracy.MEASURED.get(source, source)}: "
            f"aggregated R² {reach} ({', '.join(f'{value:.2f} at {name}' for name, value in measured)})."
        )
    return facts


def _labels(rows: list[Row]) -> list[str]:
    found = []
    for cohort in dict.fromkeys(row["cohort"] for row in rows):
        own = [row for row in rows if row["cohort"] == cohort]
        unlabelled = max((number(row.get("unlabelled_people")) or 0 for row in own), default=0)
        without = max((number(row.get("people_without_truth")) or 0 for row in own), default=0)
        unknown = sum(
            number(row.get("sites_without_truth")) or 0 for row in own if row["population"] == EVERYONE
        )
        multi = max((number(row.get("multiallelic_sites")) or 0 for row in own), default=0)
        constant = max((number(row.get("monomorphic_sites")) or 0 for row in own), default=0)
        if unlabelled:
            found.append(f"{cohort}: {unlabelled:,.0f} people have no population label; they count in 'all'.")
        if without:
            found.append(f"{cohort}: {without:,.0f} imputed people are not in the truth and were not scored.")
        if unknown:
            found.append(f"{cohort}: {unknown:,.0f} imputed sites are not in the truth and were not scored.")
        if multi or constant:
            found.append(
                f"{cohort}: not scored were {multi:,.0f} multi-allelic sites and {constant:,.0f} sites at "
                "which the panel does not vary."
            )
        if any(row["source"] == "masked" for row in own):
            found.append(
                f"{cohort}: accuracy was measured on hidden typed sites. These are mostly common variants in "
                "well-covered stretches, so rare variants are imputed worse than these figures suggest; "
                "--truth measures them."
            )
    return found
