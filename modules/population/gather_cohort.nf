// A cohort and the labelled panel at the sites that they share, cut into windows.
include { eachFile; option; quoted } from '../options'

process GATHER_COHORT {
    tag "${meta.cohort}"
    label 'process_low'
    label 'img_population'

    input:
    tuple val(meta), path(target, stageAs: 'target/?/*', arity: '1..*'), path(target_indexes, stageAs: 'target/?/*', arity: '1..*')
    tuple path(panel, stageAs: 'panel/?/*', arity: '1..*'), path(panel_indexes, stageAs: 'panel/?/*', arity: '1..*')
    path labels
    path pedigree, stageAs: 'families/*'
    path weights, stageAs: 'weights/*'
    path artificial, stageAs: 'artificial/*'
    val options

    output:
    tuple val(meta), path('study'), path('windows.tsv'), emit: study
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('cyvcf2'), eval("python3 -c 'from importlib.metadata import version; print(version(\"cyvcf2\"))'"), topic: versions

    script:
    """
    population.py gather \\
        --release ${workflow.manifest.version} \\
        --cohort ${quoted(meta.cohort)} \\
        ${eachFile('--panel', panel)} \\
        ${eachFile('--target', target)} \\
        --labels ${labels} \\
        ${option('--pedigree', pedigree)} \\
        ${option('--weights', weights)} \\
        ${artificial ? '--artificial artificial' : ''} \\
        --min-sites ${options.min_sites} \\
        --folds ${options.folds} \\
        --window-sites ${options.window_sites} \\
        --seed ${options.seed} \\
        --out study \\
        --out-windows windows.tsv
    """

    // Two windows: enough to see that all is gathered.
    stub:
    """
    mkdir study
    printf 'window\\tchrom\\tsites\\n20.1-2\\t20\\t5\\n20.3-4\\t20\\t6\\n' > windows.tsv
    """
}
