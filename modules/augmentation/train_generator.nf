// A generator of artificial people, learnt from a region of the panel.
include { eachFile; flags; mounted; option } from '../options'

process TRAIN_GENERATOR {
    label 'process_low'
    label 'process_gpu'
    label 'img_augmentation'
    ext mounted: { mounted(options?.checkpoints) }

    input:
    tuple path(panel, stageAs: 'panel/?/*', arity: '1..*'), path(panel_indexes, stageAs: 'panel/?/*', arity: '1..*')
    path labels
    path pedigree, stageAs: 'families/*'
    val options

    output:
    path 'generator', emit: folder
    path 'generator.keras', emit: network
    path 'generator.json', emit: description
    path 'training.tsv', emit: course
    path 'training_info/*', emit: logs
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('tensorflow'), eval("python3 -c 'from importlib.metadata import version; print(version(\"tensorflow\"))'"), topic: versions

    // Without a GPU that TensorFlow can use, the CPU is taken, and the log says so.
    script:
    """
    augmentation.py train \\
        --release ${workflow.manifest.version} \\
        --threads ${task.cpus} \\
        --device ${task.accelerator ? 'auto' : 'cpu'} \\
        ${eachFile('--panel', panel)} \\
        --labels ${labels} \\
        ${option('--pedigree', pedigree)} \\
        ${flags(options)} \\
        --out generator
    cp generator/generator.keras generator/generator.json generator/training.tsv .
    cp -r generator/logs training_info
    """

    stub:
    """
    mkdir generator training_info
    touch generator/generator.keras generator.keras generator.json training.tsv training_info/events.out.tfevents.0
    """
}
