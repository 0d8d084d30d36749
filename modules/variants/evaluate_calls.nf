// A person's calls beside the true genotypes, as counts that can be pooled.
include { option; eachNamed } from '../options'

process EVALUATE_CALLS {
    tag "${meta.file}"
    label 'process_low'
    label 'img_variants'

    input:
    tuple val(meta), path(calls), path(calls_index), path(truth, stageAs: 'truth/*'), path(truth_index, stageAs: 'truth/*'), path(bed, stageAs: 'truth/*')
    tuple path(fasta), path(fasta_index)
    tuple val(names), path(others, stageAs: 'others/*'), path(others_indices, stageAs: 'others/*')

    output:
    path "${meta.file}.counts.tsv", emit: counts
    path "${meta.file}.concordance.tsv", emit: concordance, optional: true
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    variants.py evaluate \\
        --release ${workflow.manifest.version} \\
        --name '${meta.sample}' \\
        --calls ${calls} \\
        --truth ${truth} \\
        --fasta ${fasta} \\
        ${option('--bed', bed)} \\
        ${eachNamed('--compare', names, others)} \\
        ${names ? option('--out-concordance', "${meta.file}.concordance.tsv") : ''} \\
        --out-counts '${meta.file}.counts.tsv'
    """

    stub:
    """
    touch '${meta.file}.counts.tsv'
    """
}
