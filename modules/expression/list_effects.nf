// What listed variants change in the genes of a shard, by the sequence model.
include { eachFile; flags; quoted } from '../options'
include { modelOptions } from './model_options'

process LIST_EFFECTS {
    tag "${meta.cohort}:${meta.chrom}:${meta.shard}"
    label 'process_low'
    label 'process_gpu'
    label 'img_expression'
    ext torch: { (options?.model ?: 'xpresso') != 'xpresso' }, borzoi: { options?.model == 'borzoi' }

    input:
    tuple val(meta), path(genes), path(trained, stageAs: 'trained/*')
    path variants, stageAs: 'variants/*'
    tuple path(fasta, stageAs: 'reference/*'), path(fasta_index, stageAs: 'reference/*')
    path weights, stageAs: 'weights/*'
    path own, stageAs: 'own/*'
    path track_names, stageAs: 'tracks/*'
    val options

    output:
    path "${name}.effects.parquet", emit: effects
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    name = "listed.${meta.cohort}.${meta.shard}"
    """
    expression.py effects \\
        --release ${workflow.manifest.version} \\
        --cohort ${quoted(variants.simpleName)} \\
        --genes ${genes} \\
        --fasta ${fasta} \\
        --variants ${variants} \\
        ${flags(modelOptions(options, weights, own, track_names))} \\
        ${eachFile('--trained', [trained].flatten())} \\
        --device ${task.accelerator ? 'auto' : 'cpu'} \\
        --threads ${task.cpus} \\
        --out ${quoted("${name}.effects.parquet")}
    """

    stub:
    name = "listed.${meta.cohort}.${meta.shard}"
    """
    touch ${quoted("${name}.effects.parquet")}
    """
}
