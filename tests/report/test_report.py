"""The report's tables: simulated files in, MultiQC's content and the page out."""

import gzip
import json
import os
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from statistics import correlation

import pytest

import deepcohort
from deepcohort.genome.errors import InputError
from deepcohort.report import accuracy, chunks, dropped, quality
from deepcohort.report.tables import Files, write_tables

ROOT = Path(__file__).parents[2]
BINS = ("0.1-0.5%", "0.5-1%", "1-5%", "5-20%", "20-50%")


def write_tsv(path: Path, header: str, rows: list[list[object]]) -> Path:
    lines = [header.split(), *rows]
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in lines), encoding="utf-8")
    return path


def accuracy_table(path: Path, cohort: str = "cohort", source: str = "truth") -> Path:
    header = (
        "cohort imputer source population maf_bin people sites r2 r2_low r2_high concordance "
        "nonref_concordance mean_abs_info_error baseline_r2 unlabelled_people people_without_truth "
        "sites_without_truth multiallelic_sites monomorphic_sites level"
    )
    rows = []
    for number, (name, level) in enumerate(
        [("all", "all"), ("EUR", "superpopulation"), ("FIN", "population")]
    ):
        for rank, maf_bin in enumerate(BINS):
            r2 = 0.4 + 0.1 * rank + 0.01 * number
            low, high = ("NA", "NA") if name == "FIN" else (r2 - 0.05, r2 + 0.05)
            rows.append(
                [cohort, "copying", source, name, maf_bin, 40 - 10 * number, 100 * rank + 7, r2, low, high,
                 0.99, 0.9, 0.05, 0.01 * rank, 3, 2, 5, 4, 6, level]
            )  # fmt: skip
    return write_tsv(path, header, rows)


def sites_table(path: Path, seed: int, sites: int = 400) -> tuple[Path, list[tuple[int, bool, float, float]]]:
    rng = random.Random(seed)
    drawn = []
    for pos in sorted(rng.sample(range(1, 2_000_000), sites)):
        drawn.append((pos, rng.random() < 0.1, rng.random() ** 3, rng.random()))
    header = "chrom\tpos\tid\tref\talt\ttyped\traf\taf\tr2\ter2\n"
    text = "".join(
        f"20\t{p}\trs{p}\tA\tC\t{int(t)}\t{f:.6g}\t{f:.6g}\t{r:.4g}\t{f'{1 - f:.3f}' if t else 'NA'}\n"
        for p, t, f, r in drawn
    )
    with gzip.open(path, "wt") as out:
        out.write(header + text)
    return path, [(p, t, float(f"{f:.6g}"), float(f"{r:.4g}")) for p, t, f, r in drawn]


def check_file(path: Path, **changed: object) -> Path:
    told = {
        "name": "panel.20", "file": "panel.vcf.gz", "contigs": {"20": "chr20"}, "lengths": {"20": None},
        "build": None, "samples": ["a", "b"], "records": 1000, "phased": 1.0, "haploid_genotypes": 0,
        "missing": 0, "dropped": {"no_alt": 3, "star": 0},
        "notes": ["panel.vcf.gz had no index: one was made."],
    }  # fmt: skip
    path.write_text(json.dumps(told | changed))
    return path


def model_folder(path: Path, people: int = 20) -> Path:
    loss = {"loss": 0.08, "start_loss": 0.1} if people else {"loss": None, "start_loss": None}
    learnt = {"effective_size": 123456.0, "error": 0.002, "people": people, "typed": 9, "sites": 100}
    pairs = {"5-20%": [(0.1, 0.0), (0.9, 1.0), (1.5, 2.0 if people == 20 else 1.0)], "0.1-0.5%": [(0.5, 0.0)]}
    if people:
        sums = {
            name: [
                sum(column) for column in zip(*((1, x, y, x * x, y * y, x * y) for x, y in rows), strict=True)
            ]
            for name, rows in pairs.items()
        }
        learnt["expected"] = {"people": 9, "bins": sums}
    path.mkdir(parents=True)
    (path / "model.json").write_text(json.dumps(learnt | loss | {"evaluations": 9, "seed": 1}))
    return path


def counts_file(path: Path, chunk: str, batch: str, **counts: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    rows: list[list[object]] = [[chunk, batch, what, count] for what, count in counts.items()]
    return write_tsv(path, "chunk batch what count", rows)


def filled(count: int) -> dict[str, int]:
    return {"missing_genotypes_filled": count}


def simulated(folder: Path) -> Files:
    """Two cohorts, one of them in two batches, and one chunk without typed sites."""
    one, two = "20.000000001-001000000", "20.001000001-002000000"
    told = {
        "target_sites": 100, "shared": 60, "same": 50, "swapped": 10, "flipped": 0, "dropped_alleles": 15,
        "dropped_not_in_panel": 25, "duplicates": 0, "chunks": 2,
    }  # fmt: skip
    harmonised = [["cohort", "20", what, n] for what, n in told.items()]
    (folder / "versions.yml").write_text("    PLAN:\n      python: '3.11.10'\n")
    return Files(
        accuracy=[
            accuracy_table(folder / "accuracy.tsv"),
            accuracy_table(folder / "b.tsv", "Zoë <b>", "masked"),
        ],
        sites=[
            sites_table(folder / "cohort.20.sites.tsv.gz", 1)[0],
            sites_table(folder / "cohort.3.sites.tsv.gz", 2)[0],
            sites_table(folder / "Zoë <b>.20.sites.tsv.gz", 3)[0],
        ],
        harmonisation=[write_tsv(folder / "h.tsv", "cohort chrom what count", harmonised)],
        checks=[check_file(folder / "panel.20.check.json")],
        counts=[
            counts_file(folder / "1/x.tsv", one, "batch_0001", people=500, typed_sites=9, **filled(4)),
            counts_file(folder / "2/x.tsv", one, "batch_0002", people=20, typed_sites=9, **filled(3)),
            counts_file(folder / "3/x.tsv", two, "batch_0001", people=500, sites_filled_by_frequency=88),
            counts_file(folder / "4/x.tsv", one, "batch_0001", people=7, typed_sites=8),
        ],
        models=[
            model_folder(folder / "1" / f"{one}.model"),
            model_folder(folder / "2" / f"{two}.model", people=0),
            model_folder(folder / "3" / f"{one}.model"),
        ],
        versions=folder / "versions.yml",
    )  # fmt: skip


def content(folder: Path, section: str) -> dict:
    return json.loads((folder / f"{section}_mqc.json").read_text())


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_tables(simulated(folder), folder / "mqc")
    return folder / "mqc"


def test_accuracy_curve_holds_model_interval_and_baseline(made):
    curve = content(made, "r2_by_maf")
    tabs = [label["name"] for label in curve["pconfig"]["data_labels"]]
    assert tabs == ["All people", "Superpopulations", "Populations"]
    assert curve["data"][0] == {
        "cohort · copying · truth": [[b, pytest.approx(0.4 + 0.1 * i)] for i, b in enumerate(BINS)]
    }
    extra = {line["name"]: line["pairs"] for line in curve["pconfig"]["extra_series"][0]}
    first = "cohort · copying · truth"
    assert [y for _, y in extra[f"{first}: 95 % from"]] == pytest.approx([0.35, 0.45, 0.55, 0.65, 0.75])
    assert [y for _, y in extra[f"{first}: 95 % to"]] == pytest.approx([0.45, 0.55, 0.65, 0.75, 0.85])
    assert [y for _, y in extra[f"{first}: baseline (panel frequency)"]] == pytest.approx(
        [0, 0.01, 0.02, 0.03, 0.04]
    )


def test_populations_have_their_own_rows_and_missing_intervals_are_empty(made):
    table = content(made, "r2_by_population")
    row = table["data"]["EUR · cohort · copying · truth"]
    assert row["people"] == 30
    assert row["r2 1-5%"] == pytest.approx(0.61)
    assert row["interval 1-5%"] == "0.56 to 0.66"
    assert "interval 1-5%" not in table["data"]["FIN · cohort · copying · truth"]


def test_one_cohort_without_labels_has_no_table_of_populations(tmp_path):
    table = accuracy_table(tmp_path / "a.tsv")
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], *(line for line in lines if "\tall\t" in line)]) + "\n")
    write_tables(Files(accuracy=[table]), tmp_path / "mqc")
    assert not (tmp_path / "mqc" / "r2_by_population_mqc.json").exists()
    assert list(content(tmp_path / "mqc", "r2_by_maf")["data"][0]) == ["copying"]


def test_no_cohort_is_left_out_however_many(tmp_path):
    tables = [accuracy_table(tmp_path / f"{n}.tsv", f"cohort{n:02}") for n in range(12)]
    write_tables(Files(accuracy=tables), tmp_path / "mqc")
    curve = content(tmp_path / "mqc", "r2_by_maf")
    drawn = {*curve["data"][0], *(line["name"] for line in curve["pconfig"]["extra_series"][0])}
    assert {f"cohort{n:02} · copying" for n in range(12)} <= drawn


def test_histogram_counts_every_imputed_site_once(tmp_path):
    path, drawn = sites_table(tmp_path / "c.20.sites.tsv.gz", 5)
    write_tables(Files(sites=[path]), tmp_path / "mqc")
    histogram = content(tmp_path / "mqc", "info_r2_histogram")
    lines = [*histogram["data"][0].items()]
    lines += [(line["name"], line["pairs"]) for line in histogram["pconfig"]["extra_series"][0]]
    found = {name.split(" ")[0]: dict(map(tuple, pairs)) for name, pairs in lines}
    for name, low, high in [("rare", 0, 0.005), ("low", 0.005, 0.05), ("common", 0.05, 0.51)]:
        r2 = [r for _, typed, raf, r in drawn if not typed and low <= min(raf, 1 - raf) < high]
        for bar in range(20):
            share = 100 * sum(bar / 20 <= value < (bar + 1) / 20 for value in r2) / len(r2)
            assert found[name][(bar + 0.5) / 20] == pytest.approx(share)


def test_typed_sites_left_out_are_summed_up(tmp_path):
    path, drawn = sites_table(tmp_path / "c.20.sites.tsv.gz", 5)
    er2 = [round(1 - frequency, 3) for _, typed, frequency, _ in drawn if typed]
    write_tables(Files(sites=[path]), tmp_path / "mqc")
    assert (
        f"{len(er2)} typed sites were imputed without themselves, with a mean squared correlation of "
        f"{sum(er2) / len(er2):.2f} (ER2); {sum(value < 0.3 for value in er2)} of them are below 0.3."
    ) in content(tmp_path / "mqc", "summary_notes")["data"]


def test_what_hidden_people_let_expect_is_pooled_over_chunks(tmp_path):
    models = [model_folder(tmp_path / f"20.{n}.model", people) for n, people in enumerate((20, 30, 0))]
    write_tables(Files(models=models), tmp_path / "mqc")
    expected = correlation([0.1, 0.9, 1.5] * 2, [0.0, 1.0, 2.0, 0.0, 1.0, 1.0]) ** 2
    text = content(tmp_path / "mqc", "summary_notes")["data"]
    assert f"reach an aggregated R² by MAF of {expected:.2f} at 5-20%. People" in text


def test_windows_hold_the_mean_of_their_sites(tmp_path):
    path, drawn = sites_table(tmp_path / "c.20.sites.tsv.gz", 6)
    write_tables(Files(sites=[path]), tmp_path / "mqc")
    along = content(tmp_path / "mqc", "info_r2_along_chromosome")
    common = next(x["pairs"] for x in along["pconfig"]["extra_series"][0] if x["name"].startswith("common"))
    width = 2 * quality.STEP  # 2 Mb in at most 150 windows
    assert 60 < len(common) <= quality.WINDOWS
    for middle, mean in common:
        start = middle * 1e6 - width / 2
        r2 = [r for p, t, f, r in drawn if not t and min(f, 1 - f) >= 0.05 and start <= p < start + width]
        assert mean == pytest.approx(sum(r2) / len(r2))


def test_typed_sites_add_up_along_the_chromosome(tmp_path):
    path, drawn = sites_table(tmp_path / "c.20.sites.tsv.gz", 7)
    write_tables(Files(sites=[path]), tmp_path / "mqc")
    (line,) = content(tmp_path / "mqc", "typed_sites_along_chromosome")["data"][0].values()
    steps = [after[0] - before[0] for before, after in pairwise(line)]
    assert steps == pytest.approx([steps[0]] * len(steps)), "windows without typed sites are drawn as 0"
    assert sum(y * steps[0] for _, y in line) == pytest.approx(sum(typed for _, typed, _, _ in drawn))


def test_chromosomes_come_in_the_genome_s_order(made):
    labels = content(made, "info_r2_along_chromosome")["pconfig"]["data_labels"]
    assert [label["name"] for label in labels] == ["chr3", "chr20"]


def test_everything_dropped_is_counted(made):
    bars = content(made, "harmonised_sites")
    assert bars["data"] == {
        "chr20": {
            "same": 50, "swapped": 10, "flipped": 0, "dropped_alleles": 15, "dropped_not_in_panel": 25,
            "duplicates": 0,
        }
    }  # fmt: skip
    files = content(made, "checked_files")["data"]["panel.vcf.gz (panel.20)"]
    assert (files["records"], files["dropped"], files["reasons"], files["samples"]) == (
        1000,
        3,
        "no alt: 3",
        2,
    )


def test_chunks_add_people_over_batches_but_not_sites(made):
    table = content(made, "chunk_table")["data"]
    assert list(table) == [
        "20.000000001-001000000", "20.000000001-001000000 (2)", "20.001000001-002000000"
    ]  # fmt: skip
    first = table["20.000000001-001000000"]
    assert (first["people"], first["typed_sites"], first["missing_genotypes_filled"]) == (520, 9, 7)
    assert (first["effective_size"], first["error"], first["flag"]) == (123456.0, 0.002, "ok")
    assert first["gain"] == pytest.approx(20)
    untyped = table["20.001000001-002000000"]
    assert untyped["flag"] == "no typed sites"
    assert "effective_size" not in untyped, "nothing was learnt there"
    assert table["20.000000001-001000000 (2)"]["people"] == 7


def test_summary_says_what_was_done_and_what_to_know(made):
    text = content(made, "summary_notes")["data"]
    for sentence in (
        "For research use only, not for diagnosis",
        "The model learnt its rates from the panel in 2 of 3 chunks.",
        "panel.vcf.gz had no index: one was made.",
        "1 of 3 chunks had no typed site in reach (20.001000001-002000000)",
        "7 genotypes that were missing at typed sites of the input were imputed.",
        "cohort, chromosome 20: 40 of 100 target sites are not in the panel.",
        "cohort, chromosome 20: 10 target sites had REF and ALT swapped",
        "cohort: 3 people have no population label",
        "cohort: 2 imputed people are not in the truth",
        "cohort: 25 imputed sites are not in the truth",
        "cohort: not scored were 4 multi-allelic sites and 6 sites at which the panel does not vary.",
        "aggregated R² reaches 0.8 at MAF 20-50%",
        "Zoë &lt;b&gt;: accuracy was measured on hidden typed sites.",
    ):
        assert sentence in text
    assert "<b>" not in text


def test_names_that_users_choose_cannot_write_html(made):
    texts = [path.read_text() for path in made.glob("*.json")]
    assert sum("Zoë &lt;b&gt;" in text for text in texts) >= 4
    assert not any("<b>" in text for text in texts)


def test_an_empty_run_still_has_a_summary(tmp_path):
    write_tables(Files(), tmp_path / "mqc")
    assert [path.name for path in (tmp_path / "mqc").iterdir()] == ["summary_notes_mqc.json"]
    assert "Nothing unusual was found." in content(tmp_path / "mqc", "summary_notes")["data"]


def test_same_files_same_bytes(made, tmp_path):
    write_tables(simulated(tmp_path), tmp_path / "mqc")
    for path in made.iterdir():
        assert path.read_bytes() == (tmp_path / "mqc" / path.name).read_bytes()


NO_NETWORK = """
import socket
def refuse(self, address, *rest):
    if self.family != socket.AF_UNIX:
        open({log!r}, "a").write(f"{{address}}\\n")
        raise OSError("no network in this test")
socket.socket.connect = socket.socket.connect_ex = refuse
def lookup(host, *rest, **more):
    open({log!r}, "a").write(f"{{host}}\\n")
    raise OSError("no network in this test")
socket.getaddrinfo = lookup
"""


def test_multiqc_makes_the_page_and_calls_nobody(made, tmp_path):
    calls = tmp_path / "calls.txt"
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(NO_NETWORK.format(log=str(calls)))
    command = [
        Path(sys.executable).with_name("multiqc"), "--force", "--strict", "--config",
        ROOT / "assets" / "multiqc_config.yml", "--filename", "multiqc_report.html", made,
    ]  # fmt: skip
    env = {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "guard"),
        "MPLCONFIGDIR": str(tmp_path),
        "HOME": str(tmp_path),
    }
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not calls.exists(), f"MultiQC wanted to reach {calls.read_text()}"
    page = (tmp_path / "multiqc_report.html").read_text()
    order = [page.index(f'id="{name}"') for name in ("summary", "imputation", "sites", "chunks")]
    assert order == sorted(order)
    sections = [
        "r2_by_maf", "accuracy_figures", "r2_by_population", "info_r2_histogram", "info_r2_along_chromosome",
        "typed_sites_along_chromosome", "harmonised_sites", "checked_files", "chunk_table",
    ]  # fmt: skip
    places = [page.index(f'id="{name}') for name in sections]
    assert places == sorted(places)
    assert "3.11.10" in page, "versions of the programs"
    for problem in ("Error", "Conflicting", "No data found", "Traceback"):
        assert problem not in done.stdout + done.stderr


def run_script(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "bin" / "report.py", "tables", "--release", deepcohort.__version__]
    return subprocess.run([*map(str, command), *map(str, arguments)], capture_output=True, text=True)


def test_the_script_makes_the_same_tables(made, tmp_path):
    files = simulated(tmp_path)
    arguments: list[object] = ["--versions", files.versions, "--out", tmp_path / "mqc"]
    for name in ("accuracy", "sites", "harmonisation", "checks", "counts", "models"):
        for path in getattr(files, name):
            arguments += [f"--{name}", path]
    done = run_script(*arguments)
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (tmp_path / "mqc").iterdir()) == sorted(p.name for p in made.iterdir())


def test_the_script_refuses_in_one_sentence(tmp_path):
    (tmp_path / "x.check.json").write_text("{}")
    done = run_script("--checks", tmp_path / "x.check.json", "--out", tmp_path / "mqc")
    assert done.returncode == 2
    assert (
        done.stderr.strip() == "ERROR: x.check.json: not the report of a check: make it with 'check-target'"
    )


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("sites.tsv.gz", "", "not named <cohort>.<chrom>.sites.tsv.gz"),
        ("c.20.sites.tsv.gz", "chrom\tpos\n", "its columns are not chrom, pos, id"),
        (
            "c.20.sites.tsv.gz",
            "chrom\tpos\tid\tref\talt\ttyped\traf\taf\tr2\ter2\n20\tx\t.\tA\tC\t1\t0.1\t0.1\t1\tNA\n",
            "row 2 is not a site with numbers",
        ),
    ],
)
def test_bad_tables_of_sites_are_refused(tmp_path, name, text, sentence):
    with gzip.open(tmp_path / name, "wt") as out:
        out.write(text)
    with pytest.raises(InputError, match=sentence):
        quality.summarise(tmp_path / name)


def test_other_bad_tables_are_refused(tmp_path):
    bad = tmp_path / "bad.tsv"
    bad.write_text("cohort\tchrom\twhat\tcount\nc\t20\tsame\tmany\n")
    with pytest.raises(InputError, match=r"bad.tsv: row 2 is not cohort, chrom, what and a count"):
        dropped.read_harmonisation([bad])
    with pytest.raises(InputError, match=r"bad.tsv: columns .*maf_bin.* are missing"):
        accuracy.read([bad])
    with pytest.raises(InputError, match=r"bad.tsv: its columns are not chunk, batch, what, count"):
        chunks.read([bad], [])
    with pytest.raises(InputError, match=r"bad.tsv: not a trained model: make it with 'train-chunk'"):
        chunks.read([], [bad])
