// A list of variants, those kept whose REF is the reference's: once, before tasks for each shard read it.
include { quoted } from '../options'

process CHECK_VARIANTS {
    tag "${variants.name}"
    label 'process_single'
    label 'img_expression'

    input:
    path variants, stageAs: 'variants/*'
    tuple path(fasta, stageAs: 'reference/*'), path(fasta_index, stageAs: 'reference/*')

    output:
    path "${variants.simpleName}.tsv", emit: variants
    path 'listed.notes.tsv', emit: notes
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    expression.py check \\
        --release ${workflow.manifest.version} \\
        --variants ${variants} \\
        --fasta ${fasta} \\
        --out ${quoted("${variants.simpleName}.tsv")} \\
        --out-notes listed.notes.tsv
    """

    stub:
    """
    touch ${quoted("${variants.simpleName}.tsv")} listed.notes.tsv
    """
}
