"""Whether the cohort fits the panel: what the report shows and says of it."""

import json
from pathlib import Path

import pytest

from deepcohort.genome.errors import InputError
from deepcohort.report import fit
from deepcohort.report.dropped import SiteCount, sentences
from deepcohort.report.tables import Files, write_tables

SITES = "chrom pos ref alt reason target_af panel_af chi_square missing"


def table(folder: Path, name: str, header: str, *rows: str) -> Path:
    path = folder / name
    path.write_text("".join("\t".join(row.split(" ")) + "\n" for row in (header, *rows)), encoding="utf-8")
    return path


def tables(folder: Path, cohort: str = "cohort") -> list[Path]:
    return [
        table(
            folder, f"{cohort}.qc.tsv", SITES,
            "20 5 A G frequency 0.9 0.2 120 0", "20 9 A T strand 0.8 0.25 90 0.01",
            "20 11 C T missing NA 0.1 NA 1",
        ),
        table(
            folder, f"{cohort}.frequencies.tsv", "chrom target_af panel_af sites",
            "20 0.11 0.13 100", "21 0.11 0.13 900", "21 0.51 0.53 1",
        ),
        table(
            folder, f"{cohort}.people.tsv", "person reason other value",
            "Zoë in_panel NA1 0.995", "b in_cohort c 1", "d missing  0.25",
        ),
    ]  # fmt: skip


def content(folder: Path, section: str) -> dict:
    return json.loads((folder / f"{section}_mqc.json").read_text())


def test_every_site_is_in_the_picture_and_outliers_stand_out(tmp_path):
    write_tables(Files(fit=tables(tmp_path)), tmp_path / "mqc")
    picture = content(tmp_path / "mqc", "frequencies")
    (dots,) = picture["data"]
    assert {name: (dot["x"], dot["y"]) for name, (dot,) in dots.items()} == {
        "1,000 sites near 0.13 and 0.11": (0.13, 0.11),
        "1 sites near 0.53 and 0.51": (0.53, 0.51),
        "20:5 A&gt;G": (0.2, 0.9),
        "20:9 A&gt;T": (0.25, 0.8),
    }
    assert dots["20:5 A&gt;G"][0]["color"] != dots["20:9 A&gt;T"][0]["color"]
    assert dots["1,000 sites near 0.13 and 0.11"][0]["marker_size"] == 9
    assert "data_labels" not in picture["pconfig"]
    people = content(tmp_path / "mqc", "people_to_look_at")["data"]
    assert [(row["person"], row["other"], row["value"]) for row in people.values()] == [
        ("Zoë", "NA1", 99.5), ("b", "c", 100), ("d", "", 25),
    ]  # fmt: skip


def test_cohorts_have_a_tab_each_and_only_the_farthest_outliers_are_drawn(tmp_path):
    paths = tables(tmp_path, "one") + tables(tmp_path, "two")
    rows = [f"20 {n} A G frequency 0.9 0.2 {100 + n} 0" for n in range(1, 150)]
    paths[3] = table(tmp_path, "two.qc.tsv", SITES, *rows)
    write_tables(Files(fit=paths), tmp_path / "mqc")
    picture = content(tmp_path / "mqc", "frequencies")
    assert [label["name"] for label in picture["pconfig"]["data_labels"]] == ["one", "two"]
    named = [name for name in picture["data"][1] if name.startswith("20:")]
    assert (len(named), named[0], named[-1]) == (100, "20:149 A&gt;G", "20:50 A&gt;G")


def test_what_to_know_is_said_in_sentences(tmp_path):
    told = {
        "qc_compared": 900, "qc_frequency": 1, "qc_strand": 1, "qc_missing": 1, "qc_monomorphic": 7,
        "qc_drift_permille": 82,
    }  # fmt: skip
    counts = [SiteCount("cohort", "20", what, count) for what, count in told.items()]
    counts += [SiteCount("other", "20", "qc_monomorphic", 9), SiteCount("cohort", "21", "qc_monomorphic", 3)]
    fits = fit.read(tables(tmp_path))
    assert fit.sentences(fits, counts) == [
        "cohort: 1 person is in the panel too, by their genotypes (Zoë is NA1): they copy themselves, so "
        "accuracy measured on them means nothing; leave them out of panel or cohort.",
        "cohort: 1 person is in the cohort twice, by their genotypes (b is c): the same person, twins, or on "
        "short stretches close relatives.",
        "cohort: more than a tenth of the genotypes is missing in 1 person (d), imputed all the same.",
        "cohort: the allele frequency does not fit the panel's at 2 sites of 900 compared, used all the same "
        "(--exclude_outliers leaves them out); 1 of them, of A/T or C/G, would fit on the other strand.",
        "cohort: allele frequencies differ from the panel's in general (their difference has a variance of "
        "0.08 p (1 - p) beyond that of counting): the cohort and the panel are of other populations, or of "
        "other shares of them, and few wrong sites can be told.",
        "cohort: more than a tenth of the people have no genotype at 1 typed site, used all the same.",
        "cohort: everybody has the same genotype at 10 typed sites.",
    ]
    excluded = fit.sentences(fits, [*counts, SiteCount("cohort", "20", "qc_excluded", 2)])
    assert any("2 sites of 900 compared, left out;" in sentence for sentence in excluded)
    assert fit.sentences({"cohort": fit.Fit()}, []) == []


def test_how_a_chromosome_was_cut_is_said(tmp_path):
    told = {"chunks": 9, "merged_chunks": 2, "few_chunks": 1, "x_length_unknown": 1}
    found = sentences([], [SiteCount("c", "X", what, count) for what, count in told.items()])
    assert [sentence.removeprefix("c, chromosome X: ")[:44] for sentence in found] == [
        "chunks with few typed sites that were merged",
        "chunks that have few typed sites in reach al",
        "no header tells its length, hence not the ge",
    ]
    assert sentences([], [SiteCount("c", "20", "chunks", 9)]) == []


def test_notes_of_the_run_stand_in_the_summary(tmp_path):
    write_tables(Files(notes=["No --genetic_map is given: 1 cM/Mb is assumed."]), tmp_path / "mqc")
    summary = content(tmp_path / "mqc", "summary_notes")["data"]
    assert "<li>No --genetic_map is given: 1 cM/Mb is assumed.</li>" in summary


@pytest.mark.parametrize(("name", "header"), [("c.qc.tsv", "chrom pos"), ("c.tsv", SITES)])
def test_another_table_is_refused(tmp_path, name, header):
    with pytest.raises(InputError) as error:
        fit.read([table(tmp_path, name, header)])
    assert str(error.value) == f"{name}: not a table of sites or people to look at: make it with 'plan'"
