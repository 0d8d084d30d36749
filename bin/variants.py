#!/usr/bin/env python3
"""Variants: regions called from reads, calls compared with a truth set."""

from pathlib import Path
from typing import Annotated

import typer

from deepcohort.genome.command import Device, DeviceOption, Release, Seed, Threads, command, script
from deepcohort.genome.errors import InputError
from deepcohort.genome.named_files import named_files
from deepcohort.variants.names import Gaps, Layout, Name

# Commands import what they call: numba and PyTorch take seconds that the others need not spend.

app = script(__doc__ or "")

InFile = Annotated[Path, typer.Option(exists=True, dir_okay=False)]
Reads = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="One person's BAM or CRAM.")]
Index = Annotated[Path | None, typer.Option(exists=True, help="Of the reads; made if missing.")]
GapTable = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="How likely the reads have gaps (.tsv of learn-gaps)."),
]
Fasta = Annotated[Path, typer.Option(exists=True, help="Reference, indexed.")]
Weights = Annotated[
    Path | None, typer.Option(exists=True, file_okay=False, help="Folder of a trained caller.")
]
PieceBases = Annotated[int, typer.Option(min=1000, help="Most bases of a piece.")]
Annotate = Annotated[list[str] | None, typer.Option(help="name=file of known variants (.vcf.gz, indexed).")]
AnnotateField = Annotated[list[str] | None, typer.Option(help="Field of their INFO that is copied.")]
FastaOfKnown = Annotated[Path | None, typer.Option(exists=True, help="Reference; with --annotate.")]
OutPieces = Annotated[Path, typer.Option(help="Pieces of the genome (.tsv).")]


@command(app)
def plan_calls(
    release: Release,
    reads: Reads,
    fasta: Fasta,
    out: OutPieces,
    regions: Annotated[str | None, typer.Option(help="Where to call: regions or a BED file.")] = None,
    piece_bases: PieceBases = 10_000_000,
    male: Annotated[bool, typer.Option("--male", help="The person has one X.")] = False,
) -> None:
    """Cut the genome into pieces that are called apart."""
    from deepcohort.genome.alignments import alignment_header
    from deepcohort.variants.pieces import plan_pieces, write_pieces

    aligned_to = [contig["SN"] for contig in alignment_header(reads).get("SQ", [])]
    write_pieces(out, plan_pieces(fasta, aligned_to, regions, piece_bases, male))


@command(app)
def learn_gaps(
    release: Release,
    reads: Reads,
    fasta: Fasta,
    pieces: Annotated[
        Path, typer.Option(exists=True, help="Where the person is called (.tsv of plan-calls).")
    ],
    out: Annotated[Path, typer.Option(help="How likely the reads have gaps (.tsv).")],
    index: Index = None,
    gaps: Annotated[Gaps, typer.Option(help="What is written; auto learns from long reads.")] = Gaps.auto,
) -> None:
    """Learn from a person's reads how likely they have insertions and deletions."""
    from deepcohort.variants.gaps import write_gaps
    from deepcohort.variants.learn_gaps import gaps_of
    from deepcohort.variants.pieces import read_pieces
    from deepcohort.variants.reads import ReadsFile, index_of

    file = ReadsFile(reads, fasta, index or index_of(reads, out.parent))
    write_gaps(out, gaps_of(file, fasta, read_pieces(pieces), gaps))


@command(app)
def call_region(
    release: Release,
    reads: Reads,
    fasta: Fasta,
    region: Annotated[str, typer.Option(help="contig:first-last; reads around it are looked at too.")],
    out: Annotated[Path, typer.Option(help="Calls (.vcf.gz).")],
    out_gvcf: Annotated[
        Path | None, typer.Option(help="Calls and what is as the reference (.g.vcf.gz).")
    ] = None,
    index: Index = None,
    gaps: GapTable = None,
    sample: Annotated[str | None, typer.Option(help="Name of the person in the calls.")] = None,
    haploid: Annotated[bool, typer.Option("--haploid", help="The person has one copy here.")] = False,
    caller: Annotated[Name, typer.Option(help="Who judges the candidates.")] = Name.haplotypes,
    weights: Weights = None,
    call_with: Annotated[
        list[str] | None, typer.Option(help="name=file of another caller's calls of the person (.vcf.gz).")
    ] = None,
    votes: Annotated[
        float, typer.Option(min=0, help="Log of how much likelier a genotype is that all these call.")
    ] = 0,
    device: DeviceOption = Device.auto,
    threads: Threads = 1,
) -> None:
    """Call the variants of a region from reads."""
    from deepcohort.variants.callers import loaded
    from deepcohort.variants.calls_vcf import call_region as call

    judge = loaded(caller, weights, device, threads)
    call(
        reads,
        fasta,
        region,
        out,
        index=index,
        gaps=gaps,
        sample=sample,
        ploidy=1 if haploid else 2,
        gvcf=out_gvcf,
        caller=judge,
        call_with=named_files("--call-with", call_with or []),
        votes=votes,
    )


@command(app)
def show(
    release: Release,
    reads: Reads,
    fasta: Fasta,
    sites: Annotated[str, typer.Option(help="contig:position, several with commas between.")],
    out: Annotated[Path, typer.Option(help="Folder of pictures (.png).")],
    index: Index = None,
    gaps: GapTable = None,
    caller: Annotated[Name, typer.Option(help="Whose judgement is told.")] = Name.haplotypes,
    weights: Weights = None,
) -> None:
    """Draw the pileups of candidates, and tell what is said of them."""
    from deepcohort.variants.callers import loaded
    from deepcohort.variants.pictures import parse_sites, show_sites
    from deepcohort.variants.reads import ReadsFile, index_of

    out.mkdir(parents=True, exist_ok=True)
    file = ReadsFile(reads, fasta, index or index_of(reads, out), gaps)
    show_sites(file, fasta, parse_sites(sites), out, loaded(caller, weights, Device.cpu, 1))


@command(app)
def make_examples(
    release: Release,
    reads: Reads,
    fasta: Fasta,
    truth: Annotated[Path, typer.Option(exists=True, help="The person's true genotypes (VCF or BCF).")],
    bed: Annotated[Path, typer.Option(exists=True, help="Where they hold.")],
    out: Annotated[Path, typer.Option(help="Examples (.npz).")],
    regions: Annotated[str | None, typer.Option(help="Where to learn; by default all of the BED.")] = None,
    index: Index = None,
    gaps: GapTable = None,
    layout: Annotated[Layout, typer.Option(help="Layout of the tensors.")] = Layout.compact,
) -> None:
    """Make examples of the candidates of a person whose variants are known."""
    from deepcohort.variants.examples import make_examples as made

    made(reads, fasta, truth, bed, regions or str(bed), layout.value, index=index, gaps=gaps).save(out)


@command(app)
def train_caller(
    release: Release,
    examples: Annotated[list[Path], typer.Argument(exists=True, help="Files of make-examples.")],
    held_out: Annotated[
        list[Path], typer.Option(exists=True, help="Examples that tell when to stop, of other places.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the caller.")],
    epochs: Annotated[int, typer.Option(min=1, help="Most passes over the examples.")] = 8,
    class_weights: Annotated[
        tuple[float, float, float], typer.Option(help="Of 0, 1 and 2 copies in the loss.")
    ] = (1.0, 1.0, 1.0),
    start: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Caller whose network is trained on.")
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Where training goes on after a kill.")] = None,
    device: DeviceOption = Device.auto,
    threads: Threads = 1,
    seed: Seed = 1,
) -> None:
    """Train the network and the trees of a caller."""
    from deepcohort.genome.devices import torch_device
    from deepcohort.variants.train_caller import train_caller as train
    from deepcohort.variants.training import How, Lessons

    where = torch_device(device, threads)
    how = How(epochs, class_weights, seed)
    train(Lessons(examples, held_out), out, how, device=where, start=start, checkpoint=checkpoint)


@command(app)
def join_calls(
    release: Release,
    parts: Annotated[list[Path], typer.Argument(exists=True, help="Calls of one person's pieces.")],
    out: Annotated[Path, typer.Option(help="All of them (.vcf.gz).")],
    sample: Annotated[str, typer.Option(help="Name of the person in the counts.")],
    out_counts: Annotated[Path, typer.Option(help="What was called, counted (.tsv).")],
    annotate: Annotate = None,
    annotate_field: AnnotateField = None,
    fasta: FastaOfKnown = None,
) -> None:
    """Join the calls of a person's pieces, and count them."""
    from deepcohort.variants.annotate import known_sites
    from deepcohort.variants.join import join_calls as joined
    from deepcohort.variants.statistics import count_calls, write_counts

    joined(parts, out, known_sites(annotate or [], annotate_field or [], fasta))
    write_counts(out_counts, {sample: count_calls(out)})


@command(app)
def join_gvcfs(
    release: Release,
    parts: Annotated[list[Path], typer.Argument(exists=True, help="gVCFs of one person's pieces.")],
    out: Annotated[Path, typer.Option(help="All of them (.g.vcf.gz).")],
) -> None:
    """Join the gVCFs of a person's pieces; blocks that were cut become one again."""
    from deepcohort.variants.gvcf import join_gvcfs as joined

    joined(parts, out)


@command(app)
def plan_cohort(
    release: Release,
    gvcfs: Annotated[list[Path], typer.Argument(exists=True, help="One gVCF for each person.")],
    fasta: Fasta,
    out: OutPieces,
    regions: Annotated[str | None, typer.Option(help="Where to genotype: regions or a BED file.")] = None,
    piece_bases: PieceBases = 10_000_000,
) -> None:
    """Cut the genome into pieces in which people are genotyped together."""
    from deepcohort.genome.vcf import read_header
    from deepcohort.variants.pieces import plan_pieces, write_pieces

    called = {contig for gvcf in gvcfs for contig in read_header(gvcf).contigs}
    write_pieces(out, plan_pieces(fasta, called, regions, piece_bases, male=False))


@command(app)
def join_cohort(
    release: Release,
    parts: Annotated[list[Path], typer.Argument(exists=True, help="Everybody's genotypes in pieces.")],
    out: Annotated[Path, typer.Option(help="All of them (.vcf.gz).")],
    out_counts: Annotated[Path, typer.Option(help="What each person has, counted (.tsv).")],
    annotate: Annotate = None,
    annotate_field: AnnotateField = None,
    fasta: FastaOfKnown = None,
) -> None:
    """Join everybody's genotypes in the pieces of the genome, and count them."""
    from deepcohort.variants.annotate import known_sites
    from deepcohort.variants.join import join_calls as joined
    from deepcohort.variants.statistics import count_cohort, write_counts

    joined(parts, out, known_sites(annotate or [], annotate_field or [], fasta))
    write_counts(out_counts, count_cohort(out))


@command(app)
def genotype_region(
    release: Release,
    gvcfs: Annotated[list[Path], typer.Argument(exists=True, help="One gVCF for each person, indexed.")],
    fasta: Fasta,
    region: Annotated[str, typer.Option(help="contig:first-last.")],
    out: Annotated[Path, typer.Option(help="Everybody's genotypes (.vcf.gz).")],
) -> None:
    """Genotype people together in a region, from their gVCFs."""
    from deepcohort.variants.joint import genotype_region as genotype

    genotype(gvcfs, fasta, region, out)


@command(app)
def evaluate(
    release: Release,
    calls: Annotated[Path, typer.Option(exists=True, help="Called genotypes (VCF or BCF).")],
    truth: Annotated[Path, typer.Option(exists=True, help="True genotypes (VCF or BCF).")],
    fasta: Fasta,
    name: Annotated[str, typer.Option(help="Name of the calls in the tables.")],
    out: Annotated[Path | None, typer.Option(help="Figures by stratum (.tsv).")] = None,
    bed: Annotated[Path | None, typer.Option(exists=True, help="Where the truth is known.")] = None,
    sample: Annotated[str | None, typer.Option(help="Person of the calls, where there are several.")] = None,
    truth_sample: Annotated[
        str | None, typer.Option(help="Person of the truth, where there are several.")
    ] = None,
    out_counts: Annotated[Path | None, typer.Option(help="Counts by block, to be pooled (.tsv).")] = None,
    out_curve: Annotated[Path | None, typer.Option(help="Precision and recall by QUAL (.tsv).")] = None,
    out_judged: Annotated[Path | None, typer.Option(help="Every allele with its verdict (.tsv).")] = None,
    out_left_out: Annotated[Path | None, typer.Option(help="What was not compared (.tsv).")] = None,
    compare: Annotated[list[str] | None, typer.Option(help="name=file of another caller.")] = None,
    out_concordance: Annotated[Path | None, typer.Option(help="Beside other callers (.tsv).")] = None,
    seed: Seed = 1,
) -> None:
    """Compare calls with true genotypes by the haplotypes that they spell."""
    from deepcohort.genome.tables import write_table
    from deepcohort.variants import concordance as beside
    from deepcohort.variants import evaluation_table as tables
    from deepcohort.variants.evaluate import by_chromosome
    from deepcohort.variants.evaluate import evaluate as judge

    others = named_files("--compare", compare or [])
    if bool(others) != (out_concordance is not None):
        raise InputError("--compare and --out-concordance go together: give both or none")
    if out_counts is not None and not any((out, out_curve, out_judged, out_left_out, out_concordance)):
        parts = by_chromosome(calls, truth, fasta, bed, sample=sample, truth_sample=truth_sample)
        counted = (row for part in parts for row in tables.count_rows(name, part.counts()))
        write_table(out_counts, counted, tables.COUNT_COLUMNS)
        return
    found = judge(calls, truth, fasta, bed, sample=sample, truth_sample=truth_sample)
    rows = tables.count_rows(name, found.counts())
    if out is not None:
        write_table(out, tables.figures([rows], seed), tables.COLUMNS)
    if out_counts is not None:
        write_table(out_counts, rows, tables.COUNT_COLUMNS)
    if out_curve is not None:
        write_table(out_curve, tables.curve(name, found), tables.CURVE_COLUMNS)
    if out_judged is not None:
        write_table(out_judged, tables.judged_rows(name, found), tables.JUDGED_COLUMNS)
    if out_left_out is not None:
        write_table(out_left_out, tables.left_out_rows(name, found), tables.LEFT_OUT_COLUMNS)
    if out_concordance is not None:
        shared: list[dict[str, str]] = []
        for other, path in others.items():
            person = beside.person_of(path, sample or name)
            theirs = judge(path, truth, fasta, bed, sample=person, truth_sample=truth_sample)
            between = judge(calls, path, fasta, bed, sample=sample, truth_sample=person)
            shared += beside.concordance(name, other, found, theirs, between)
        write_table(out_concordance, shared, beside.COLUMNS)


@command(app)
def combine_evaluations(
    release: Release,
    parts: Annotated[list[Path], typer.Argument(exists=True, help="Counts of evaluations.")],
    out: Annotated[Path, typer.Option(help="Figures by stratum (.tsv).")],
    concordance: Annotated[list[Path] | None, typer.Option(exists=True, help="Beside other callers.")] = None,
    out_concordance: Annotated[Path | None, typer.Option(help="All of these as one table (.tsv).")] = None,
    seed: Seed = 1,
) -> None:
    """Pool the counts of several evaluations: of chromosomes, people or seeds."""
    from deepcohort.genome.tables import write_table
    from deepcohort.variants import concordance as beside
    from deepcohort.variants import evaluation_table as tables

    counts = [tables.CountsFile(part) for part in parts]
    write_table(out, tables.figures(counts, seed), tables.COLUMNS)
    if out_concordance is not None:
        write_table(out_concordance, beside.read_rows(concordance or []), beside.COLUMNS)


@command(app)
def mendelian(
    release: Release,
    calls: Annotated[Path, typer.Option(exists=True, help="Genotypes of several people.")],
    pedigree: InFile,
    out: Annotated[Path, typer.Option(help="Errors by trio and type (.tsv).")],
    bed: Annotated[Path | None, typer.Option(exists=True, help="Where to look.")] = None,
) -> None:
    """Count genotypes of children that their parents cannot have given."""
    from deepcohort.genome.tables import write_table
    from deepcohort.variants.mendelian import COLUMNS, mendelian_errors

    write_table(out, mendelian_errors(calls, pedigree, bed), COLUMNS)


@command(app)
def learn_errors(
    release: Release,
    reads: Annotated[
        list[Path], typer.Argument(exists=True, help="BAMs or CRAMs of one sequencer, indexed.")
    ],
    fasta: Fasta,
    regions: Annotated[str, typer.Option(help="Where to learn: regions or a BED file.")],
    out: Annotated[Path, typer.Option(help="Error profile (.npz).")],
    truth: Annotated[Path | None, typer.Option(exists=True, help="Variants to leave out.")] = None,
) -> None:
    """Learn how a sequencer errs: statistics of reads, none of the reads."""
    from deepcohort.genome.regions import parse_regions
    from deepcohort.variants.error_profile import learn

    learn(reads, fasta, parse_regions(regions), truth).save(out)


@command(app)
def simulate(
    release: Release,
    genotypes: InFile,
    fasta: Fasta,
    region: Annotated[str, typer.Option(help="contig:first-last.")],
    profile: Annotated[Path, typer.Option(exists=True, help="Error profile (.npz).")],
    name: Annotated[str, typer.Option(help="Name of the person made.")],
    out_truth: Annotated[Path, typer.Option(help="True genotypes, phased (.vcf.gz).")],
    out_bed: Annotated[Path, typer.Option(help="Where they hold.")],
    out_reads: Annotated[Path | None, typer.Option(help="Aligned reads (.bam).")] = None,
    out_fastq: Annotated[
        tuple[Path, Path] | None, typer.Option(help="First and second reads (two .fq.gz).")
    ] = None,
    sample: Annotated[str | None, typer.Option(help="Whose genotypes, where there are several.")] = None,
    coverage: Annotated[float, typer.Option(min=0.1, help="Mean depth.")] = 30,
    read_length: Annotated[int, typer.Option(min=50, max=300)] = 148,
    added_per_kb: Annotated[float, typer.Option(min=0, help="Variants added per 1,000 bases.")] = 0,
    known_placement: Annotated[
        bool, typer.Option("--known-placement", help="Do not align: put reads where they belong.")
    ] = False,
    seed: Seed = 1,
    threads: Threads = 1,
) -> None:
    """Simulate a person and reads of a region; bwa mem aligns them where it is installed."""
    from deepcohort.genome.regions import parse_regions
    from deepcohort.variants.error_profile import ErrorProfile
    from deepcohort.variants.simulate import Outputs, Wanted, has_bwa
    from deepcohort.variants.simulate import simulate as make

    if out_reads is None and out_fastq is None:
        raise InputError("no reads are asked for: give --out-reads, --out-fastq or both")
    regions = parse_regions(region)
    if len(regions) != 1:
        raise InputError(f"--region {region}: a person is simulated over one region: give one")
    make(
        genotypes,
        sample,
        fasta,
        regions[0],
        ErrorProfile.load(profile),
        Wanted(coverage, read_length, added_per_kb, name, seed),
        Outputs(out_truth, out_bed, out_reads, out_fastq),
        use_bwa=not known_placement and has_bwa(),
        threads=threads,
    )


if __name__ == "__main__":
    app()
