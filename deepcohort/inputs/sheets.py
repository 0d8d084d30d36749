"""Sheets that users write: read, checked against their JSON schema, written in one normal form."""

import csv
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, ValidationError

from deepcohort.genome.errors import InputError
from deepcohort.genome.files import written_whole
from deepcohort.genome.regions import chrom_key

SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons"}
READS = (".bam", ".cram", ".g.vcf.gz", ".g.vcf.bgz")


class Row(NamedTuple):
    """Cells of a row by column (empty ones left out); ``number`` counts from 1 for the header."""

    number: int
    cells: dict[str, str]


def check_sheet(sheet: Path, schema: dict[str, Any], *, kind: str, name: str) -> list[dict[str, str]]:
    """Read a sheet and return its rows with all columns of the schema in the schema's order.

    ``kind`` names the sheet, e.g. ``input``; ``name`` is what messages call the sheet. The
    schema is a JSON schema of an array of rows; besides the standard's words, ``separator`` is what
    stands between columns, ``uniqueEntries`` lists columns whose values must differ from row to row and
    ``errorMessage`` ends the sentence about a bad cell. That files exist is not looked at.

    Raises ``InputError`` at the first thing wrong.
    """
    rows = _read(sheet, schema, name)
    for row in rows:
        _check_cells(row, schema, name)
    for column in schema.get("uniqueEntries", []):
        _require_unique(rows, column, name)
    if kind == "input":
        _require_one_kind_per_sample(rows, name)
    columns = list(schema["items"]["properties"])
    return [{column: row.cells.get(column, "") for column in columns} for row in rows]


def write_sheet(path: Path, rows: list[dict[str, str]], separator: str = ",") -> None:
    """Write rows under a header; all rows have the same columns, and there is at least one."""
    with (
        written_whole(path) as unfinished,
        unfinished.open("w", encoding="utf-8", newline="") as out,
    ):
        writer = csv.DictWriter(out, list(rows[0]), delimiter=separator, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def load_schema(path: Path) -> dict[str, Any]:
    """Read a JSON schema of a sheet."""
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def _read(sheet: Path, schema: dict[str, Any], name: str) -> list[Row]:
    try:
        text = sheet.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name}: the sheet is not UTF-8 text: save it as CSV in UTF-8") from None
    separator: str = schema["separator"]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        table = [(lines.line_num, [cell.strip() for cell in line]) for line in lines]
    except csv.Error as error:
        raise InputError(
            f"{name}: row {lines.line_num} cannot be read ({error}): check its quotation marks"
        ) from None
    table = [(number, cells) for number, cells in table if any(cells)]
    if not table:
        raise InputError(f"{name}: the sheet is empty: write a header and one row for each file")
    header = table[0][1]
    _check_header(header, schema, name)
    if len(table) == 1:
        raise InputError(f"{name}: the sheet has a header but no row: add one")
    return [_row(number, cells, header, name) for number, cells in table[1:]]


def _row(number: int, cells: list[str], header: list[str], name: str) -> Row:
    if len(cells) != len(header):
        raise InputError(
            f"{name}: row {number} has {len(cells)} cells where the header has {len(header)}: "
            "fill it up or quote cells that hold the separator"
        )
    return Row(number, {column: cell for column, cell in zip(header, cells, strict=True) if cell})


def _check_header(header: list[str], schema: dict[str, Any], name: str) -> None:
    known = list(schema["items"]["properties"])
    required = schema["items"]["required"]
    separator: str = schema["separator"]
    for other, word in SEPARATORS.items():
        if len(header) == 1 and other != separator and other in header[0]:
            raise InputError(
                f"{name}: columns are separated by {word} where {SEPARATORS[separator]} are needed: "
                "save the sheet anew"
            )
    missing = [column for column in required if column not in header]
    if missing:
        raise InputError(
            f"{name}: column {_listed(missing)} is missing (the header has {_listed(header)}): add it; "
            f"columns are {_listed(known)}"
        )
    extra = [column for column in header if column not in known]
    if extra:
        raise InputError(
            f"{name}: column {_listed([column or '(no name)' for column in extra])} is not known: "
            f"remove it or correct its name; columns are {_listed(known)}"
        )
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise InputError(f"{name}: column {_listed(twice)} occurs twice in the header: keep one")


def _listed(words: list[str]) -> str:
    return ", ".join(words)


def _check_cells(row: Row, schema: dict[str, Any], name: str) -> None:
    validator = Draft202012Validator(schema["items"])
    error = next(iter(sorted(validator.iter_errors(row.cells), key=lambda e: str(e.path))), None)
    if error:
        raise InputError(f"{name}: row {row.number}, {_sentence(error, schema, row)}")


def _sentence(error: ValidationError, schema: dict[str, Any], row: Row) -> str:
    if error.validator == "required":
        required = schema["items"]["required"]
        empty = next(column for column in required if column not in row.cells)
        return f"column {empty}: the cell is empty: fill it or remove the row"
    column = str(error.path[0])
    message = schema["items"]["properties"][column].get("errorMessage", error.message)
    return f"column {column}: '{row.cells[column]}' {message}"


def _require_unique(rows: list[Row], column: str, name: str) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        value = row.cells.get(column, "")
        if value.endswith(".pgen") and "chrom" in row.cells:  # which may hold many chromosomes
            continue
        key = chrom_key(value) if column == "chrom" else value
        if key in seen:
            raise InputError(
                f"{name}: row {row.number} has the same {column} as row {seen[key]} ('{value}'): "
                "keep one of them, or correct the other"
            )
        seen[key] = row.number


def _require_one_kind_per_sample(rows: list[Row], name: str) -> None:
    """A person has one file of reads or one gVCF; only VCFs of a cohort share a name."""
    first: dict[str, Row] = {}
    for row in rows:
        sample = row.cells["sample"]
        before = first.setdefault(sample, row)
        if before is row:
            continue
        if any(r.cells["file"].endswith(READS) for r in (row, before)):
            raise InputError(
                f"{name}: row {row.number} names sample '{sample}' again (row {before.number} has it): only "
                "VCF or BCF rows of one cohort share a name, so merge the files or rename one"
            )
