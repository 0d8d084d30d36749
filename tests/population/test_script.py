"""The commands of bin/population.py, one after the other, without networks."""

import os
import subprocess
import sys

import deepcohort
from deepcohort.population.methods import Method
from tests.conftest import ROOT
from tests.population.people import Simulated


def call(*arguments):
    name, *options = arguments
    return subprocess.run(
        [sys.executable, ROOT / "bin/population.py", name, "--release", deepcohort.__version__, *options],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "250"},
    )  # fmt: skip


def test_from_files_to_lists(tmp_path):
    made = Simulated(people=12, sites=200, drift=(0.3, 0.2), home={"AAA": "EAST", "CCC": "WEST"})
    ours = [i for i in range(24) if i % 12 >= 2]
    panel = made.write_vcf(tmp_path / "panel.vcf.gz", ours)
    target = made.write_vcf(tmp_path / "input.vcf.gz", [0, 12])
    labels = made.write_labels(tmp_path / "labels.tsv", ours)
    study, windows = tmp_path / "study", tmp_path / "windows.tsv"
    files = ("--cohort", "c", "--panel", panel, "--target", target, "--labels", labels, "--out", study)
    refused = call("gather", *files, "--out-windows", windows, "--min-sites", "5000")
    assert refused.returncode == 2 and refused.stderr.splitlines()[-1].startswith(
        "ERROR: c: 200 sites are shared"
    )
    done = call("gather", *files, "--out-windows", windows, "--min-sites", "50")
    assert done.returncode == 0, done.stderr
    assert [line.split("\t")[1] for line in windows.read_text().splitlines()] == ["chrom", "1", "2"]
    done = call("assign", "--study", study, "--out", tmp_path / "out", "--method", "discriminant")
    assert done.returncode == 0, done.stderr
    assert "tensorflow" not in done.stderr.lower()
    people = (tmp_path / "out" / "c.populations").read_text()
    assert people == "AAA0\tAAA\tEAST\nCCC0\tCCC\tWEST\n"
    kinds = ("assignments.tsv", "panel_recommendation.tsv", "panel.samples.txt")
    given = [tmp_path / "out" / f"c.{kind}" for kind in kinds]
    options = zip(("--assignments", "--recommendations", "--samples"), given, strict=True)
    outs = zip(("--out-assignments", "--out-recommendations", "--out-samples"), kinds, strict=True)
    arguments = [word for option, path in options for word in (option, path, option, path)]
    done = call("collect", *arguments, *(word for option, name in outs for word in (option, tmp_path / name)))
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "assignments.tsv").read_text().splitlines()
    assert len(rows) == 5 and sum(row.startswith("cohort") for row in rows) == 1
    names = (tmp_path / "panel.samples.txt").read_text().split()
    assert len(names) == len(set(names)) and set(names) <= {made.names[i] for i in ours}


def test_help_names_the_methods():
    assert "|".join(Method) in call("assign", "--help").stdout
    refused = call("assign", "--study", "none", "--out", "none", "--method", "guess")
    assert refused.returncode == 2


def test_commands_that_do_not_train_do_not_import_tensorflow():
    code = "import sys; from deepcohort.population import answer, gather, recommend, weights; "
    code += "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
