// How likely a person's reads have insertions and deletions, by the repeat that these lie in.
process LEARN_GAPS {
    tag "${meta.sample}"
    label 'process_single'
    label 'img_variants'

    input:
    tuple val(meta), path(reads), path(index), path(pieces)
    tuple path(fasta), path(fasta_index)
    val gaps

    output:
    tuple val(meta), path('gaps.tsv'), emit: gaps
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pysam'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pysam\"))'"), topic: versions

    script:
    """
    variants.py learn-gaps \\
        --release ${workflow.manifest.version} \\
        --fasta ${fasta} \\
        --index ${index} \\
        --pieces ${pieces} \\
        --gaps ${gaps} \\
        --out gaps.tsv \\
        ${reads}
    """

    stub:
    """
    touch gaps.tsv
    """
}
