// Tables and pictures of our own for MultiQC.
include { eachFile; option; quoted } from '../options'

process REPORT_TABLES {
    label 'process_single'
    label 'img_report'

    input:
    path accuracy, stageAs: 'accuracy/*'
    path sites, stageAs: 'sites/*', arity: '0..*'
    path harmonisation, stageAs: 'harmonisation/*', arity: '0..*'
    path checks, stageAs: 'checks/*', arity: '0..*'
    path counts, stageAs: 'counts/?/*', arity: '0..*'
    path models, stageAs: 'models/?/*', arity: '0..*'
    path fit, stageAs: 'fit/*', arity: '0..*'
    path calls, stageAs: 'calls/*', arity: '0..*'
    path evaluation, stageAs: 'evaluation/*', arity: '0..*'
    path population, stageAs: 'population/*', arity: '0..*'
    path expression, stageAs: 'expression/*', arity: '0..*'
    path augmentation, stageAs: 'augmentation/*', arity: '0..*'
    val notes
    val versions

    output:
    path 'mqc', emit: tables
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: report_versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: report_versions

    script:
    """
    printf '%s\\n' ${versions.readLines().collect { line -> quoted(line) }.join(' ')} > software_versions.yml
    report.py tables \\
        --release ${workflow.manifest.version} \\
        ${option('--accuracy', accuracy)} \\
        ${eachFile('--sites', sites)} \\
        ${eachFile('--harmonisation', harmonisation)} \\
        ${eachFile('--checks', checks)} \\
        ${eachFile('--counts', counts)} \\
        ${eachFile('--models', models)} \\
        ${eachFile('--fit', fit)} \\
        ${eachFile('--calls', calls)} \\
        ${eachFile('--evaluation', evaluation)} \\
        ${eachFile('--population', population)} \\
        ${eachFile('--expression', expression)} \\
        ${eachFile('--augmentation', augmentation)} \\
        ${eachFile('--note', notes)} \\
        --versions software_versions.yml \\
        --out mqc
    """

    stub:
    """
    mkdir mqc
    """
}
