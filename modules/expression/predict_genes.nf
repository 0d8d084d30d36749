// Everybody's sequences around the genes of a shard, and what the sequence model predicts of them.
include { eachFile; flags; quoted } from '../options'
include { modelOptions } from './model_options'

process PREDICT_GENES {
    tag "${meta.cohort}:${meta.chrom}:${meta.shard}"
    label 'process_low'
    label 'process_gpu'
    label 'img_expression'
    ext torch: { (options?.model ?: 'xpresso') != 'xpresso' }, borzoi: { options?.model == 'borzoi' }

    input:
    tuple val(meta), path(genes), path(genotypes, stageAs: 'genotypes/?/*', arity: '1..*'), path(indexes, stageAs: 'genotypes/?/*', arity: '1..*'), path(trained, stageAs: 'trained/*')
    tuple path(fasta, stageAs: 'reference/*'), path(fasta_index, stageAs: 'reference/*')
    path weights, stageAs: 'weights/*'
    path own, stageAs: 'own/*'
    path track_names, stageAs: 'tracks/*'
    val options

    output:
    tuple val(meta), path("${name}.predictions.parquet"), emit: predictions
    tuple val(meta), path("${name}.{tracks,effects}.parquet", arity: '2'), path("${name}.modes.tsv"), emit: details
    tuple val(meta), path("${name}.counts.tsv"), emit: counted
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('cyvcf2'), eval("python3 -c 'from importlib.metadata import version; print(version(\"cyvcf2\"))'"), topic: versions

    script:
    name = "${meta.cohort}.${meta.shard}"
    """
    expression.py predict \\
        --release ${workflow.manifest.version} \\
        --cohort ${quoted(meta.cohort)} \\
        --genes ${genes} \\
        --fasta ${fasta} \\
        ${eachFile('--genotypes', genotypes)} \\
        ${flags(modelOptions(options, weights, own, track_names))} \\
        ${eachFile('--trained', [trained].flatten())} \\
        ${options.deletions ? '--deletions' : ''} \\
        --mode ${options.mode} \\
        --${options.fallback ? '' : 'no-'}fallback \\
        --${options.effects ? '' : 'no-'}effects \\
        --unphased ${options.unphased} \\
        --device ${task.accelerator ? 'auto' : 'cpu'} \\
        --threads ${task.cpus} \\
        --seed ${options.seed} \\
        --out ${quoted("${name}.predictions.parquet")} \\
        --out-tracks ${quoted("${name}.tracks.parquet")} \\
        --out-effects ${quoted("${name}.effects.parquet")} \\
        --out-modes ${quoted("${name}.modes.tsv")} \\
        --out-counts ${quoted("${name}.counts.tsv")}
    """

    stub:
    name = "${meta.cohort}.${meta.shard}"
    """
    touch ${['predictions.parquet', 'tracks.parquet', 'effects.parquet', 'modes.tsv', 'counts.tsv'].collect { kind -> quoted("${name}.${kind}") }.join(' ')}
    """
}
