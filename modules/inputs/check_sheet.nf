// A sheet, checked against its schema and written anew with all its columns in a fixed order.
include { quoted } from '../options'

process CHECK_SHEET {
    tag "${kind}"
    label 'process_single'
    label 'img_inputs'

    input:
    tuple val(kind), path(sheet, stageAs: 'given/*'), val(typed), path(schema)

    output:
    tuple val(kind), path("${kind}.csv"), emit: sheet
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    inputs.py check-sheet \\
        --release ${workflow.manifest.version} \\
        --kind ${kind} \\
        --schema ${schema} \\
        --name ${quoted(typed)} \\
        --out ${kind}.csv \\
        ${sheet}
    """

    stub:
    """
    cp ${sheet} ${kind}.csv
    """
}
