"""The panel's files with some people alone."""

import pysam

from tests.population.people import Simulated
from tests.scripts import run_script


def test_the_people_of_a_list_in_its_order(tmp_path):
    made = Simulated(people=4, sites=30)
    panel = made.write_vcf(tmp_path / "a panel.vcf.gz", range(10))
    with pysam.VariantFile(str(panel)) as file:
        names = list(file.header.samples)
        whole = {record.pos: [record.samples[name]["GT"] for name in names] for record in file}
    (tmp_path / "people.txt").write_text(f"{names[7]}\t0.5\n{names[2]}\n")
    given = ("--panel", panel, "--out", tmp_path / "few.vcf.gz", "--samples", tmp_path / "people.txt")
    done = run_script("population", "subset-panel", *given)
    assert done.returncode == 0, done.stderr
    with pysam.VariantFile(str(tmp_path / "few.vcf.gz")) as file:
        assert list(file.header.samples) == [names[7], names[2]]
        found = {record.pos: [one["GT"] for one in record.samples.values()] for record in file}
    assert found == {pos: [cells[7], cells[2]] for pos, cells in whole.items()}
    (tmp_path / "people.txt").write_text("nobody\n")
    refused = run_script("population", "subset-panel", *given)
    assert refused.returncode == 2 and "names nobody, whom a panel.vcf.gz lacks" in refused.stderr
