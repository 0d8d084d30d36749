// A person's calls beside the true genotypes, as counts that can be pooled.
include { option } from '../options'

process EVALUATE_CALLS {
    tag "${meta.file}"
    label 'process_low'
    label 'img_variants'

    input:
    tuple val(meta), path(calls), path(calls_index), path(truth, stageAs: 'truth/*'), path(truth_index, stageAs: 'truth/*'), path(bed, stageAs: 'truth/*')
    tuple path(fasta), path(fasta_index)

    output:
    path "${meta.file}.counts.tsv", emit: counts
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
        --out-counts '${meta.file}.counts.tsv'
    """

    stub:
    """
    touch '${meta.file}.counts.tsv'
    """
}
