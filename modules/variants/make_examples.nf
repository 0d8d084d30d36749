// Examples that a caller learns from: candidates of a person whose variants are known, in a piece of the genome.
include { quoted } from '../options'

process MAKE_EXAMPLES {
    tag "${meta.sample}:${meta.region}"
    label 'process_single'
    label 'img_variants'

    input:
    tuple val(meta), path(reads), path(index), path(gaps), path(truth, stageAs: 'truth/*'), path(bed, stageAs: 'truth/*')
    tuple path(fasta), path(fasta_index)
    val layout

    output:
    tuple val(meta), path("${meta.sample}.${meta.piece}.npz"), emit: examples
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    variants.py make-examples \\
        --release ${workflow.manifest.version} \\
        --fasta ${fasta} \\
        --index ${index} \\
        --gaps ${gaps} \\
        --truth ${truth} \\
        --bed ${bed} \\
        --regions ${quoted(meta.region)} \\
        --layout ${layout} \\
        --out '${meta.sample}.${meta.piece}.npz' \\
        ${reads}
    """

    stub:
    """
    touch '${meta.sample}.${meta.piece}.npz'
    """
}
