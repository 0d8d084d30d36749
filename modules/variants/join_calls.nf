// The calls of all pieces of a person, and what they are, counted.
include { option; eachNamed } from '../options'

process JOIN_CALLS {
    tag "${meta.sample}"
    label 'process_single'
    label 'img_variants'

    input:
    tuple val(meta), path(parts, stageAs: 'parts/*', arity: '1..*')
    tuple val(names), path(known, stageAs: 'known/*'), path(known_indices, stageAs: 'known/*')
    val fields
    tuple path(fasta), path(fasta_index)

    output:
    tuple val(meta), path("${meta.sample}.vcf.gz"), path("${meta.sample}.vcf.gz.{tbi,csi}"), emit: calls
    tuple val(meta), path("${meta.sample}.counts.tsv"), emit: counted
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pysam'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pysam\"))'"), topic: versions

    script:
    """
    variants.py join-calls \\
        --release ${workflow.manifest.version} \\
        --sample '${meta.sample}' \\
        --out '${meta.sample}.vcf.gz' \\
        --out-counts '${meta.sample}.counts.tsv' \\
        ${eachNamed('--annotate', names, known)} \\
        ${fields.collect { field -> option('--annotate-field', field) }.join(' ')} \\
        ${names ? option('--fasta', fasta) : ''} \\
        ${parts}
    """

    stub:
    """
    touch '${meta.sample}.vcf.gz' '${meta.sample}.vcf.gz.tbi' '${meta.sample}.counts.tsv'
    """
}
