"""Effects of variants as browsers and the report draw them."""

import numpy as np
import pandas as pd
import pyBigWig

from deepcohort.expression.browser import draw
from deepcohort.expression.loci import locus_rows
from deepcohort.expression.outputs import write_parquet

COLUMNS = ["cohort", "gene", "chrom", "pos", "ref", "alt", "track", "effect", "log2_ratio", "by"]


def effects(path, *rows):
    table = pd.DataFrame(rows, columns=COLUMNS[:-2]).assign(log2_ratio=np.nan)
    write_parquet(path, table.assign(by=np.where(table["effect"] == 0, "none", "ism")))
    return path


def test_a_base_has_the_largest_effect_of_all_genes_and_alleles(tmp_path):
    first = effects(
        tmp_path / "c.1.parquet",
        ("c", "A", "2", 30, "A", "C", "x/y", 0.5), ("c", "A", "2", 10, "A", "C", "x/y", 0.25),
        ("c", "A", "2", 30, "A", "G", "x/y", -0.75), ("c", "A", "2", 30, "A", "G", "x_y", 4),
        ("c", "A", "2", 40, "A", "G", "x/y", 0),
    )  # fmt: skip
    second = effects(tmp_path / "c.2.parquet", ("c", "B", "2", 10, "A", "C", "x/y", -0.5))
    third = effects(tmp_path / "c.3.parquet", ("c", "D", "10", 5, "A", "C", "x/y", 1))
    empty = effects(tmp_path / "c.4.parquet")
    fourth = effects(tmp_path / "b.1.parquet", ("b", "A", "2", 10, "A", "C", "t", 0))
    again = effects(tmp_path / "d.1.parquet", ("c", "B", "2", 45, "A", "C", "x_y", 2))
    (tmp_path / "r.fa.fai").write_text("chr10\t9\t7\t9\t10\nchr2\t50\t30\t50\t51\nchrUn\t5\t99\t5\t6\n")
    drawn = [tmp_path / "one", tmp_path / "other"]
    for folder in drawn:
        folder.mkdir()
        draw([first, second, empty, third, fourth, again], tmp_path / "r.fa.fai", folder)
    texts = {path.name: path.read_text() for path in drawn[0].glob("*.bedgraph")}
    assert texts == {
        "c.x_y.bedgraph": "chr2\t9\t10\t-0.5\nchr2\t29\t30\t-0.75\nchr10\t4\t5\t1\n",
        "c.x_y.2.bedgraph": "chr2\t29\t30\t4\nchr2\t44\t45\t2\n",
    }
    for name, text in texts.items():
        packed = drawn[0] / name.replace("bedgraph", "bw")
        assert packed.read_bytes() == (drawn[1] / packed.name).read_bytes()
        with pyBigWig.open(str(packed)) as file:
            assert file.chroms() == {"chr2": 50, "chr10": 9, "chrUn": 5}
            read = [(chrom, *one) for chrom in ("chr2", "chr10") for one in file.intervals(chrom) or ()]
        assert read == [
            (chrom, int(start), int(end), float(value))
            for chrom, start, end, value in (line.split() for line in text.splitlines())
        ]


def test_loci_are_the_genes_of_the_largest_r_with_weights_of_people(tmp_path):
    genes = [f"G{n}" for n in range(8)]
    told = effects(
        tmp_path / "c.1.effects.parquet",
        *(("c", gene, "1", pos, "A", "C", "t", pos / 100) for gene in genes for pos in (20, 10)),
        ("list", "G1", "1", 15, "A", "C", "t", 1),
    )
    rows = [("elastic_net", "G1", 9, "A", "C", 0.5), ("combination", "G1", 19, "A", "C", 0.5)]
    weights = tmp_path / "c.1.weights.parquet"
    write_parquet(weights, pd.DataFrame(rows, columns=["method", "gene", "pos", "ref", "alt", "weight"]))
    table = pd.DataFrame({"gene": genes, "r": ["NA", "-0.9", *(f"0.{n}" for n in range(2, 8))]})
    table = table.assign(cohort="c", name=table["gene"].str.lower(), split="people", group="all", method="m")
    found = pd.DataFrame(locus_rows(table, "m", [told], {"c": [weights]}))
    assert set(found["gene"]) == {"G1", "G3", "G4", "G5", "G6", "G7"}
    first = found[found["gene"] == "G1"]
    assert first[["name", "pos", "effect", "weight"]].to_numpy().tolist() == [
        ["g1", "10", "0.1", "0.5"], ["g1", "20", "0.2", "NA"],
    ]  # fmt: skip
    assert locus_rows(table, "m", [], {}) == []
