// The genome cut into pieces in which people are genotyped together.
include { option } from '../options'

process PLAN_COHORT {
    label 'process_single'
    label 'img_variants'

    input:
    path gvcfs, arity: '1..*'
    tuple path(fasta), path(fasta_index)
    tuple val(regions), path(regions_bed)
    val piece_bases

    output:
    path 'pieces.tsv', emit: pieces
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    variants.py plan-cohort \\
        --release ${workflow.manifest.version} \\
        --fasta ${fasta} \\
        ${option('--regions', regions_bed ?: regions)} \\
        --piece-bases ${piece_bases} \\
        --out pieces.tsv \\
        ${gvcfs}
    """

    // Two pieces: enough to see that all is gathered.
    stub:
    """
    printf 'piece\\tregion\\n000001\\tchr20:1-1000\\n000002\\tchr20:1001-2000\\n' > pieces.tsv
    """
}
