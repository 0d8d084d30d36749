// Accuracy of imputation with and without artificial people, in one table.
process COMPARE_ACCURACY {
    label 'process_single'
    label 'img_augmentation'

    input:
    path with_artificial, stageAs: 'with/*'
    path without, stageAs: 'without/*'

    output:
    path 'accuracy.tsv', emit: table
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    augmentation.py compare \\
        --release ${workflow.manifest.version} \\
        --with-artificial ${with_artificial} \\
        --without ${without} \\
        --out accuracy.tsv
    """

    stub:
    """
    touch accuracy.tsv
    """
}
