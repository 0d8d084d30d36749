// Imputed against true genotypes of one chromosome, as sums that can be added over chromosomes.
include { option } from '../options'

process ACCURACY {
    tag "${meta.imputer}:${meta.cohort}:${meta.chrom}"
    label 'process_single'
    label 'img_imputation'

    input:
    tuple val(meta), path(imputed, stageAs: 'imputed/*'), path(imputed_index, stageAs: 'imputed/*'), val(kind), path(truth, stageAs: 'truth/*'), path(truth_index, stageAs: 'truth/*')
    path labels
    val seed

    output:
    path "${meta.cohort}.${meta.chrom}.${meta.imputer}.accuracy.tsv", emit: sums
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    imputation.py accuracy \\
        --release ${workflow.manifest.version} \\
        --seed ${seed} \\
        --imputer ${meta.imputer} \\
        --cohort '${meta.cohort}' \\
        --chrom '${meta.chrom}' \\
        --kind ${kind} \\
        ${option('--labels', labels)} \\
        --imputed ${imputed} \\
        --truth ${truth} \\
        --out '${meta.cohort}.${meta.chrom}.${meta.imputer}.accuracy.tsv'
    """

    stub:
    """
    touch '${meta.cohort}.${meta.chrom}.${meta.imputer}.accuracy.tsv'
    """
}
