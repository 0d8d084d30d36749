// The genome cut into pieces that are called apart, with how many copies of each the person has.
include { option } from '../options'

process PLAN_CALLS {
    tag "${meta.sample}"
    label 'process_single'
    label 'img_variants'

    input:
    tuple val(meta), path(reads)
    tuple path(fasta), path(fasta_index)
    tuple val(regions), path(regions_bed)
    val piece_bases

    output:
    tuple val(meta), path('pieces.tsv'), emit: pieces
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    variants.py plan-calls \\
        --release ${workflow.manifest.version} \\
        --fasta ${fasta} \\
        ${option('--regions', regions_bed ?: regions)} \\
        --piece-bases ${piece_bases} \\
        ${meta.sex == 'male' ? '--male' : ''} \\
        --out pieces.tsv \\
        ${reads}
    """

    // Two pieces: enough to see that all is gathered.
    stub:
    """
    printf 'piece\\tregion\\thaploid\\n000001\\tchr20:1-1000\\tfalse\\n000002\\tchr20:1001-2000\\tfalse\\n' > pieces.tsv
    """
}
