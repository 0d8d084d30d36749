"""Generators: plain ones, paths through haplotypes, networks, the privacy guard, and files."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cyvcf2 import VCF

from deepcohort.augmentation import plain
from deepcohort.augmentation.compare import join_accuracy
from deepcohort.augmentation.generator import Method, Trained, as_many, held_out, nearer, train
from deepcohort.augmentation.guard import FIRM, Limits, guarded, limits_of
from deepcohort.augmentation.make import make
from deepcohort.augmentation.nearest import Around, nearest
from deepcohort.augmentation.phase import Consensus, phased
from deepcohort.augmentation.read import LabelBy, read_panel
from deepcohort.augmentation.space import STAY, Space, changes
from deepcohort.augmentation.strands import composites, sample_strands
from deepcohort.genome.errors import InputError
from tests.augmentation.panels import Founded


def test_plain_generators_draw_from_the_label():
    made = Founded(people=60, sites=100)
    people = made.people()
    people.classes[people.label == 0, :10], people.classes[people.label == 1, :10] = 0, 3
    label = np.repeat([0, 1], 80)
    for name, generate in plain.GENERATORS.items():
        drawn = generate(people, label, np.random.default_rng(1))
        assert drawn.classes.shape == (160, 100) and set(np.unique(drawn.classes)) <= {0, 1, 2, 3}, name
        assert (drawn.copies()[:80, :10] == 0).all() and (drawn.copies()[80:, :10] == 2).all(), name
        one, other = people.copies().mean(axis=0), drawn.copies().mean(axis=0)
        assert np.corrcoef(one, other)[0, 1] > 0.97, name


def test_phasing_keeps_genotypes_and_finds_haplotypes():
    made = Founded(people=60, sites=120, labels=("AAA",), founders=4, switch=0.01)
    copies = made.people().copies()
    found = phased(copies, 1)
    assert np.array_equal(found[0::2] + found[1::2], copies)
    assert turns_of(found, made.haplotypes, copies) < 0.02
    assert np.array_equal(found, phased(copies, 1, threads=2))


def turns_of(found, truth, copies):
    """Share of neighbouring heterozygous sites of a person whose phase is not the true one."""
    wrong = total = 0
    for person in range(len(copies)):
        varied = np.flatnonzero(copies[person] == 1)
        same = found[2 * person, varied] == truth[2 * person, varied]
        wrong, total = wrong + int((same[1:] != same[:-1]).sum()), total + len(varied) - 1
    return wrong / total


@pytest.mark.parametrize(("people", "sites"), [(1, 5), (2, 1), (3, 30), (4, 26), (5, 51)])
def test_phasing_of_hardly_anybody_keeps_genotypes(people, sites):
    copies = np.random.default_rng(1).integers(0, 3, (people, sites)).astype(np.int8)
    found = phased(copies, 1)
    assert np.array_equal(found[0::2] + found[1::2], copies)


def test_strands_mend_turns_of_the_phase():
    made = Founded(people=80, sites=600, labels=("AAA",), founders=8, switch=0.005)
    copies = made.people().copies()
    rng = np.random.default_rng(1)
    turned = (np.cumsum(rng.random(copies.shape) < 0.01, axis=1) % 2).astype(bool)
    start = made.haplotypes.copy()
    start[0::2][turned], start[1::2][turned] = made.haplotypes[1::2][turned], made.haplotypes[0::2][turned]
    before = turns_of(start, made.haplotypes, copies)
    assert before > 0.015
    with ThreadPoolExecutor(2) as pool:
        for _ in range(6):
            sample_strands(copies, start, np.array_split(np.arange(80), 4), rng, pool)
    assert np.array_equal(start[0::2] + start[1::2], copies)
    assert turns_of(start, made.haplotypes, copies) < before / 4


def test_composite_haplotypes_follow_whom_is_named():
    """By hand: at the fourth step 9 takes the state of 5, who was named longest ago, from halfway between the
    second step, where 5 was last named, and the fourth; 8, who is like the begin alone, goes at once.
    """
    named = np.array([[5, 7], [7, 5], [7, 7], [9, 7], [9, 5]], np.int32)
    first = np.array([5, 8], np.int32)
    assert composites(first, named, 2).tolist() == [[5, 5, 9, 9, 9], [7, 7, 7, 7, 5]]
    assert composites(first, named[:2], 5).tolist() == [[5, 5], [8, 8], [7, 7]]


def test_the_phase_of_most_samples_is_taken():
    """By hand: each person's sites one after the other, on the strand that two of three samples say."""
    copies = np.array([[1, 0, 1, 1, 2], [1, 1, 0, 1, 1]], np.int8)
    said = ([[1, 0, 0], [1, 1, 0], [0, 1, 1]], [[1, 1, 1, 0], [0, 0, 1, 0], [1, 1, 1, 0]])
    consensus = Consensus(copies)
    for sample in range(3):
        rows = np.repeat(copies >> 1, 2, axis=0)
        for person in range(2):
            varied = np.flatnonzero(copies[person] == 1)
            rows[2 * person, varied] = said[person][sample]
            rows[2 * person + 1, varied] = 1 - np.array(said[person][sample])
        consensus.add(rows)
    # The first person's second site is opposite to the first in two samples, the third with the second.
    assert consensus.applied(rows).tolist() == [
        [1, 0, 0, 0, 1], [0, 0, 1, 1, 1], [1, 1, 0, 1, 0], [0, 0, 0, 0, 1]
    ]  # fmt: skip


def test_paths_have_the_panels_frequencies_and_linkage():
    made = Founded(people=150, sites=300, labels=("AAA",), founders=10)
    rows, label = made.people().rows()
    space = Space.of(rows, label, 1)
    assert np.allclose(space.places.std(axis=0), 1, atol=1e-3)
    paths = space.paths(0, 1)
    for change in paths.change.values():
        assert np.allclose(change.sum(axis=0), 1, atol=0.05) and np.allclose(change.sum(axis=1), 1, atol=0.05)
    drawn = paths.sample(np.zeros((800, space.places.shape[1]), np.float32), np.random.default_rng(1))
    assert np.abs(drawn.mean(axis=0) - rows.mean(axis=0)).mean() < 0.06
    across = [
        np.mean([np.corrcoef(one[:, i], one[:, i + 1])[0, 1] ** 2 for i in range(39, 260, 10)])
        for one in (rows, drawn)
    ]
    assert across[1] == pytest.approx(across[0], abs=0.08)


def test_differences_around_a_border_are_those_of_its_windows():
    rows, label = Founded(people=20, sites=430, labels=("AAA",), founders=6).people().rows()
    paths = Space.of(rows, label, 1).paths(0, 1)
    assert len(paths.edges) == 10
    for flank in (1, 3, 30):
        around = Around(paths.rows, paths.rows, paths.edges, paths.begins, flank)
        for border in range(1, 9):
            begin, end = paths.edges[max(0, border - flank)], paths.edges[min(9, border + flank)]
            differ = (rows[:, None, begin:end] != rows[None, :, begin:end]).sum(axis=2)
            assert np.array_equal(around.at(border), differ)


def test_differences_around_a_border_are_those_of_its_chromosome():
    rows, label = Founded(people=20, sites=400, labels=("AAA",), chromosomes=2).people().rows()
    paths = Space.of(rows, label, 1, starts=np.array([0, 200])).paths(0, 1)
    assert paths.edges == [0, 50, 100, 150, 200, 250, 300, 350, 400] and sorted(paths.change) == [
        1, 2, 3, 5, 6, 7
    ]  # fmt: skip
    around = Around(paths.rows, paths.rows, paths.edges, paths.begins, 2)
    for border, (begin, end) in {1: (0, 150), 3: (50, 200), 5: (200, 350), 7: (250, 400)}.items():
        differ = (rows[:, None, begin:end] != rows[None, :, begin:end]).sum(axis=2)
        assert np.array_equal(around.at(border), differ)


def test_chromosomes_are_of_several_haplotypes_of_one_ancestry():
    # Two populations under one label, at five chromosomes of 60 sites: too few for changes within.
    rng = np.random.default_rng(1)
    frequency = np.clip(rng.uniform(0.2, 0.8, 300) + rng.choice([-0.2, 0.2], (2, 300)), 0, 1)
    kind = np.repeat([0, 1], [120, 280])
    rows = (rng.random((400, 300)) < frequency[kind]).astype(np.int8)
    starts = np.arange(0, 300, 60)
    space = Space.of(rows, np.zeros_like(kind), 1, starts=starts)
    drawn = space.paths(0, 1).sample(np.zeros((600, space.places.shape[1]), np.float32), rng)
    assert np.abs(drawn.mean(axis=0) - rows.mean(axis=0)).mean() < 0.03
    donors = []
    for first in starts.tolist():
        of_whom = {row.tobytes(): donor for donor, row in enumerate(rows[:, first : first + 60])}
        donors.append([of_whom[row.tobytes()] for row in drawn[:, first : first + 60]])
    ancestry = kind[np.array(donors)]
    assert (ancestry == ancestry[0]).all(axis=0).mean() > 0.95
    assert ancestry.mean() == pytest.approx(0.7, abs=0.06)
    many = [len(set(one)) for one in zip(*donors, strict=True)]
    assert min(many) > 1 and np.mean(many) > 4


def test_changes_go_to_whom_is_alike_far_away_as_often_as_without():
    near = np.array([[0, 0, 0, 9], [0, 0, 0, 9], [0, 0, 0, 9], [9, 9, 9, 0]], np.float32)
    plain_weight = changes(near, np.zeros_like(near))
    assert plain_weight[0, 1:].tolist() == pytest.approx([1, 1, np.exp(-9)])
    far = np.array([[0, 0, 150, 0], [0, 0, 150, 0], [150, 150, 0, 0], [0, 0, 0, 0]], np.float32)
    found = changes(near, far)
    assert np.array_equal(found, found.T) and np.allclose(np.diag(found), STAY)
    # Haplotypes 0 and 1 are one far away too, and 2 is alike around the border alone.
    assert found[0, 1] > 1.5 and found[0, 2] < 0.8
    # As often as before a change is made at all: the mass of all three together is the same.
    assert found[:3, :3].sum() == pytest.approx(plain_weight[:3, :3].sum(), rel=0.01)
    # Only weights relative to the nearest of each count, not how far away that one is.
    assert np.allclose(changes(near, far + 40 * (1 - np.eye(4, dtype=np.float32))), found)


def test_each_place_has_weights_of_its_own():
    from deepcohort.augmentation.convolution import Local

    flow = np.random.default_rng(1).normal(size=(3, 5, 4)).astype(np.float32)
    layer = Local(2)
    made = np.asarray(layer(flow))
    weights, bias = layer.get_weights()
    for place in range(5):
        assert np.allclose(made[:, place], flow[:, place] @ weights[place] + bias[place], atol=1e-5)
    assert not np.allclose(weights[0], weights[1])


def test_labels_start_from_their_own_normal_distribution():
    from deepcohort.augmentation.latent import OWN, normal_of

    rng = np.random.default_rng(1)
    label = np.repeat([0, 1, 2], [400, 400, 1])
    places = (rng.normal(size=(801, 3)) * np.array([1, 2, 3]) + label[:, None]).astype(np.float32)
    places[label == 1, 0] *= 5
    mean, root = normal_of(places, label, 3)
    together = np.cov(places.T)
    for kind, own in enumerate((places[label == 0], places[label == 1], places)):
        assert np.allclose(mean[kind], own.mean(axis=0), atol=1e-5)
        assert np.allclose(
            root[kind] @ root[kind].T, OWN * np.cov(own.T) + (1 - OWN) * together, rtol=1e-3, atol=1e-3
        )


@pytest.mark.parametrize("phase", [True, False])
def test_the_decoder_knows_people_by_their_noise(phase):
    from deepcohort.augmentation import convolution
    from deepcohort.genome.backend import keras

    keras.utils.set_random_seed(1)
    people = Founded(people=24, sites=300).people(phase)
    pair, noise = convolution.build(people, 1)
    assert noise.shape == (len(people), pair.noise)
    # The start turns noise into places, which are of variance 1 along each axis.
    places = np.asarray(pair.generator.get_layer("start")(noise, people.label))
    assert np.allclose(places.std(axis=0), 1, atol=1e-2) and np.allclose(places.mean(axis=0), 0, atol=1e-2)

    def told() -> float:
        odds = keras.Model(pair.generator.inputs, pair.generator.get_layer(convolution.ODDS).output)
        chances = np.asarray(keras.ops.softmax(odds([noise, people.label])))
        return float(np.take_along_axis(chances, people.classes[..., None].astype(int), axis=2).mean())

    by_frequency = told()
    convolution.decode(pair.generator, people, noise, 120, seed=1)
    assert told() > by_frequency + 0.3 * (1 - by_frequency)


def test_who_is_nearer_to_people_learnt_from_is_told():
    people = Founded(people=60, sites=200).people()
    known, truth, others = (people.only(np.arange(len(people)) % 3 == part) for part in range(3))
    assert nearer(known, truth, known) > 0.3
    assert nearer(others, truth, known) < 0.15


def test_as_many_of_each_label():
    label, wanted = np.array([0, 0, 0, 1, 1]), np.array([1, 0, 1, 1, 0])
    chosen = as_many(label, wanted, np.random.default_rng(1))
    assert len(set(chosen.tolist())) == len(chosen) == 4
    assert label[chosen].tolist() == [0, 0, 1, 1]


def test_the_guard_draws_anew_and_gives_up():
    people = Founded(people=30, sites=100).people()
    known, strangers = people.only(np.arange(60) % 2 == 0), people.only(np.arange(60) % 2 == 1)
    calls = []

    def draw(pairs, rng):
        calls.append(len(pairs))
        return (known if len(calls) == 1 else strangers).only(np.arange(len(pairs)))

    pairs = np.zeros((10, 2), np.int64)
    limits = limits_of(known.copies())
    found = guarded(draw, pairs, known.copies(), limits, np.random.default_rng(1))
    assert found.rejected >= 10 and found.given_up + len(found.people) == 10
    assert (nearest(found.people.copies(), known.copies()) >= limits.least).all()
    none = guarded(
        lambda p, rng: known.only(np.arange(len(p))), pairs, known.copies(), limits, np.random.default_rng(1)
    )
    assert none.given_up == 10 and len(none.people) == 0


def test_limits_are_distances_to_the_nearest_other_person():
    people = Founded(people=40, sites=200).people()
    limits = limits_of(people.copies())
    copies = people.copies().astype(int)
    far = (np.abs(copies[:, None] - copies[None]).sum(axis=2) + 999 * np.eye(80, dtype=int)).min(axis=1)
    assert np.allclose(limits.firm, np.maximum(1, 0.9 * far))
    assert limits.least == pytest.approx(max(1, np.quantile(far, 0.01)))
    twins = people.only(np.array([0, 0, 1, 2]))
    assert limits_of(twins.copies()).firm[:2].tolist() == [1, 1] and limits_of(twins.copies()).least == 1


def test_limits_yield_after_some_rounds():
    """Somebody between both limits is drawn anew as long as the first holds, and taken then."""
    one = Founded(people=30, sites=100).people().only(np.array([0]))
    moved = one.with_classes(one.classes.copy())
    moved.classes[0, :5] = 3 - moved.classes[0, :5]
    apart = int(nearest(moved.copies(), one.copies())[0])

    def drawn(firm, least):
        limits = Limits(np.array([firm], np.float32), least)
        pairs = np.zeros((1, 2), np.int64)
        return guarded(lambda p, rng: moved, pairs, one.copies(), limits, np.random.default_rng(1))

    assert drawn(apart + 1, apart).rejected == FIRM and len(drawn(apart + 1, apart).people) == 1
    assert drawn(apart, apart).rejected == 0
    assert drawn(apart + 1, apart + 1).given_up == 1


def learnt(tmp_path, method, phase=True, sites=512, steps=6, people=24, chromosomes=1, **options):
    made = Founded(people=people, sites=sites, chromosomes=chromosomes)
    panel, labels = made.write(tmp_path, phase)
    known = read_panel([panel], labels, by=LabelBy.population)
    train(known, tmp_path / "net", method=method, steps=steps, share=0.25, seed=1, **options)
    return known, tmp_path / "net"


def test_several_chromosomes_from_panel_to_files(tmp_path):
    known, folder = learnt(tmp_path, Method.pca, sites=240, chromosomes=3)
    make(known, folder, "AAA=9", tmp_path / "out", with_panel=True, seed=1)
    for name, people in (("synthetic", 9), ("augmented", 57)):
        vcf = VCF(str(tmp_path / f"out/{name}.vcf.gz"))
        assert len(vcf.samples) == people
        assert [(record.CHROM, record.POS) for record in vcf] == list(
            zip(known.places.chrom, known.places.pos.tolist(), strict=True)
        )
        assert len(list(vcf("21"))) == 80
    distances = [line.split("\t")[0] for line in (tmp_path / "out/decay.tsv").read_text().splitlines()[1:]]
    assert max(int(distance) for distance in distances) == 50_000  # the chromosomes are of 40 kb
    # The chromosomes' positions are equal: a cell of the map is a pair of sites all the same.
    pairs = [line.split("\t")[:2] for line in (tmp_path / "out/linkage.tsv").read_text().splitlines()[1:]]
    assert len({tuple(pair) for pair in pairs}) == len(pairs) == 60 * 59


def test_several_chromosomes_need_phase(tmp_path):
    with pytest.raises(InputError, match=r"panel.vcf.gz: sites of 3 chromosomes without phase"):
        learnt(tmp_path, Method.pca, False, sites=240, chromosomes=3)


@pytest.mark.parametrize(
    ("method", "phase"), [("pca", True), ("pca", False), ("cgan", True), ("cgan", False)]
)
def test_from_panel_to_files(tmp_path, monkeypatch, method, phase):
    # Sharpened, a network of six steps draws the same few people, whom the guard refuses.
    monkeypatch.setattr("deepcohort.augmentation.convolution.SHARPNESS", (1.0,))
    known, folder = learnt(tmp_path, Method(method), phase, sites=512 if method == "cgan" else 200)
    mixed = ",AAA+CCC=2" if phase or method == "pca" else ""
    make(known, folder, f"AAA=9{mixed}", tmp_path / "out", with_panel=phase, seed=1)
    vcf = VCF(str(tmp_path / "out/synthetic.vcf.gz"))
    assert vcf.samples[0] == "SYN_AAA_0001" and len(vcf.samples) == 9 + 2 * bool(mixed)
    sites = [(record.POS, record.REF, record.ALT[0], all(record.gt_phases)) for record in vcf]
    assert [site[0] for site in sites] == known.places.pos.tolist()
    assert sites[0][1:3] == ("A", "G")
    quality = (tmp_path / "out/quality.tsv").read_text()
    assert {line.split("\t")[0] for line in quality.splitlines()[1:]} == {
        "generator", "held_out_people", "independent", "mosaic", "gaussian", "copies"
    }  # fmt: skip
    counts = dict(line.split("\t") for line in (tmp_path / "out/counts.tsv").read_text().splitlines())
    assert (counts["held_out"], counts["learnt_from"]) == ("12", "36")
    if phase:
        added = VCF(str(tmp_path / "out/augmented.vcf.gz"))
        assert added.samples == known.names + vcf.samples
        first = next(iter(added)).genotype.array()[:48, :2]
        assert np.array_equal(2 * first[:, 0] + first[:, 1], known.people.classes[:, 0])
    if not mixed:
        with pytest.raises(InputError, match="mixtures of two labels need haplotypes"):
            make(known, folder, "AAA+CCC=2", tmp_path / "out", with_panel=False, seed=1)


@pytest.mark.parametrize("method", Method)
def test_same_seed_same_people_and_a_killed_training_goes_on(tmp_path, monkeypatch, method):
    from deepcohort.augmentation import adversarial

    known, folder = learnt(tmp_path, method, sites=100, steps=8)
    whole = Trained.load(folder, known)
    pairs = np.zeros((6, 2), np.int64)
    expected = whole.draw(pairs, np.random.default_rng(3)).classes
    saved, state = [], adversarial._save

    def killed(*given):
        state(*given)
        saved.append(given)
        if len(saved) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(adversarial, "_save", killed)
    options = {"method": method, "steps": 8, "share": 0.25, "seed": 1, "checkpoints": tmp_path / "kept"}
    with pytest.raises(KeyboardInterrupt):
        train(known, tmp_path / "again", **options)
    monkeypatch.setattr(adversarial, "_save", state)
    train(known, tmp_path / "again", **options)
    again = Trained.load(tmp_path / "again", known)
    assert np.array_equal(again.draw(pairs, np.random.default_rng(3)).classes, expected)
    assert (folder / "training.tsv").read_text() == (tmp_path / "again/training.tsv").read_text()


def test_generators_that_cannot_be_used(tmp_path):
    known, folder = learnt(tmp_path, Method.pca, sites=100, steps=0)
    with pytest.raises(InputError, match="of other sites or labels than the panel's"):
        other = Founded(people=24, sites=90)
        (tmp_path / "other").mkdir()
        panel, labels = other.write(tmp_path / "other")
        Trained.load(folder, read_panel([panel], labels, by=LabelBy.population))
    said = json.loads((folder / "generator.json").read_text())
    (folder / "generator.json").write_text(json.dumps({**said, "sha256": "0"}))
    with pytest.raises(InputError, match="not a generator that can be used"):
        Trained.load(folder, known)


def test_large_regions_are_not_for_the_convolutions(tmp_path, monkeypatch):
    monkeypatch.setattr("deepcohort.augmentation.generator.MOST_SITES", 99)
    with pytest.raises(InputError, match="the region has 100 sites, and the network takes 99"):
        learnt(tmp_path, Method.cgan, sites=100)


def test_held_out_people_are_of_every_label():
    label = np.repeat([0, 1], [40, 3])
    chosen = held_out(label, 0.25, 1)
    assert (chosen[:40].sum(), chosen[40:].sum()) == (10, 1)


def test_relatives_are_held_out_together(tmp_path):
    label = np.repeat([0, 1], [40, 10])
    group = np.concatenate([np.arange(40) // 4, [0], 10 + np.arange(9)])
    chosen = held_out(label, 0.25, 1, group)
    for family in np.unique(group):
        assert len(np.unique(chosen[group == family])) == 1
    assert 10 <= chosen[:40].sum() <= 13 and 2 <= chosen[40:].sum() <= 4
    panel, labels = Founded(people=20, sites=100).write(tmp_path)
    known = read_panel([panel], labels, by=LabelBy.population)
    (tmp_path / "p.ped").write_text("".join(f"one\tAAA{number}\t0\t0\n" for number in range(20)))
    with pytest.raises(InputError, match=r"^p.ped: all people of AAA are held out"):
        train(known, tmp_path, method=Method.pca, steps=1, share=0.2, seed=1, pedigree=tmp_path / "p.ped")


def test_accuracy_with_and_without(tmp_path):
    for name, value in (("with.tsv", "0.9"), ("without.tsv", "0.8")):
        (tmp_path / name).write_text(f"cohort\timputer\tr2\nc\tcopying\t{value}\n")
    join_accuracy(tmp_path / "with.tsv", tmp_path / "without.tsv", tmp_path / "both.tsv")
    assert (tmp_path / "both.tsv").read_text().splitlines()[1:] == [
        "c\tcopying\t0.8", "c\tcopying with artificial people\t0.9"
    ]  # fmt: skip


def test_reading_the_table_of_quality_needs_no_tensorflow():
    code = "import sys; from deepcohort.augmentation import quality, outputs, read, make; "
    code += "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
