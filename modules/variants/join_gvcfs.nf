// The gVCFs of all pieces of a person.
process JOIN_GVCFS {
    tag "${meta.sample}"
    label 'process_single'
    label 'img_variants'

    input:
    tuple val(meta), path(parts, stageAs: 'parts/*', arity: '1..*')

    output:
    tuple val(meta), path("${meta.sample}.g.vcf.gz"), path("${meta.sample}.g.vcf.gz.{tbi,csi}"), emit: gvcf
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pysam'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pysam\"))'"), topic: versions

    script:
    """
    variants.py join-gvcfs \\
        --release ${workflow.manifest.version} \\
        --out '${meta.sample}.g.vcf.gz' \\
        ${parts}
    """

    stub:
    """
    touch '${meta.sample}.g.vcf.gz' '${meta.sample}.g.vcf.gz.tbi'
    """
}
