// One person's gVCF: refused in one sentence, or written under the sheet's name and indexed.
process CHECK_GVCF {
    tag "${meta.sample}"
    label 'process_single'
    label 'img_inputs'

    input:
    tuple val(meta), path(gvcf, stageAs: 'given/*')

    output:
    tuple val(meta), path("${meta.sample}.g.vcf.gz"), path("${meta.sample}.g.vcf.gz.{tbi,csi}"), emit: indexed
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pysam'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pysam\"))'"), topic: versions

    script:
    """
    inputs.py check-gvcf \\
        --release ${workflow.manifest.version} \\
        --name '${meta.sample}' \\
        --out '${meta.sample}.g.vcf.gz' \\
        ${gvcf}
    """

    stub:
    """
    touch '${meta.sample}.g.vcf.gz' '${meta.sample}.g.vcf.gz.tbi'
    """
}
