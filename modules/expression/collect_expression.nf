// Predictions, evaluations, weights and counts of all shards and cohorts as one file each.
include { eachFile; option } from '../options'

process COLLECT_EXPRESSION {
    label 'process_low'
    label 'img_expression'

    input:
    path predictions, stageAs: 'predictions/*', arity: '1..*'
    path details, stageAs: 'details/*', arity: '1..*'
    path modes, stageAs: 'modes/*', arity: '1..*'
    path counts, stageAs: 'counts/*', arity: '1..*'
    path notes, stageAs: 'notes/?/*', arity: '1..*'
    path fitted, stageAs: 'fitted/*', arity: '0..*'
    path evaluations, stageAs: 'evaluations/*', arity: '0..*'
    tuple path(fasta, stageAs: 'reference/*'), path(fasta_index, stageAs: 'reference/*')
    val options

    output:
    path 'predictions.parquet', emit: predictions
    path 'cohort.h5ad', emit: cohort
    path '{tracks,variant_effects}.parquet', arity: '2', emit: details
    path '*.tsv', emit: tables
    path '*.{bedgraph,bw}', optional: true, emit: browser
    path '*.{db,covariances.txt.gz}', optional: true, emit: weights
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('h5py'), eval("python3 -c 'from importlib.metadata import version; print(version(\"h5py\"))'"), topic: versions

    script:
    """
    expression.py collect \\
        --release ${workflow.manifest.version} \\
        --model ${options.model} \\
        ${eachFile('--predictions', predictions)} \\
        ${eachFile('--tracks', ofKind(details, 'tracks'))} \\
        ${eachFile('--effects', ofKind(details, 'effects'))} \\
        ${eachFile('--modes', modes)} \\
        ${eachFile('--counts', counts)} \\
        ${eachFile('--notes', notes)} \\
        ${eachFile('--heldout', ofKind(fitted, 'heldout'))} \\
        ${eachFile('--weights', ofKind(fitted, 'weights'))} \\
        ${eachFile('--covariances', ofKind(fitted, 'covariances'))} \\
        ${eachFile('--evaluations', evaluations)} \\
        ${option('--fasta-index', [fasta_index].flatten().find { file -> file.name.endsWith('.fai') })} \\
        --seed ${options.seed} \\
        --out .
    """

    stub:
    """
    touch cohort.expression.bedgraph cohort.expression.bw predictions.parquet tracks.parquet variant_effects.parquet cohort.h5ad counts.tsv modes.tsv notes.tsv ${evaluations ? 'evaluation.tsv evaluation_summary.tsv shown.tsv loci.tsv cohort.elastic_net.db cohort.elastic_net.covariances.txt.gz cohort.combination.db cohort.combination.covariances.txt.gz' : ''}
    """
}

/** Files of one kind among those that a task left. */
def ofKind(files, kind) {
    return files.findAll { file -> file.name.endsWith(".${kind}.parquet") }
}
