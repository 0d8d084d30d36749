// Genes and where their transcription starts, read once and shared out by chromosome.
include { option } from '../options'

process PLAN_GENES {
    tag "${genes.name}"
    label 'process_single'
    label 'img_expression'

    input:
    path genes
    path expression, stageAs: 'measured/*'
    tuple val(regions), path(regions_bed, stageAs: 'regions/*')
    val shard_genes

    output:
    tuple path('shards.tsv'), path('genes/*.tsv', arity: '1..*'), emit: shards
    path 'notes.tsv', emit: notes
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    expression.py plan \\
        --release ${workflow.manifest.version} \\
        --genes ${genes} \\
        ${option('--expression', expression)} \\
        ${option('--regions', regions_bed ?: regions)} \\
        --shard-genes ${shard_genes} \\
        --out genes \\
        --out-shards shards.tsv \\
        --out-notes notes.tsv
    """

    // Two shards: enough to see that all is gathered.
    stub:
    """
    mkdir genes
    touch genes/00001.tsv genes/00002.tsv
    printf 'shard\\tchrom\\tgenes\\n00001\\t1\\t5\\n00002\\t20\\t6\\n' > shards.tsv
    printf 'cohort\\twhat\\n' > notes.tsv
    """
}
