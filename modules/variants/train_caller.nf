// A caller: a network and trees trained on the examples of all people; some pieces of the genome are held out.
include { eachFile; option } from '../options'

process TRAIN_CALLER {
    label 'process_low'
    label 'process_gpu'
    ext torch: true
    label 'img_variants'

    input:
    tuple path(examples, stageAs: 'examples/*', arity: '1..*'), path(held_out, stageAs: 'held_out/*', arity: '1..*')
    path start, stageAs: 'start'
    val training
    val seed

    output:
    path 'caller', emit: caller
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('torch'), eval("python3 -c 'from importlib.metadata import version; print(version(\"torch\"))'"), topic: versions

    script:
    """
    variants.py train-caller \\
        --release ${workflow.manifest.version} \\
        --threads ${task.cpus} \\
        --device ${task.accelerator ? 'cuda' : 'cpu'} \\
        --seed ${seed} \\
        --epochs ${training.epochs} \\
        ${option('--start', start)} \\
        ${eachFile('--held-out', held_out)} \\
        --out caller \\
        ${examples}
    """

    stub:
    """
    mkdir caller
    echo '{}' > caller/caller.json
    """
}
