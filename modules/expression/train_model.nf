// The sequence model taught what differs between people of the same gene: everybody but one fold, which is held out.
include { eachFile; flags; mounted; option; quoted } from '../options'

process TRAIN_MODEL {
    tag "${meta.cohort}:fold ${meta.fold}"
    label 'process_low'
    label 'process_gpu'
    label 'img_expression'
    ext torch: true, mounted: { mounted(options?.checkpoints) }

    input:
    tuple val(meta), path(genotypes, stageAs: 'genotypes/?/*', arity: '1..*'), path(indexes, stageAs: 'genotypes/?/*', arity: '1..*'), path(study)
    path genes, stageAs: 'genes/*', arity: '1..*'
    path expression, stageAs: 'measured/*'
    tuple path(fasta, stageAs: 'reference/*'), path(fasta_index, stageAs: 'reference/*')
    path weights, stageAs: 'weights/*'
    val options

    output:
    tuple val(meta), path("${name}.safetensors"), path("${name}.json"), emit: trained
    path "${name}.scores.tsv", emit: scores
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('torch'), eval("python3 -c 'from importlib.metadata import version; print(version(\"torch\"))'"), topic: versions

    script:
    name = nameOf(meta)
    """
    expression.py train \\
        --release ${workflow.manifest.version} \\
        ${eachFile('--genes', genes)} \\
        --fasta ${fasta} \\
        ${eachFile('--genotypes', genotypes)} \\
        ${option('--expression', expression)} \\
        --study ${study} \\
        --model ${options.model} \\
        --part ${options.part ?: 'all'} \\
        ${option('--weights', weights)} \\
        --fold ${meta.fold} \\
        ${flags(options.subMap('context', 'bins', 'epochs'))} \\
        ${option('--checkpoint', options.checkpoints ? "${options.checkpoints}/${name}.checkpoint.safetensors" : '')} \\
        --device ${task.accelerator ? 'auto' : 'cpu'} \\
        --threads ${task.cpus} \\
        --seed ${options.seed} \\
        --out ${quoted("${name}.safetensors")} \\
        --out-scores ${quoted("${name}.scores.tsv")} \\
        --out-facts ${quoted("${name}.json")}
    """

    stub:
    name = nameOf(meta)
    """
    touch ${['safetensors', 'json', 'scores.tsv'].collect { kind -> quoted("${name}.${kind}") }.join(' ')}
    """
}

/** E.g. cohort.fold01: names sort as the folds do. */
def nameOf(meta) {
    return "${meta.cohort}.fold${String.format('%02d', meta.fold)}"
}
