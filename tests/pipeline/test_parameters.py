"""Parameters: refused in sentences, or taken as the schema says, and the schema says what the config does."""

import json
import re
from typing import Any

import jsonschema
import pytest

import deepcohort
from tests.conftest import LANGUAGES, ROOT, Nextflow

SCHEMA: dict[str, Any] = json.loads((ROOT / "nextflow_schema.json").read_text())
RULES: dict[str, dict[str, Any]] = {
    name: rule for group in SCHEMA["$defs"].values() for name, rule in group["properties"].items()
}
IMPUTERS = RULES["imputer"]["enum"]


@pytest.mark.pipeline
@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_is_wrong_is_said_at_once(nextflow: Nextflow, language: str) -> None:
    wrong = {
        "--steps": "impute,guess",
        "--inputt": "samples.csv",
        "--chunk-bases": "3",
        "--zzzzzzzzzzz": "3",
        "--panel": "nowhere.csv",
        "--imputer": "magic",
        "--mask_fraction": "1",
        "--chunk_variants": "10",
        "--output_hds": "maybe",
        "--seed": "12abc",
    }
    arguments = [word for pair in wrong.items() for word in pair]
    run = nextflow.pipeline(*arguments, "--input", **LANGUAGES[language])
    assert run.returncode != 0
    for sentence in [
        "Unknown parameter --inputt: did you mean --input?",
        ": did you mean --chunk_bases?",
        "Unknown parameter --zzzzzzzzzzz: see --help.",
        "--steps is 'impute,guess' but must be a comma list out of call, population, augment,",
        "--input needs a value",
        "--panel is 'nowhere.csv' but there is no such file",
        f"--imputer is 'magic' but must be one of {', '.join(IMPUTERS)}.",
        "--mask_fraction is '1' but must be at most 0.9.",
        "--chunk_variants is '10' but must be at least 100.",
        "--output_hds is 'maybe' but must be true or false.",
        "--seed is '12abc' but must be a whole number.",
    ]:
        assert sentence in run.output
    assert run.output.count("chunk_bases") == 1, "a name that Nextflow doubles is said once"


@pytest.mark.pipeline
def test_what_a_step_needs(nextflow: Nextflow) -> None:
    for step, needed in (
        ("impute", "--input and --panel"),
        ("call", "--input and --fasta"),
        ("population", "--input and --panel and --panel_labels"),
        ("express", "--input and --fasta and --genes and --expression_weights"),
    ):
        run = nextflow.pipeline("--steps", step)
        assert run.returncode != 0
        assert f"--steps {step} needs {needed}." in run.output


@pytest.mark.pipeline
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--compare_imputers", "knn,impute5"], "there is no imputer impute5; name some of copying, "),
        (["--compare_imputers", "knn", "--mask_fraction", "0"], "has nothing to measure: give --truth, or"),
        (["--compare_imputers", "knn, svd"], "must be names of imputers, separated by commas without blanks"),
    ],
)
def test_what_can_be_compared(nextflow: Nextflow, options: list[str], sentence: str) -> None:
    files = ["--input", str(ROOT / "assets/demo/samples.csv"), "--panel", str(ROOT / "assets/demo/panel.csv")]
    run = nextflow.pipeline("--steps", "impute", *files, *options)
    assert run.returncode != 0
    assert sentence in run.output


@pytest.mark.pipeline
def test_help_names_every_parameter_and_leaves_nothing(nextflow: Nextflow) -> None:
    done = nextflow("run", ROOT / "main.nf", "--help")
    assert done.returncode == 0, done.stdout
    shown = set(re.findall(r"^  --(\w+) ", done.stdout, re.MULTILINE))
    assert shown == {name for name, rule in RULES.items() if not rule.get("hidden")}
    assert f"({' | '.join(IMPUTERS)}) [adaptive-copying]" in done.stdout
    assert {path.name for path in nextflow.folder.iterdir()} <= {".nextflow", ".nextflow.log", "work"}


@pytest.mark.pipeline
def test_schema_and_configuration_agree(nextflow: Nextflow) -> None:
    done = nextflow("config", "-o", "json", ROOT)
    assert done.returncode == 0, done.stdout
    config = json.loads(done.stdout[done.stdout.index("{") :])
    assert set(config["params"]) == set(RULES)
    for name, value in config["params"].items():
        if RULES[name].get("hidden"):
            continue
        assert value == RULES[name].get("default"), f"--{name}"
        assert value is None or isinstance(value, python_type(RULES[name]["type"])), f"--{name}"
    assert config["manifest"]["version"] == config["params"]["image_tag"] == deepcohort.__version__


def python_type(name: str) -> tuple[type, ...]:
    return {"string": (str,), "boolean": (bool,), "integer": (int,), "number": (float, int)}[name]


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert [group["$ref"] for group in SCHEMA["allOf"]] == [f"#/$defs/{name}" for name in SCHEMA["$defs"]]
    for name, rule in RULES.items():
        assert rule["description"].endswith("."), f"--{name}"
        assert "pattern" not in rule or "errorMessage" in rule, f"--{name}"


def test_every_parameter_is_documented_with_its_default() -> None:
    text = (ROOT / "docs/usage.md").read_text()
    rows = dict(re.findall(r"^\| `--(\w+)` \|(.*)\|$", text, re.MULTILINE))
    assert set(rows) == {name for name, rule in RULES.items() if not rule.get("hidden")}
    for name, row in rows.items():
        assert RULES[name]["description"] in row, f"--{name}: write in docs/usage.md what the schema says"
        default = RULES[name].get("default")
        assert default is None or f"`{json.dumps(default).strip(chr(34))}`" in row, f"--{name}"
