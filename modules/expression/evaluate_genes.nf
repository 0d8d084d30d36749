// Predicted beside measured expression, gene by gene: the sequence model and the plain models on the same people.
include { option; quoted } from '../options'

process EVALUATE_GENES {
    tag "${meta.cohort}:${meta.chrom}:${meta.shard}"
    label 'process_single'
    label 'img_expression'

    input:
    tuple val(meta), path(genes), path(predictions), path(heldout), path(study), path(facts, stageAs: 'facts/*')
    val options

    output:
    tuple val(meta), path("${name}.evaluation.tsv"), emit: table
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    name = "${meta.cohort}.${meta.shard}"
    """
    expression.py evaluate \\
        --release ${workflow.manifest.version} \\
        --cohort ${quoted(meta.cohort)} \\
        --genes ${genes} \\
        --predictions ${predictions} \\
        --heldout ${heldout} \\
        --study ${study} \\
        --model ${options.model} \\
        ${option('--facts', facts)} \\
        --seed ${options.seed} \\
        --out ${quoted("${name}.evaluation.tsv")}
    """

    stub:
    name = "${meta.cohort}.${meta.shard}"
    """
    touch ${quoted("${name}.evaluation.tsv")}
    """
}
