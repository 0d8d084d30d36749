// Reference haplotypes in another format of the field (PLINK 2, IMPUTE), written as VCF.
process CONVERT_PANEL {
    tag "${meta.file}"
    label 'process_single'
    label 'img_inputs'

    input:
    tuple val(meta), path(haplotypes), path(sites), path(people)

    output:
    tuple val(meta), path("${meta.file}.vcf.gz"), emit: converted
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pgenlib'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pgenlib\"))'"), topic: versions

    script:
    """
    inputs.py convert-panel \\
        --release ${workflow.manifest.version} \\
        --chrom '${meta.chrom}' \\
        --sites ${sites} \\
        --people ${people} \\
        --out '${meta.file}.vcf.gz' \\
        ${haplotypes}
    """

    stub:
    """
    touch '${meta.file}.vcf.gz'
    """
}
