// The model of a chunk, trained on the panel itself for the sites that the target has.
include { flags; mounted; option } from '../options'
include { isNetwork; needsTorch } from './networks'

process TRAIN_CHUNK {
    tag "${meta.imputer}:${meta.cohort}:${meta.chunk}"
    label 'process_low'
    label 'process_gpu'
    ext torch: { needsTorch(meta?.imputer, 'train') }, mounted: { mounted(network?.checkpoints) }
    label 'img_imputation'

    input:
    tuple val(meta), path(packed), path(target_sites), path(target_index)
    val seed
    val network

    output:
    tuple val(meta), path(packed, includeInputs: true), path("${meta.chunk}.model"), emit: trained
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('numba'), eval("python3 -c 'from importlib.metadata import version; print(version(\"numba\"))'"), topic: versions

    script:
    def kept = needsTorch(meta.imputer, 'train') && network.checkpoints ? "${network.checkpoints}/${meta.cohort}.${meta.chunk}.${meta.imputer}" : ''
    """
    imputation.py train-chunk \\
        --release ${workflow.manifest.version} \\
        --threads ${task.cpus} \\
        --device ${task.accelerator ? 'cuda' : 'cpu'} \\
        --seed ${seed} \\
        --imputer ${meta.imputer} \\
        ${isNetwork(meta.imputer) ? flags(network.findAll { name, _value -> name != 'checkpoints' }) : ''} \\
        ${option('--checkpoint', kept)} \\
        --panel ${packed} \\
        --target-sites ${target_sites} \\
        --out ${meta.chunk}.model
    """

    stub:
    """
    mkdir ${meta.chunk}.model
    echo '{}' > ${meta.chunk}.model/model.json
    """
}
