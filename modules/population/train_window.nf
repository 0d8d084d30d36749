// The networks of a window, one for each fold of the panel's people.
include { option; quoted } from '../options'

process TRAIN_WINDOW {
    tag "${meta.cohort}:${meta.window}"
    label 'process_low'
    label 'process_gpu'
    label 'img_population'

    input:
    tuple val(meta), path(study)
    path weights, stageAs: 'weights/*'
    val options

    output:
    tuple val(meta), path("${meta.window}.npz"), emit: told
    path "${meta.cohort}_net/*", emit: networks
    path "${meta.cohort}_training_info/*", emit: course
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('tensorflow'), eval("python3 -c 'from importlib.metadata import version; print(version(\"tensorflow\"))'"), topic: versions

    // Without a GPU that TensorFlow can use, the networks are trained on the CPU, and the log says so.
    script:
    """
    population.py train-window \\
        --release ${workflow.manifest.version} \\
        --threads ${task.cpus} \\
        --device ${task.accelerator ? 'auto' : 'cpu'} \\
        --seed ${options.seed} \\
        --epochs ${options.epochs} \\
        --study ${study} \\
        --window ${quoted(meta.window)} \\
        ${option('--weights', weights)} \\
        --out ${quoted("${meta.window}.npz")} \\
        --out-net ${quoted("${meta.cohort}_net")} \\
        --out-logs ${quoted("${meta.cohort}_training_info")}
    """

    stub:
    """
    mkdir ${meta.cohort}_net ${meta.cohort}_training_info
    touch ${meta.window}.npz ${meta.cohort}_net/${meta.window}.fold1.keras ${meta.cohort}_training_info/${meta.window}.history.tsv
    """
}
