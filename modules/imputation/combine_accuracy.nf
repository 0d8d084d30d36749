// The accuracy table of all cohorts over all chromosomes.
process COMBINE_ACCURACY {
    label 'process_single'
    label 'img_imputation'

    input:
    path sums, arity: '1..*'

    output:
    path 'accuracy.tsv', emit: table
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    imputation.py combine-accuracy \\
        --release ${workflow.manifest.version} \\
        --out accuracy.tsv \\
        ${sums}
    """

    stub:
    """
    touch accuracy.tsv
    """
}
