"""The commands of bin/expression.py refuse bad input in one sentence."""

from tests.scripts import run_script


def test_genes_are_shared_out_by_chromosome_and_doubts_are_said(tmp_path):
    bed = tmp_path / "middles.bed"
    bed.write_text("".join(f"chr{n}\t1000\t1200\tG{n}\t0\t+\n" for n in (2, 1, 10)))
    outs = ("--out-shards", tmp_path / "shards.tsv", "--out-notes", tmp_path / "notes.tsv")
    done = run_script("expression", "plan", "--genes", bed, "--out", tmp_path / "genes", *outs)
    assert done.returncode == 0 and "windows around a point" in done.stderr
    assert {path.name for path in (tmp_path / "genes").iterdir()} == {f"0000{n}.tsv" for n in (1, 2, 3)}
    shards = (tmp_path / "shards.tsv").read_text().splitlines()[1:]
    assert shards == ["00001\t1\t1", "00002\t2\t1", "00003\t10\t1"]
    assert "windows around a point" in (tmp_path / "notes.tsv").read_text()


def test_weights_of_another_model_end_with_one_sentence(tmp_path):
    for name in ("r.fa", "v.vcf.gz", "w.npz"):
        (tmp_path / name).write_bytes(b"x")
    genes = tmp_path / "1.tsv"
    genes.write_text("gene\tname\tchrom\ttss\tstrand\tstart\tend\texons\nG\tG\t1\t5\t+\t5\t6\t\n")
    files = ("--genes", genes, "--fasta", tmp_path / "r.fa", "--genotypes", tmp_path / "v.vcf.gz")
    outs = ("--out", tmp_path / "p.parquet", "--out-counts", tmp_path / "p.tsv")
    done = run_script(
        "expression", "predict", "--cohort", "c", *files, "--weights", tmp_path / "w.npz", *outs
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("ERROR: w.npz: not weights of xpresso")
    assert not (tmp_path / "p.parquet").exists()
