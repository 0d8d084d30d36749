// One table and one list of people for all cohorts.
include { eachFile } from '../options'

process COLLECT_POPULATIONS {
    label 'process_single'
    label 'img_population'

    input:
    path assignments, arity: '1..*'
    path recommendations, arity: '1..*'
    path samples, arity: '1..*'

    output:
    path 'assignments.tsv', emit: assignments
    path 'panel_recommendation.tsv', emit: recommendation
    path 'panel.samples.txt', emit: samples
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    population.py collect \\
        --release ${workflow.manifest.version} \\
        ${eachFile('--assignments', assignments)} \\
        ${eachFile('--recommendations', recommendations)} \\
        ${eachFile('--samples', samples)} \\
        --out-assignments assignments.tsv \\
        --out-recommendations panel_recommendation.tsv \\
        --out-samples panel.samples.txt
    """

    stub:
    """
    touch assignments.tsv panel_recommendation.tsv panel.samples.txt
    """
}
