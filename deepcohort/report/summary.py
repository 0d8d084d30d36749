"""The first chapter: what the run did and what to look at, in plain words."""

from html import escape

from deepcohort.report.sections import Section

WARNING = (
    "For research use only, not for diagnosis: a called variant may be wrong, and an imputed genotype is a "
    "probability, not an observation."
)

STYLE = "<style>#mqc_welcome, h1 .multiqc-logo-wrapper { display: none !important; }</style>"
"""Takes the tutorial's banner and the large logo out; MultiQC is named at the side and at the foot."""


def section(facts: list[str], unusual: list[str]) -> Section:
    """Return the chapter as HTML: what was done, then what to know before it is used."""
    parts = [STYLE, f'<div class="alert alert-warning">{escape(WARNING)}</div>']
    parts.append(_list("What was done", facts))
    parts.append(_list("What to know before you use it", unusual or ["Nothing unusual was found."]))
    return Section("summary_notes", "summary", "In short", "", "html", "\n".join(filter(None, parts)))


def _list(title: str, sentences: list[str]) -> str:
    if not sentences:
        return ""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<h4>{escape(title)}</h4><ul>{items}</ul>"
