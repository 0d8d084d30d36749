// Chunks and batches of one chromosome joined: every site once, people in the order of the input.
process JOIN_CHROMOSOME {
    tag "${meta.imputer}:${meta.cohort}:${meta.chrom}"
    label 'process_low'
    label 'img_imputation'

    input:
    tuple val(meta), path(parts, arity: '1..*'), path(batches, stageAs: 'batches/*', arity: '1..*')
    val format

    output:
    tuple val(meta), path("${name}.${format}"), path("${name}.${format}.{csi,tbi}"), emit: imputed
    tuple val(meta), path("${name}.sites.tsv.gz"), emit: sites
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    name = "${meta.cohort}.${meta.chrom}"
    """
    cat batches/*.txt > samples.txt
    imputation.py join \\
        --release ${workflow.manifest.version} \\
        --threads ${task.cpus} \\
        --cohort '${meta.cohort}' \\
        --chrom '${meta.chrom}' \\
        --samples-order samples.txt \\
        --out '${name}.${format}' \\
        --out-sites '${name}.sites.tsv.gz' \\
        ${parts.join(' ')}
    """

    stub:
    name = "${meta.cohort}.${meta.chrom}"
    """
    touch '${name}.${format}' '${name}.${format}.${format == 'bcf' ? 'csi' : 'tbi'}'
    echo | gzip > '${name}.sites.tsv.gz'
    """
}
