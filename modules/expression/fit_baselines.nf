// Plain models of the genes of a shard from nearby variants, their combination with the sequence model's effects, and
// its tracks stacked, fitted to people and asked of others.
include { eachFile; option; quoted } from '../options'

process FIT_BASELINES {
    tag "${meta.cohort}:${meta.chrom}:${meta.shard}"
    label 'process_single'
    label 'img_expression'

    input:
    tuple val(meta), path(genes), path(genotypes, stageAs: 'genotypes/?/*', arity: '1..*'), path(indexes, stageAs: 'genotypes/?/*', arity: '1..*'), path(study), path(effects, stageAs: 'effects/*'), path(tracks, stageAs: 'tracks/*')
    path expression, stageAs: 'measured/*'
    path weights, stageAs: 'weights/*'
    val seed

    output:
    tuple val(meta), path("${name}.heldout.parquet"), path("${name}.weights.parquet"), path("${name}.covariances.parquet"), emit: fitted
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('scikit-learn'), eval("python3 -c 'from importlib.metadata import version; print(version(\"scikit-learn\"))'"), topic: versions

    script:
    name = "${meta.cohort}.${meta.shard}"
    """
    export OMP_NUM_THREADS=${task.cpus}
    expression.py fit \\
        --release ${workflow.manifest.version} \\
        --cohort ${quoted(meta.cohort)} \\
        --genes ${genes} \\
        ${eachFile('--genotypes', genotypes)} \\
        ${option('--expression', expression)} \\
        --study ${study} \\
        ${option('--weights', weights)} \\
        ${option('--effects', effects)} \\
        ${option('--tracks', tracks)} \\
        --seed ${seed} \\
        --out ${quoted("${name}.heldout.parquet")} \\
        --out-weights ${quoted("${name}.weights.parquet")} \\
        --out-covariances ${quoted("${name}.covariances.parquet")}
    """

    stub:
    name = "${meta.cohort}.${meta.shard}"
    """
    touch ${['heldout', 'weights', 'covariances'].collect { kind -> quoted("${name}.${kind}.parquet") }.join(' ')}
    """
}
