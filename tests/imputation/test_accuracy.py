"""Accuracy against a truth: simulated files, compared with numpy.corrcoef and loops over genotypes."""

import csv
import math
from pathlib import Path

import numpy as np
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcohort.genome.errors import InputError
from deepcohort.genome.tables import write_table
from deepcohort.imputation.accuracy import COLUMNS, PART_COLUMNS, combine, score_chromosome
from deepcohort.imputation.accuracy_table import MAF_BINS, maf_bin, squared_correlation

IMPUTED_HEADER = """##fileformat=VCFv4.2
##contig=<ID={contig}>
##INFO=<ID=AC,Number=A,Type=Integer,Description="Alleles">
##INFO=<ID=AN,Number=1,Type=Integer,Description="Alleles in all">
##INFO=<ID=RAF,Number=A,Type=Float,Description="Panel frequency">
##INFO=<ID=R2,Number=A,Type=Float,Description="Estimated R2">
##INFO=<ID=IMP,Number=0,Type=Flag,Description="Imputed">
##INFO=<ID=TYPED,Number=0,Type=Flag,Description="Typed">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=DS,Number=A,Type=Float,Description="Dosage">
"""
COLUMN_LINE = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"


def write_vcf(path: Path, samples: list[str], lines: list[str], contig: str = "20") -> Path:
    text = IMPUTED_HEADER.format(contig=contig) + COLUMN_LINE + "\t".join(samples) + "\n" + "\n".join(lines)
    with pysam.BGZFile(str(path), "wb", None) as out:
        out.write(text.encode() + b"\n")
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return path


def genotype(copies: int) -> str:
    return {0: "0|0", 1: "0|1", 2: "1|1", -1: ".|."}[int(copies)]


class Simulated:
    """A truth and a noisy imputation of it, kept as arrays beside the files."""

    def __init__(self, folder: Path, seed: int, *, people: int = 40, sites: int = 300, contig: str = "20"):
        rng = np.random.default_rng(seed)
        self.contig = contig
        self.samples = [f"Zoë{i}" for i in range(people)]
        self.pos = np.sort(rng.choice(np.arange(1, 100_000), sites, replace=False))
        self.raf = np.round(rng.choice([0.0005, 0.003, 0.007, 0.03, 0.1, 0.4, 0.97, 0.6], sites), 4)
        self.truth = rng.binomial(2, np.clip(self.raf * 3, 0.02, 0.9)[:, None], (sites, people))
        self.dosage = np.round(np.clip(self.truth * 0.8 + rng.normal(0.1, 0.3, self.truth.shape), 0, 2), 3)
        self.guess = np.rint(self.dosage).astype(int)
        self.r2 = np.round(rng.uniform(0, 1, sites), 3)
        self.typed = rng.random(sites) < 0.1
        self.imputed_path = write_vcf(folder / f"imputed.{seed}.vcf.gz", self.samples, self.imputed(), contig)
        self.truth_path = write_vcf(folder / f"truth.{seed}.vcf.gz", self.samples, self.true(), contig)

    def imputed(self) -> list[str]:
        return [
            f"{self.contig}\t{p}\t.\tA\tC\t.\t.\tRAF={f};R2={r};{'TYPED' if t else 'IMP'}\tGT:DS\t"
            + "\t".join(f"{genotype(g)}:{d}" for g, d in zip(guesses, dosages, strict=True))
            for p, f, r, t, guesses, dosages in zip(
                self.pos, self.raf, self.r2, self.typed, self.guess, self.dosage, strict=True
            )
        ]

    def true(self) -> list[str]:
        return [
            f"{self.contig}\t{p}\t.\tA\tC\t.\t.\t.\tGT\t" + "\t".join(map(genotype, calls))
            for p, calls in zip(self.pos, self.truth, strict=True)
        ]

    def score(self, folder: Path, **options) -> Path:
        chosen = {"kind": "truth", "cohort": "c", "imputer": "copying", "labels": None, "seed": 3}
        rows = score_chromosome(
            self.imputed_path, self.truth_path, chrom=self.contig.removeprefix("chr"), **(chosen | options)
        )
        path = folder / f"{self.imputed_path.name}.accuracy.tsv"
        write_table(path, rows, PART_COLUMNS)
        return path


def brute_force(
    simulations: list[Simulated], which: str, people: list[int] | None = None
) -> dict[str, float]:
    """Every figure of a bin from loops over genotypes and numpy.corrcoef."""
    x, y, b, equal, carriers, errors, sites = [], [], [], [], [], [], 0
    for sim in simulations:
        for s in range(len(sim.pos)):
            name = MAF_BINS[maf_bin(sim.raf[s])]
            if sim.typed[s] or name != which:
                continue
            sites += 1
            chosen = range(len(sim.samples)) if people is None else people
            site_x, site_y = [], []
            for i in chosen:
                turn = sim.raf[s] > 0.5
                site_x.append(2 - sim.dosage[s, i] if turn else sim.dosage[s, i])
                site_y.append(2 - sim.truth[s, i] if turn else sim.truth[s, i])
                b.append(round(2 * min(sim.raf[s], 1 - sim.raf[s]), 9))
                equal.append(sim.guess[s, i] == sim.truth[s, i])
                carriers.append(sim.guess[s, i] > 0 or sim.truth[s, i] > 0)
            x += site_x
            y += site_y
            if len(set(site_y)) > 1:
                true_r2 = np.corrcoef(site_x, site_y)[0, 1] ** 2 if len(set(site_x)) > 1 else 0.0
                errors.append(abs(sim.r2[s] - true_r2))
    with np.errstate(all="ignore"):
        baseline = np.corrcoef(b, y)[0, 1] ** 2 if len(set(b)) > 1 else math.nan
    equal, carriers = np.array(equal), np.array(carriers)
    return {
        "sites": sites,
        "r2": np.corrcoef(x, y)[0, 1] ** 2,
        "concordance": equal.mean(),
        "nonref_concordance": equal[carriers].mean(),
        "mean_abs_info_error": np.mean(errors),
        "baseline_r2": baseline,
    }


def number(cell: str) -> float:
    return math.nan if cell == "NA" else float(cell)


def by_bin(rows: list[dict[str, str]], population: str = "all") -> dict[str, dict[str, str]]:
    return {row["maf_bin"]: row for row in rows if row["population"] == population}


def check_figures(row: dict[str, str], expected: dict[str, float]) -> None:
    for key, value in expected.items():
        assert number(row[key]) == pytest.approx(value, abs=2e-6, nan_ok=True), key


def test_figures_equal_loops_over_genotypes(tmp_path):
    sim = Simulated(tmp_path, 1)
    rows = by_bin(combine([sim.score(tmp_path)]))
    assert list(rows) == ["0.02-0.1%", "0.1-0.5%", "0.5-1%", "1-5%", "5-20%", "20-50%"]
    for name, row in rows.items():
        check_figures(row, brute_force([sim], name))
        assert row["people"] == "40"
        assert 0 <= number(row["r2_low"]) <= number(row["r2"]) <= number(row["r2_high"]) <= 1


def test_chromosomes_combined_equal_the_pooled(tmp_path):
    first, second = Simulated(tmp_path, 1), Simulated(tmp_path, 2, contig="chr21")
    rows = by_bin(combine([first.score(tmp_path), second.score(tmp_path)]))
    for name, row in rows.items():
        check_figures(row, brute_force([first, second], name))


def test_the_benchmark_s_own_scoring_agrees(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    from benchmarks import scoring

    sim = Simulated(tmp_path, 5)
    sites = [f"20\t{p}\t.\tA\tC\t.\t.\tAC={round(f * 10_000)};AN=10000\tGT\t0|0" for p, f in
             zip(sim.pos, sim.raf, strict=True)]  # fmt: skip
    panel = write_vcf(tmp_path / "panel.vcf.gz", ["a"], sites)
    typed = write_vcf(
        tmp_path / "typed.vcf.gz", ["a"], [line for line, t in zip(sites, sim.typed, strict=True) if t]
    )
    theirs = scoring.table(scoring.score(sim.imputed_path, sim.truth_path, panel, typed))
    rows = by_bin(combine([sim.score(tmp_path)]))
    assert [row["maf_bin"] for row in theirs] == list(rows)
    for row in theirs:
        ours = rows[row["maf_bin"]]
        assert row["sites"] == ours["sites"]
        for key in ("r2", "concordance", "nonref_concordance"):
            assert float(row[key]) == pytest.approx(float(ours[key]), abs=1e-4)


def test_order_of_the_parts_changes_nothing_but_rounding(tmp_path):
    parts = [Simulated(tmp_path, seed, contig=f"chr{seed}").score(tmp_path) for seed in (1, 2, 3)]
    for one, other in zip(combine(parts), combine(parts[::-1]), strict=True):
        assert {k: v for k, v in one.items() if "r2" not in k} == {
            k: v for k, v in other.items() if "r2" not in k
        }
        assert number(one["r2"]) == pytest.approx(number(other["r2"]), abs=2e-6)


def test_interval_covers_as_a_bootstrap_over_people_does(tmp_path):
    sim = Simulated(tmp_path, 4, people=30, sites=120)
    row = by_bin(combine([sim.score(tmp_path, bootstrap=2000)]))["20-50%"]
    kept = [s for s in range(len(sim.pos)) if not sim.typed[s] and min(sim.raf[s], 1 - sim.raf[s]) >= 0.2]
    turn = sim.raf[kept] > 0.5
    x = np.where(turn[:, None], 2 - sim.dosage[kept], sim.dosage[kept])
    y = np.where(turn[:, None], 2 - sim.truth[kept], sim.truth[kept])
    rng = np.random.default_rng(99)
    drawn = []
    for _ in range(2000):
        people = rng.integers(0, 30, 30)
        drawn.append(np.corrcoef(x[:, people].ravel(), y[:, people].ravel())[0, 1] ** 2)
    low, high = np.quantile(drawn, [0.025, 0.975])
    width = high - low
    assert number(row["r2_low"]) == pytest.approx(low, abs=0.15 * width)
    assert number(row["r2_high"]) == pytest.approx(high, abs=0.15 * width)


def test_same_seed_same_table_other_seed_other_interval(tmp_path):
    sim = Simulated(tmp_path, 1)
    first, again = combine([sim.score(tmp_path)]), combine([sim.score(tmp_path)])
    other = combine([sim.score(tmp_path, seed=4)])
    assert first == again
    assert [row["r2"] for row in first] == [row["r2"] for row in other]
    assert [row["r2_low"] for row in first] != [row["r2_low"] for row in other]


def labels_of(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    lines = ["sample\tpopulation\tsuperpopulation", *("\t".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_populations_by_label_and_unlabelled_people_counted(tmp_path):
    sim = Simulated(tmp_path, 1)
    labelled = [(name, ("YRI", "GBR", "FIN")[i % 3], ("AFR", "EUR", "EUR")[i % 3]) for i, name in
                enumerate(sim.samples[:33])]  # fmt: skip
    labels = labels_of(tmp_path / "labels.tsv", [*labelled, ("somebody else", "JPT", "EAS")])
    rows = combine([sim.score(tmp_path, labels=labels)])
    order = list(dict.fromkeys(row["population"] for row in rows))
    assert order == ["all", "AFR", "EUR", "FIN", "GBR", "YRI"]
    levels = dict.fromkeys((row["population"], row["level"]) for row in rows)
    assert [level for _, level in levels] == ["all", *["superpopulation"] * 2, *["population"] * 3]
    assert {row["unlabelled_people"] for row in rows} == {"7"}
    assert by_bin(rows)["1-5%"]["people"] == "40"
    for name, row in by_bin(rows, "EUR").items():
        check_figures(row, brute_force([sim], name, [i for i in range(33) if i % 3]))
        assert row["people"] == "22"
    for name, row in by_bin(rows, "FIN").items():
        check_figures(row, brute_force([sim], name, [i for i in range(33) if i % 3 == 2]))


def test_without_labels_nobody_is_called_unlabelled(tmp_path):
    rows = combine([Simulated(tmp_path, 1).score(tmp_path)])
    assert {row["unlabelled_people"] for row in rows} == {"NA"}
    assert {row["population"] for row in rows} == {"all"}


def small(tmp_path: Path, imputed: list[str], true: list[str], **options) -> list[dict[str, str]]:
    """Score three people; lines are ``POS REF ALT INFO FORMAT a b c``."""
    ours = write_vcf(tmp_path / "o.vcf.gz", ["a", "b", "c"], [full(line) for line in imputed])
    theirs = write_vcf(tmp_path / "t.vcf.gz", ["c", "x", "b", "a"], [full(line) for line in true])
    chosen = {"kind": "truth", "cohort": "c", "chrom": "20", "imputer": "knn", "labels": None, "seed": 1}
    write_table(tmp_path / "p.tsv", score_chromosome(ours, theirs, **(chosen | options)), PART_COLUMNS)
    return combine([tmp_path / "p.tsv"])


def full(line: str) -> str:
    pos, ref, alt, info, form, *calls = line.split()
    return "\t".join(["20", pos, ".", ref, alt, ".", ".", info, form, *calls])


OURS = "RAF=0.3;R2=0.5;IMP GT:DS"


def test_people_are_matched_by_name_whatever_the_order(tmp_path):
    rows = small(
        tmp_path, [f"10 A C {OURS} 0|0:0 0|1:1 1|1:2"], ["10 A C . GT 1/1 0/0 0/1 0/0"]
    )  # truth of c, x, b, a
    assert [(row["r2"], row["concordance"], row["people"]) for row in rows] == [("1.000000", "1.000000", "3")]


def test_a_missing_truth_is_not_compared(tmp_path):
    rows = small(tmp_path, [f"10 A C {OURS} 0|0:0 0|1:1 1|1:0.1"], ["10 A C . GT ./. 0/0 0/1 0/0"])
    assert (rows[0]["people"], rows[0]["r2"], rows[0]["concordance"]) == ("2", "1.000000", "1.000000")
    rows = small(tmp_path, [f"10 A C {OURS} 0|0:0 0|1:1 1|1:0.1"], ["10 A C . GT ./1 0/0 0/1 0/0"])
    assert rows[0]["people"] == "2"


def test_haploid_people_count_with_their_one_copy(tmp_path):
    rows = small(
        tmp_path,
        [f"10 A C {OURS} 0:0.1 0|1:1.2 1:0.7", f"20 A C {OURS} 1:0.9 0|0:0.2 0:0.2"],
        ["10 A C . GT 1 0/0 0/1 0", "20 A C . GT 0 0/0 0/0 1"],
    )
    expected = np.corrcoef([0.1, 1.2, 0.7, 0.9, 0.2, 0.2], [0, 1, 1, 1, 0, 0])[0, 1] ** 2
    assert number(rows[0]["r2"]) == pytest.approx(expected, abs=1e-6)
    assert rows[0]["concordance"] == "1.000000"


def test_haploid_people_of_a_turned_site(tmp_path):
    line = "RAF=0.8;R2=0.5;IMP GT:DS"
    rows = small(tmp_path, [f"10 A C {line} 0:0.1 0|1:1.2 1:0.7"], ["10 A C . GT 1 0/0 0/1 0"])
    expected = np.corrcoef([0.9, 0.8, 0.3], [1, 1, 0])[0, 1] ** 2
    assert number(rows[0]["r2"]) == pytest.approx(expected, abs=1e-6)


def test_people_whose_ploidy_differs_are_not_compared(tmp_path):
    rows = small(tmp_path, [f"10 A C {OURS} 0|0:0 0|1:1 1|1:2"], ["10 A C . GT 1 0/0 0/1 0/0"])
    assert rows[0]["people"] == "2"


def test_swapped_and_flipped_truth_is_turned_round(tmp_path):
    imputed = [f"{pos} A C {OURS} 0|0:0 0|1:1 1|1:2" for pos in (10, 20, 30)]
    truth = ["10 C A . GT 0/0 0/0 0/1 1/1", "20 T G . GT 1/1 0/0 0/1 0/0", "30 G T . GT 0/0 0/0 0/1 1/1"]
    rows = small(tmp_path, imputed, truth)
    assert (rows[0]["sites"], rows[0]["r2"], rows[0]["concordance"]) == ("3", "1.000000", "1.000000")


def test_records_at_one_position_find_their_own_truth(tmp_path):
    imputed = [f"10 A C {OURS} 0|0:0 0|1:1 1|1:2", f"10 AT A {OURS} 1|1:2 0|1:1 0|0:0"]
    truth = ["10 AT A . GT 0/0 0/0 0/1 1/1", "10 A C . GT 1/1 0/0 0/1 0/0"]
    rows = small(tmp_path, imputed, truth)
    assert (rows[0]["sites"], rows[0]["r2"]) == ("2", "1.000000")


def test_what_is_left_out_is_counted(tmp_path):
    imputed = [
        f"10 A C {OURS} 0|0:0 0|1:1 1|1:2",
        f"20 A C,G {OURS.replace('0.3', '0.3,0.1')} 0|0:0,0 0|1:1,0 1|1:2,0",
        f"25 A C {OURS} 0|0:0 0|1:1 1|1:2",
        f"25 A G {OURS} 0|0:0 0|1:1 1|1:2",
        f"30 A C {OURS.replace('0.3', '0')} 0|0:0 0|1:1 1|1:2",
        f"40 A C {OURS} 0|0:0 0|1:1 1|1:2",
        f"50 A C {OURS.replace('IMP', 'TYPED')} 0|0:0 0|1:1 1|1:2",
    ]
    truth = [f"{pos} A C . GT 1/1 0/0 0/1 0/0" for pos in (10, 20, 25, 30, 50)]
    (row,) = small(tmp_path, imputed, truth)
    keys = ("sites", "multiallelic_sites", "monomorphic_sites", "sites_without_truth", "people_without_truth")
    assert [row[key] for key in keys] == ["1", "3", "1", "1", "0"]


def test_masked_sites_are_scored_though_called_typed(tmp_path):
    imputed = [f"10 A C {OURS.replace('IMP', 'TYPED')} 0|0:0 0|1:1 1|1:2"]
    rows = small(tmp_path, imputed, ["10 A C . GT 1/1 0/0 0/1 0/0"], kind="masked")
    assert (rows[0]["sites"], rows[0]["source"]) == ("1", "masked")


def test_a_bin_that_does_not_vary_is_not_available(tmp_path):
    (row,) = small(tmp_path, [f"10 A C {OURS} 0|0:0 0|0:0.1 0|0:0"], ["10 A C . GT 0/0 0/0 0/0 0/0"])
    keys = ("r2", "r2_low", "r2_high", "nonref_concordance", "mean_abs_info_error", "baseline_r2")
    assert {row[key] for key in keys} == {"NA"}
    assert row["concordance"] == "1.000000"


def test_a_dosage_that_does_not_vary_has_true_r2_zero(tmp_path):
    (row,) = small(tmp_path, [f"10 A C {OURS} 0|0:0.5 0|0:0.5 0|0:0.5"], ["10 A C . GT 1/1 0/0 0/0 0/0"])
    assert row["mean_abs_info_error"] == "0.500000"


def test_nobody_in_common_is_refused(tmp_path):
    ours = write_vcf(tmp_path / "o.vcf.gz", ["a"], [full(f"10 A C {OURS} 0|0:0")])
    theirs = write_vcf(tmp_path / "t.vcf.gz", ["b"], [full("10 A C . GT 0/0")])
    with pytest.raises(InputError, match=r"t.vcf.gz: none of its samples is in o.vcf.gz \(e.g. b\)"):
        score_chromosome(
            ours, theirs, kind="truth", cohort="c", chrom="20", imputer="knn", labels=None, seed=1
        )


def test_a_truth_of_another_chromosome_is_refused(tmp_path):
    ours = write_vcf(tmp_path / "o.vcf.gz", ["a"], [full(f"10 A C {OURS} 0|0:0")])
    theirs = write_vcf(tmp_path / "t.vcf.gz", ["a"], ["21\t10\t.\tA\tC\t.\t.\t.\tGT\t0/0"], contig="21")
    with pytest.raises(InputError, match=r"t.vcf.gz: chromosome 20 is not in the file"):
        score_chromosome(
            ours, theirs, kind="truth", cohort="c", chrom="20", imputer="knn", labels=None, seed=1
        )


@pytest.mark.parametrize(
    ("line", "lacks"), [("10 A C R2=1;IMP GT:DS 0|0:0", "INFO RAF"), ("10 A C RAF=0.1 GT 0|0", "FORMAT DS")]
)
def test_an_imputed_file_of_another_program_is_refused(tmp_path, line, lacks):
    ours = write_vcf(tmp_path / "o.vcf.gz", ["a"], [full(line)])
    theirs = write_vcf(tmp_path / "t.vcf.gz", ["a"], [full("10 A C . GT 0/0")])
    with pytest.raises(InputError, match=f"o.vcf.gz: the record at 20:10 lacks {lacks}"):
        score_chromosome(
            ours, theirs, kind="truth", cohort="c", chrom="20", imputer="knn", labels=None, seed=1
        )


def test_a_truth_without_genotypes_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"t.vcf.gz: the record at 20:10 has no GT"):
        small(tmp_path, [f"10 A C {OURS} 0|0:0 0|0:0 0|0:0"], ["10 A C . DS 1 1 1 1"])


def test_another_table_is_refused(tmp_path):
    (tmp_path / "x.tsv").write_text("cohort\tr2\nc\t1\n")
    with pytest.raises(InputError, match=r"x.tsv: not a table of accuracy sums"):
        combine([tmp_path / "x.tsv"])


def test_the_table_is_written_with_its_columns(tmp_path):
    rows = combine([Simulated(tmp_path, 1).score(tmp_path)])
    write_table(tmp_path / "accuracy.tsv", rows, COLUMNS)
    with (tmp_path / "accuracy.tsv").open(newline="") as file:
        assert list(csv.DictReader(file, delimiter="\t")) == rows
    assert "nan" not in (tmp_path / "accuracy.tsv").read_text()


@pytest.mark.parametrize(
    ("frequency", "name"),
    [
        (0.0001, "0-0.02%"), (0.0002, "0.02-0.1%"), (0.9998, "0.02-0.1%"), (0.001, "0.1-0.5%"),
        (float(np.float32(0.01)), "1-5%"), (float(np.float32(0.99)), "1-5%"), (0.05, "5-20%"),
        (float(np.float32(0.8)), "20-50%"), (0.5, "20-50%"),
    ],
)  # fmt: skip
def test_bins_hold_their_lower_end(frequency, name):
    assert MAF_BINS[maf_bin(frequency)] == name


@pytest.mark.parametrize("frequency", [0.0, 1.0, math.nan])
def test_monomorphic_sites_are_in_no_bin(frequency):
    assert maf_bin(frequency) is None


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0, 2, width=16)), min_size=2, max_size=60))
def test_squared_correlation_from_sums_equals_corrcoef(pairs):
    y, x = (np.array(column, float) for column in zip(*pairs, strict=True))
    value = float(squared_correlation(len(x), x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum()))
    if x.std() < 1e-3 or y.std() < 1e-3:
        assert math.isnan(value) or 0 <= value <= 1
    else:
        assert value == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2, abs=1e-6)
