// Measured expression of a cohort: who is held out when, and what is taken out of it by those trained on alone.
include { eachFile; option; quoted } from '../options'

process PREPARE_EXPRESSION {
    tag "${meta.cohort}"
    label 'process_low'
    label 'img_expression'

    input:
    tuple val(meta), path(genotypes, stageAs: 'genotypes/?/*', arity: '1..*'), path(indexes, stageAs: 'genotypes/?/*', arity: '1..*')
    path expression, stageAs: 'measured/*'
    path covariates, stageAs: 'covariates/*'
    path labels, stageAs: 'labels/*'
    path pedigree, stageAs: 'families/*'
    val options

    output:
    tuple val(meta), path("${meta.cohort}.study.npz"), emit: study
    path "${meta.cohort}.notes.tsv", emit: notes
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    expression.py prepare \\
        --release ${workflow.manifest.version} \\
        --cohort ${quoted(meta.cohort)} \\
        ${eachFile('--genotypes', genotypes)} \\
        ${option('--expression', expression)} \\
        ${option('--covariates', covariates)} \\
        ${option('--labels', labels)} \\
        ${option('--pedigree', pedigree)} \\
        --folds ${options.folds} \\
        --components ${options.components} \\
        --scale ${options.scale} \\
        --seed ${options.seed} \\
        --out ${quoted("${meta.cohort}.study.npz")} \\
        --out-notes ${quoted("${meta.cohort}.notes.tsv")}
    """

    stub:
    """
    touch ${quoted("${meta.cohort}.study.npz")} ${quoted("${meta.cohort}.notes.tsv")}
    """
}
