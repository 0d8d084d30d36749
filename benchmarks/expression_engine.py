"""What tiles and linear modes of predicted expression save (``python -m benchmarks.expression_engine``)."""

import os
import resource
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.tables import show, write_table
from deepcohort.expression.effects import By, effects
from deepcohort.expression.genes import Gene
from deepcohort.expression.linear import sums, survey
from deepcohort.expression.models import Model, load_model
from deepcohort.expression.people import Sequences
from deepcohort.expression.settings import Settings
from deepcohort.expression.tiles import TileCache
from deepcohort.expression.views import Averaged

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

Given = Annotated[Path, typer.Option(exists=True)]
Out = Annotated[Path, typer.Option(help="Table (.tsv).")]


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """A result and the CPU seconds that it took."""
    started = time.process_time()
    made = run()
    return made, time.process_time() - started


def random_enformer(context: int) -> Model:
    """An Enformer of the published size with weights by chance: cost does not depend on them."""
    os.environ["USE_TF"] = "0"
    import torch
    from enformer_pytorch import Enformer

    torch.manual_seed(1)
    network = Enformer.from_hparams(target_length=-1)
    with torch.no_grad():
        for name, values in network.named_parameters():
            if "to_out.weight" in name:  # zero at first, which would leave the attention out
                torch.nn.init.xavier_uniform_(values)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "random.bin"
        torch.save(network.state_dict(), path)
        del network
        return load_model("enformer", Settings(path, context, ("lymphoblastoid",)))


@app.command()
def tiles(
    fasta: Given,
    vcf: Given,
    out: Out,
    chrom: str = "20",
    tss: Annotated[int, typer.Option(help="Start of a gene, 1-based.")] = 1_093_906,
    context: int = 49_152,
    people: Annotated[int, typer.Option(help="People asked by tiles, the first of the file.")] = 50,
    naive: Annotated[int, typer.Option(help="Haplotypes run one by one; their time is scaled to all.")] = 4,
) -> None:
    """Haplotypes around a gene by tiles, and everybody's by gradient, beside some of them one by one."""
    model = random_enformer(context)
    gene = Gene("gene", "gene", chrom, tss - 1, "+", tss - 1, tss)
    sequences = Sequences(fasta, [vcf], chrom)
    averaged = Averaged(model)
    stretch = sequences.stretch(gene, averaged.before, averaged.after, stranded=False)
    assert stretch is not None
    made = sequences.everybody(stretch, sequences.counts)
    wanted = np.unique(made.of[:people])
    some = np.random.default_rng(1).choice(len(wanted), naive, replace=False)
    model.predict(made.unique[:1])  # the first pass is slower
    alone, seconds = timed(lambda: np.concatenate([model.predict(made.unique[[wanted[n]]]) for n in some]))
    one = seconds / naive
    cache = TileCache(model)
    tiled, by_tiles = timed(lambda: cache.predict(made.unique[wanted]))
    found = survey(sequences, stretch, 64, 1)
    told, by_gradient = timed(lambda: effects(averaged, stretch, found.edits, By.grad))
    _, adding = timed(lambda: sums(sequences, stretch, found, told))
    error = np.abs(tiled[some] - alone).max()
    everybody, few = 2 * len(sequences.people), 2 * people
    rows = [
        row("one by one", few, few, one * few, one * few, ""),
        row("unique ones, one by one", few, len(wanted), one * len(wanted), one * few, ""),
        row("tiles", few, len(wanted), by_tiles, one * few, f"{error:.1e}"),
        row("one by one", everybody, everybody, one * everybody, one * everybody, ""),
        row("gradient", everybody, len(made.unique), by_gradient + adding, one * everybody, ""),
        row("its exact sample, by tiles", everybody, 64, 64 * by_tiles / len(wanted), one * everybody, ""),
    ]  # fmt: skip
    write_table(out, rows)
    show(rows)
    keys = {key for sequence in made.unique for key in cache.keys(sequence)}
    apart = np.abs(cache.features(made.unique[:1]) - model.features(made.unique[:1])).max()  # type: ignore[attr-defined]
    print(f"predictions of haplotypes are {np.ptp(tiled):.1e} apart, features by tiles and whole {apart:.1e}")
    print(f"tiles of {few} haplotypes: {cache.asked} asked for, {cache.computed} computed")
    print(
        f"tiles of {everybody}: {len(made.unique) * -(-context // cache.tile)} asked for, {len(keys)} differ"
    )
    print(f"variants {len(found.edits)}; adding up {adding:.1f} s")
    print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")


def row(
    what: str, haplotypes: int, unique: int, seconds: float, naive: float, difference: str
) -> dict[str, str]:
    """A row of the table."""
    return {
        "what": what, "haplotypes": str(haplotypes), "asked": str(unique), "cpu_seconds": f"{seconds:.1f}",
        "times_faster": f"{naive / seconds:.1f}", "largest_difference": difference,
    }  # fmt: skip


@app.command()
def people(
    weights: Annotated[Path, typer.Option(exists=True, help="Weights of Xpresso.")],
    out: Out,
    numbers: Annotated[str, typer.Option(help="Numbers of people.")] = "1000,10000",
) -> None:
    """Memory and time of one gene in linear mode, by number of simulated people, each in its own process."""
    import multiprocessing

    rows = []
    for number in map(int, numbers.split(",")):
        for mode in ("linear", "table"):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                rows.append(pool.apply(one_gene, (weights, number, mode)))
    write_table(out, rows)
    show(rows)


def one_gene(weights: Path, number: int, mode: str) -> dict[str, str]:
    """Memory beyond that of a cohort of ten people, and CPU seconds, of reading people around one gene."""
    with TemporaryDirectory() as folder:
        gene, small = simulated(Path(folder) / "small", 10)
        _, large = simulated(Path(folder) / "large", number)
        model = Averaged(load_model("xpresso", Settings(weights)))

        def run(sequences: Sequences) -> None:
            stretch = sequences.stretch(gene, model.before, model.after)
            assert stretch is not None
            if mode == "table":
                sequences.everybody(stretch, Counter())
                return
            found = survey(sequences, stretch, 64, 1)
            told = effects(model, stretch, found.edits, By.ism)
            _, letters = sums(sequences, stretch, found, told)
            model.predict(letters)

        run(small)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        _, seconds = timed(lambda: run(large))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {
        "people": str(number), "how": mode, "more_memory_mb": f"{grown:.1f}", "cpu_seconds": f"{seconds:.1f}",
    }  # fmt: skip


def simulated(folder: Path, number: int) -> tuple[Gene, Sequences]:
    """Phased people with 400 variants, most of them rare, over 20,000 bases."""
    import pysam

    from deepcohort.genome.vcf import make_index

    folder.mkdir()
    rng = np.random.default_rng(1)
    reference = "".join(rng.choice(list("ACGT"), 20_000))
    (folder / "r.fa").write_text(f">1\n{reference}\n")
    pysam.faidx(str(folder / "r.fa"))
    other = {"A": "C", "C": "G", "G": "T", "T": "A"}
    names = "\t".join(f"p{n}" for n in range(number))
    with pysam.BGZFile(str(folder / "v.vcf.gz"), "wb", None) as file:
        file.write(b"##fileformat=VCFv4.2\n##contig=<ID=1,length=20000>\n")
        file.write(b'##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        file.write(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}\n".encode())
        for place in range(2000, 18_000, 40):
            carried = rng.random((number, 2)) < rng.beta(0.2, 2)
            cells = "\t".join(f"{int(a)}|{int(b)}" for a, b in carried)
            base = reference[place]
            file.write(f"1\t{place + 1}\t.\t{base}\t{other[base]}\t.\t.\t.\tGT\t{cells}\n".encode())
    make_index(folder / "v.vcf.gz", folder / "v.vcf.gz.tbi")
    gene = Gene("gene", "gene", "1", 10_000, "+", 10_000, 10_001)
    return gene, Sequences(folder / "r.fa", [folder / "v.vcf.gz"], "1")


if __name__ == "__main__":
    app()
