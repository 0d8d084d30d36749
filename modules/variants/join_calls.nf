// The calls of all pieces of a person.
process JOIN_CALLS {
    tag "${meta.sample}"
    label 'process_single'
    label 'img_variants'

    input:
    tuple val(meta), path(parts, stageAs: 'parts/*', arity: '1..*')

    output:
    tuple val(meta), path("${meta.sample}.vcf.gz"), path("${meta.sample}.vcf.gz.{tbi,csi}"), emit: calls
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pysam'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pysam\"))'"), topic: versions

    script:
    """
    variants.py join-calls \\
        --release ${workflow.manifest.version} \\
        --out '${meta.sample}.vcf.gz' \\
        ${parts}
    """

    stub:
    """
    touch '${meta.sample}.vcf.gz' '${meta.sample}.vcf.gz.tbi'
    """
}
