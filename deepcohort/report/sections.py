"""Sections of the report as MultiQC's custom content: a picture, a table or some words, written as JSON."""

import json
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from deepcohort.genome.files import written_whole

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c564b", "#7f7f7f")
"""Colours that people who see few colours can tell apart (after Okabe and Ito)."""

PALE = "#9aa0a6"

CHAPTERS = {
    "summary": ("Summary", "What this run did, and what to look at first."),
    "calls": ("Calls", "Variants called from reads."),
    "population": ("Populations", "Where people come from, and whom to impute from."),
    "augmentation": ("Artificial people", "What artificial people are worth, and what they reveal."),
    "imputation": ("Imputation", "How good the imputed genotypes are."),
    "expression": ("Expression", "What sequence models predict of people's genes, and how well that fits."),
    "sites": ("Input", "Which sites and genotypes were used, and what was dropped for which reason."),
    "chunks": ("Chunks", "The stretches of the genome that were imputed one by one."),
}
"""Chapters by id: name and what they hold, in the report's order."""


@dataclass(frozen=True)
class Section:
    """One section: ``data`` and ``settings`` are what MultiQC's plot of that kind takes."""

    id: str
    chapter: str
    name: str
    description: str
    kind: str
    """``linegraph``, ``bargraph``, ``scatter``, ``heatmap``, ``table`` or ``html``."""
    data: Any
    settings: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, Any] | None = None
    categories: dict[str, Any] | None = None

    def write(self, folder: Path) -> None:
        """Write ``<id>_mqc.json``; a section without data is left out."""
        if not self.data:
            return
        name, about = CHAPTERS[self.chapter]
        content: dict[str, Any] = {
            "id": self.id,
            "parent_id": self.chapter,
            "parent_name": name,
            "parent_description": about,
            "section_name": self.name,
            "description": self.description,
            "plot_type": self.kind,
            "data": self.data if self.kind == "html" else escaped(self.data),
        }
        if self.kind != "html":
            content["pconfig"] = {"id": f"{self.id}_plot", "title": self.name, **escaped(self.settings)}
        if self.headers is not None:
            content["headers"] = escaped(self.headers)
        if self.categories is not None:
            content["categories"] = self.categories
        with written_whole(folder / f"{self.id}_mqc.json") as unfinished:
            unfinished.write_text(json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def escaped(value: Any) -> Any:
    """Make all text safe for HTML: users choose names, and MultiQC writes them as they come."""
    if isinstance(value, str):
        return escape(value, quote=False)
    if isinstance(value, dict):
        return {escaped(key): escaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [escaped(item) for item in value]
    return value


@dataclass(frozen=True)
class Line:
    """A line of a line graph."""

    name: str
    points: list[tuple[Any, float]]
    color: str
    dash: str = "solid"
    width: int = 2
    in_legend: bool = True


def lines(tabs: dict[str, list[Line]], y_label: str, **settings: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return data and settings of a line graph with a tab for each entry of ``tabs``.

    MultiQC gives dashes and widths only to extra lines, and wants a plain one in every tab, so the
    first line of each tab is the plain one.
    """
    data = [{tab[0].name: [list(point) for point in tab[0].points]} for tab in tabs.values()]
    colors = [{tab[0].name: tab[0].color} for tab in tabs.values()]
    extra = [[_extra(line) for line in tab[1:]] for tab in tabs.values()]
    shown = any(len(tab) > 1 for tab in tabs.values())
    chosen: dict[str, Any] = {"ylab": y_label, "smooth_points": None, "showlegend": shown, **settings}
    if any(extra):
        chosen["extra_series"] = extra
    if len(tabs) == 1:
        chosen["colors"] = colors[0]
    else:
        chosen["data_labels"] = [
            {"name": name, "ylab": y_label, "colors": own} for name, own in zip(tabs, colors, strict=True)
        ]
    return data, chosen


def _extra(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "pairs": [list(point) for point in line.points],
        "color": line.color,
        "dash": line.dash,
        "width": line.width,
        "showlegend": line.in_legend,
    }
