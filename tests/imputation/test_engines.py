"""Outside programs: what is written for them and read from them; they themselves where installed."""

import shutil
import subprocess
from dataclasses import replace
from functools import partial

import numpy as np
import pysam
import pytest
from cyvcf2 import VCF

from deepcohort.genome.errors import InputError
from deepcohort.genome.maps import read_genetic_map
from deepcohort.imputation.engine_files import write_map, write_panel, write_target
from deepcohort.imputation.engines import read_imputed, write_input
from deepcohort.imputation.imputers import Engine
from deepcohort.imputation.targets import TargetChunk
from tests.genotypes import bgzip, write_vcf
from tests.imputation.cohort import RATES, cohort
from tests.imputation.haplotypes import founders, mosaics, panel_chunk
from tests.imputation.haplotypes import write_target as write_target_vcf
from tests.scripts import run_script

run = partial(run_script, "imputation")


def installed(program):
    return pytest.param(
        Engine(program),
        marks=pytest.mark.skipif(
            shutil.which(program) is None, reason=f"{program} is not installed (Debian's package {program})"
        ),
    )


PROGRAMS = [installed("beagle"), installed("minimac4")]


@pytest.fixture(scope="module")
def data():
    return cohort(n_panel=41)


def alleles_of(path):
    """Genotypes of a file without their phases, int[S, people, 2]; -1 missing, -2 none."""
    return np.array([record.genotype.array()[:, :2] for record in VCF(str(path))])


def test_panel_holds_every_haplotype_at_every_site(data, tmp_path):
    path = tmp_path / "panel.vcf.gz"
    write_panel(path, data.panel, 2)
    found = alleles_of(path).reshape(90, -1)
    assert (found[:, :41] == data.panel.alleles(np.arange(90))).all()
    assert found.shape == (90, 42) and (found[:, 41] == -2).all(), "the last of 41 haplotypes stands alone"
    sites = [(v.CHROM, v.POS, v.ID, v.REF, v.ALT) for v in VCF(str(path))]
    panel = data.panel
    assert sites == [
        ("20", int(panel.pos[i]), str(i), panel.ref[i], [panel.alt[i]]) for i in range(panel.n_sites)
    ]


@pytest.mark.parametrize("companion", [False, True])
def test_target_holds_typed_sites_as_harmonised(data, tmp_path, companion):
    path = tmp_path / "target.vcf.gz"
    target = data.target
    write_target(path, data.panel, target, companion, 1)
    found = alleles_of(path)
    if companion:
        assert (found[:, 0] == data.panel.alleles(target.typed)[:, :2]).all()
    expected = target.genotypes.copy()
    man = np.flatnonzero(target.haploid)
    expected[:, man, 1] = expected[:, man, 0]
    assert (found[:, int(companion) :] == expected).all()
    assert [int(v.ID) for v in VCF(str(path))] == target.typed.tolist()
    last = pysam.bcftools.query("-f", "[%GT ]\\n", str(path)).splitlines()[-1].split()
    phased = ["|" in genotype for genotype in last[int(companion) :]]
    assert phased == target.phased.tolist()
    position = int(data.panel.pos[target.typed[3]])
    assert len(list(VCF(str(path))(f"20:{position}-{position}"))) == 1, "there is an index"


def test_sites_that_the_panel_holds_twice_are_told_apart(data, tmp_path):
    panel = data.panel
    pos, ref, alt = panel.pos.copy(), list(panel.ref), list(panel.alt)
    pos[4:6], ref[4:6], alt[4:6] = pos[3], [ref[3]] * 2, [alt[3], "<DEL>"]
    write_panel(tmp_path / "panel.vcf.gz", replace(panel, pos=pos, ref=ref, alt=alt), 1)
    alts = [v.ALT[0] for v in VCF(str(tmp_path / "panel.vcf.gz"))]
    assert alts[3:6] == [alt[3], "<TWIN4>", "<DEL>"]


@pytest.mark.parametrize("sites", [90, 1])
def test_map_tells_the_same_distances(data, tmp_path, sites):
    panel = replace(data.panel, pos=data.panel.pos[:sites], cm=data.panel.cm[:sites] - 7.5)
    write_map(tmp_path / "chunk.map", panel)
    found = read_genetic_map(tmp_path / "chunk.map", "20").interpolate(panel.pos)
    assert found[0] == 0
    assert np.allclose(np.diff(found), np.diff(panel.cm), atol=1e-6)


def answer(path, engine, haplotypes, *, sites=None, people=None, fields=None):
    """A program's output: the chances of ALT on every haplotype [S, 2n], three decimals."""
    first = [[0.5, 0.5]] if engine is Engine.minimac4 else []
    fields = fields or ("HDS" if engine is Engine.minimac4 else "AP1:AP2")
    rows = []
    for site in range(len(haplotypes)) if sites is None else sites:
        pairs = [*first, *haplotypes[site].reshape(-1, 2)][:people]
        mark = "," if engine is Engine.minimac4 else ":"
        cells = [f"{one:.3f}{mark}{two:.3f}" for one, two in pairs]
        rows.append(
            "\t".join(["20", str(1000 * (site + 1)), str(site), "A", "C", ".", ".", ".", fields, *cells])
        )
    number = 2 if engine is Engine.minimac4 else 1
    header = ["##fileformat=VCFv4.2", "##contig=<ID=20>"]
    header += [
        f'##FORMAT=<ID={name},Number={number},Type=Float,Description="x">' for name in fields.split(":")
    ]
    names = [f"T{i}" for i in range(len(rows[0].split("\t")) - 9)]
    columns = "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names])
    return bgzip(path, "\n".join([*header, columns, *rows]) + "\n")


@pytest.fixture
def told(data):
    return np.random.default_rng(3).integers(1001, size=(90, 24)) / 1000


@pytest.mark.parametrize("engine", list(Engine))
def test_answers_become_chances_as_models_give_them(data, told, tmp_path, engine):
    target = replace(data.target, genotypes=np.where(data.target.genotypes == 1, 0, data.target.genotypes))
    path = answer(tmp_path / "a.vcf.gz", engine, told)
    found = read_imputed(path, engine, data.panel, target)
    assert found.counts["typed_sites"] == 30 and found.counts["imputed_sites"] == 60
    untyped = np.setdiff1d(np.arange(90), target.typed)
    for person in range(12):
        one, two = told[untyped, 2 * person], told[untyped, 2 * person + 1]
        mine = found.chances[untyped, 2 * person : 2 * person + 2].T
        if target.haploid[person]:
            assert np.allclose(mine[0], (one + two) / 2, atol=1e-6)
        elif target.phased[person]:
            assert np.allclose(mine, [one, two], atol=1e-6)
        else:
            assert np.allclose(mine, [one + two - 2 * one * two, one * two], atol=1e-6)
    observed = (target.genotypes[:, :8] >= 0).reshape(30, -1)
    kept = found.chances[target.typed, :16]
    assert (kept[observed] == target.genotypes[:, :8].reshape(30, -1)[observed]).all()
    assert np.allclose(kept[~observed], told[target.typed, :16][~observed], atol=1e-6)


def test_people_whom_beagle_phased_anew_get_the_phase_of_the_input(data, tmp_path):
    """What it says of the true haplotypes, exchanged from the middle of the chunk on, is turned back."""
    target = data.people(1, 8)
    true = data.truth[:, 1:8].astype(float)
    exchanged = true.copy()
    exchanged[45:, :, :] = true[45:, :, ::-1]
    path = answer(tmp_path / "a.vcf.gz", Engine.beagle, exchanged.reshape(90, -1))
    found = read_imputed(path, Engine.beagle, data.panel, target).chances.reshape(90, -1, 2)
    het = (true[target.typed, :, 0] != true[target.typed, :, 1]) & (target.genotypes >= 0).all(axis=2)
    checked = 0
    for person in range(7):
        at = target.typed[het[:, person]]
        if len(at) < 2 or at[0] >= 45 or at[-1] < 45:
            continue
        checked += 1
        cm, last, first = data.panel.cm, at[at < 45][-1], at[at >= 45][0]
        middle = (cm[last] + cm[first]) / 2
        near = np.where(cm < middle, np.arange(90) < 45, np.arange(90) >= 45)
        assert (found[near, person] == true[near, person]).all()
        assert (found.sum(axis=2)[:, person] == true.sum(axis=2)[:, person]).all()
    assert checked > 3


def test_hidden_sites_alone_are_read_of_a_masked_target(data, told, tmp_path):
    masked = data.target.masking(data.panel.pos, 0.3, 1)
    found = read_imputed(
        answer(tmp_path / "a.vcf.gz", Engine.minimac4, told), Engine.minimac4, data.panel, masked
    )
    assert 0 < len(found.sites) == len(masked.masked) < 30
    assert np.allclose(found.chances[:, 2:10], told[found.sites, 2:10], atol=1e-6)


def refused(message, function, *arguments):
    with pytest.raises(InputError, match=message):
        function(*arguments)


def test_answers_that_lack_something_are_refused(data, told, tmp_path):
    def read(**options):
        path = answer(tmp_path / "a.vcf.gz", Engine.beagle, told, **options)
        return read_imputed(path, Engine.beagle, data.panel, data.target)

    refused(
        "left out 2 of 90 sites, the first is 20:89000: run it on the whole chunk",
        lambda: read(sites=range(88)),
    )
    refused("beagle wrote 11 people where 12 were expected", lambda: read(people=11))
    refused("20:1000 has no AP1 and AP2: let beagle write them", lambda: read(fields="GP1:GP2"))


def test_people_without_phase_are_refused_where_they_would_be_taken_as_phased(data, tmp_path):
    out, source = tmp_path / "typed.vcf.gz", tmp_path / "target.vcf.gz"
    name = data.target.samples[8]
    message = (
        f"target.vcf.gz: 2 of 12 people are not phased, the first is {name}, and minimac4 imputes phased"
    )
    refused(message, write_input, out, source, Engine.minimac4, data.panel, data.target, 1)
    assert not out.exists()
    write_input(out, source, Engine.beagle, data.panel, data.target, 1)
    assert len(alleles_of(out)) == 30


@pytest.mark.parametrize(("engine", "fewest"), [(Engine.beagle, 2), (Engine.minimac4, 1)])
def test_too_few_typed_sites_are_filled_by_frequency(data, tmp_path, engine, fewest):
    few = data.people(0, 4)
    few = replace(few, typed=few.typed[: fewest - 1], genotypes=few.genotypes[: fewest - 1])
    out = tmp_path / "typed.vcf.gz"
    write_input(out, tmp_path, engine, data.panel, few, 1)
    assert out.read_bytes() == b""
    found = read_imputed(out, engine, data.panel, few)
    assert found.by_frequency
    untyped = np.setdiff1d(np.arange(90), few.typed)
    assert np.allclose(found.chances[untyped, 0], data.panel.alt_frequency()[untyped])


def impute_directly(engine, folder, truth, alleles, typed, panel, plink):
    """Dosages [S, n] of the program on files that were written without our adapter."""
    names = [f"p{i}" for i in range(alleles.shape[1] // 2)]

    def written(name, sites, rows, samples):
        records = [
            ("20", int(panel.pos[site]), panel.ref[site], panel.alt[site], [f"{a}|{b}" for a, b in row])
            for site, row in zip(sites, rows, strict=True)
        ]
        path = write_vcf(folder / name, records, samples)
        pysam.bcftools.index("-t", str(path), catch_stdout=False)
        return path

    ref = written("ref.vcf.gz", range(len(alleles)), alleles.reshape(len(alleles), -1, 2), names)
    people = [f"t{i}" for i in range(truth.shape[1])]
    gt = written("gt.vcf.gz", typed, truth[typed], people)
    out = folder / "direct"
    if engine is Engine.beagle:
        call("beagle", f"ref={ref}", f"gt={gt}", f"map={plink}", f"out={out}", "seed=1", "nthreads=1")
    else:
        call("minimac4", "--compress-reference", ref, "-o", folder / "direct.msav")
        form = ["-f", "GT,DS", "-O", "vcf.gz", "-o", f"{out}.vcf.gz"]
        call("minimac4", folder / "direct.msav", gt, "-m", plink, *form)
    return np.array([record.format("DS")[:, 0] for record in VCF(f"{out}.vcf.gz")])


def call(*command):
    subprocess.run(list(map(str, command)), check=True, capture_output=True)


def through_us(engine, folder, panel, target):
    """What the program says about files that the adapter wrote."""
    files = [folder / name for name in ("panel.vcf.gz", "typed.vcf.gz", "chunk.map")]
    ref, typed, plink = files
    write_panel(ref, panel, 1)
    write_map(plink, panel)
    write_input(typed, folder, engine, panel, target, 1)
    if engine is Engine.beagle:
        flags = ["ap=true", "seed=1", "nthreads=1", f"out={folder / 'imputed'}"]
        call("beagle", f"ref={ref}", f"gt={typed}", f"map={plink}", *flags)
    else:
        call("minimac4", "--compress-reference", ref, "-o", folder / "panel.msav")
        form = ["-f", "HDS", "-O", "vcf.gz", "-o", folder / "imputed.vcf.gz"]
        call("minimac4", folder / "panel.msav", typed, "-m", plink, *form)
    return read_imputed(folder / "imputed.vcf.gz", engine, panel, target)


@pytest.mark.parametrize("engine", PROGRAMS)
def test_a_program_says_the_same_through_us_as_directly(engine, tmp_path):
    """Of people who are phased and complete."""
    rng = np.random.default_rng(5)
    alleles = founders(rng, 240, 60)
    panel = panel_chunk(alleles, cm=np.arange(240) * 0.003)
    truth = mosaics(rng, alleles, panel.cm, RATES, 10).reshape(240, 5, 2)
    typed = np.arange(1, 240, 3)
    names, everybody = [f"Zoë {i}" for i in range(5)], np.ones(5, bool)
    target = TargetChunk(names, "chr20", typed, truth[typed], everybody, ~everybody)
    found = through_us(engine, tmp_path, panel, target)
    direct = impute_directly(engine, tmp_path, truth, alleles, typed, panel, tmp_path / "chunk.map")
    untyped = np.setdiff1d(np.arange(240), typed)
    ours = found.chances.reshape(240, 5, 2).sum(axis=2)
    # Beagle rounds to two decimals, each haplotype by itself.
    assert np.abs(ours - direct)[untyped].max() < (0.0151 if engine is Engine.beagle else 0.0021)
    assert np.corrcoef(ours[untyped].ravel(), truth[untyped].sum(axis=2).ravel())[0, 1] > 0.9
    assert (found.chances[typed].reshape(-1, 5, 2) == truth[typed]).all()


@pytest.mark.parametrize("engine", PROGRAMS)
def test_a_program_imputes_people_of_every_kind(engine, data, tmp_path):
    """Phased with a hole at the first site, unphased (Beagle alone takes them), haploid, all missing."""
    people = data.target if engine is Engine.beagle else replace(data.target, phased=np.ones(12, bool))
    found = through_us(engine, tmp_path, data.panel, people)
    assert found.chances.shape == (90, 24) and ((found.chances >= 0) & (found.chances <= 1)).all()
    untyped = np.setdiff1d(np.arange(90), people.typed)
    phased = found.chances[untyped, :16].reshape(60, 8, 2)
    assert np.corrcoef(phased.ravel(), data.truth[untyped, :8].ravel())[0, 1] > 0.7
    assert np.corrcoef(found.chances[untyped, 18], data.truth[untyped, 9, 0])[0, 1] > 0.5


def test_the_commands_around_a_program(data, told, tmp_path):
    """From a packed chunk to a part and its counts, a written answer taking the program's place."""
    names = [f"Zoë{i}" for i in range(4)]
    data.panel.save(tmp_path / "c.panel.npz")
    typed = data.target.typed
    cells = [[f"{one}|{two}" for one, two in data.truth[site, :4]] for site in typed]
    target = write_target_vcf(tmp_path / "target.vcf.gz", data.panel, typed, cells, names)
    pysam.bcftools.index("-t", str(target), catch_stdout=False)
    (tmp_path / "batch_0001.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    batch = ["--panel", tmp_path / "c.panel.npz", "--target", target, "--engine", "minimac4"]
    batch += ["--samples", tmp_path / "batch_0001.txt", "--mask-fraction", "0.3", "--seed", "2"]
    ref, plink, asked = (tmp_path / name for name in ("panel.vcf.gz", "chunk.map", "typed.vcf.gz"))
    done("engine-panel", "--panel", tmp_path / "c.panel.npz", "--out", ref, "--out-map", plink)
    done("engine-target", *batch, "--out", asked)
    assert len(alleles_of(ref)) == 90 and len(plink.read_text().splitlines()) == 91
    hidden = set(typed.tolist()) - {int(v.ID) for v in VCF(str(asked))}
    assert 0 < len(hidden) < 30
    answered = answer(tmp_path / "a.vcf.gz", Engine.minimac4, told[:, :8])
    part, counts = tmp_path / "c.batch_0001.vcf.gz", tmp_path / "counts.tsv"
    done("engine-output", *batch, "--imputed", answered, "--hds", "--out", part, "--out-counts", counts)
    vcf = VCF(str(part))
    assert vcf.samples == names
    found = {record.POS: record.format("HDS") for record in vcf}
    assert set(found) == {int(data.panel.pos[site]) for site in hidden}
    for site in hidden:
        assert np.allclose(found[int(data.panel.pos[site])].ravel(), told[site, :8], atol=1e-3)
    assert "c\tbatch_0001\timputed_sites\t" in counts.read_text()


def done(*arguments):
    result = run(*arguments)
    assert result.returncode == 0, result.stderr
