// Everybody's sequences around the genes of a shard, and what the sequence model predicts of them.
include { eachFile; option; quoted } from '../options'

process PREDICT_GENES {
    tag "${meta.cohort}:${meta.chrom}:${meta.shard}"
    label 'process_low'
    label 'process_gpu'
    label 'img_expression'
    ext torch: { options.model != 'xpresso' }

    input:
    tuple val(meta), path(genes), path(genotypes, stageAs: 'genotypes/?/*', arity: '1..*'), path(indexes, stageAs: 'genotypes/?/*', arity: '1..*')
    tuple path(fasta, stageAs: 'reference/*'), path(fasta_index, stageAs: 'reference/*')
    path weights, stageAs: 'weights/*'
    val options

    output:
    tuple val(meta), path("${name}.predictions.parquet"), emit: predictions
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
        --model ${options.model} \\
        --mode ${options.mode} \\
        ${option('--weights', weights)} \\
        --unphased ${options.unphased} \\
        --seed ${options.seed} \\
        --out ${quoted("${name}.predictions.parquet")} \\
        --out-counts ${quoted("${name}.counts.tsv")}
    """

    stub:
    name = "${meta.cohort}.${meta.shard}"
    """
    touch ${quoted("${name}.predictions.parquet")} ${quoted("${name}.counts.tsv")}
    """
}
