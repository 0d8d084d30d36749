// The cohort's people assigned by the models that held-out people of the panel vouch for; panel people recommended.
include { eachFile; quoted } from '../options'

process ASSIGN_POPULATIONS {
    tag "${meta.cohort}"
    label 'process_low'
    label 'img_population'

    input:
    tuple val(meta), path(study), path(answers, stageAs: 'windows/*', arity: '0..*')
    val options

    output:
    path "${meta.cohort}.{populations,population.probs,population.names}", emit: people
    tuple val(meta), path("${meta.cohort}.assignments.tsv"), emit: assignments
    tuple val(meta), path("${meta.cohort}.panel_recommendation.tsv"), emit: recommendation
    tuple val(meta), path("${meta.cohort}.panel.samples.txt"), emit: samples
    tuple val(meta), path("${meta.cohort}.{figures,confusion,places,mixture,counts}.tsv", arity: '5'), emit: tables
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('scikit-learn'), eval("python3 -c 'from importlib.metadata import version; print(version(\"scikit-learn\"))'"), topic: versions

    script:
    """
    population.py assign \\
        --release ${workflow.manifest.version} \\
        --study ${study} \\
        ${eachFile('--window', answers)} \\
        --method ${options.method} \\
        --min-probability ${options.min_probability} \\
        --seed ${options.seed} \\
        --out .
    """

    stub:
    """
    touch ${['populations', 'population.probs', 'population.names', 'assignments.tsv', 'panel_recommendation.tsv', 'panel.samples.txt', 'figures.tsv', 'confusion.tsv', 'places.tsv', 'mixture.tsv', 'counts.tsv'].collect { kind -> quoted("${meta.cohort}.${kind}") }.join(' ')}
    """
}
