// Genotypes in another format of the field (PLINK 2, haplotypes of IMPUTE), written as VCF.
include { option } from '../options'

process CONVERT_GENOTYPES {
    tag "${meta.file}"
    label 'process_single'
    label 'img_inputs'

    input:
    tuple val(meta), path(genotypes), path(sites), path(people)

    output:
    tuple val(meta), path("${meta.file}.vcf.gz"), emit: converted
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pgenlib'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pgenlib\"))'"), topic: versions

    script:
    """
    inputs.py convert-genotypes \\
        --release ${workflow.manifest.version} \\
        ${option('--chrom', meta.chrom)} \\
        --sites ${sites} \\
        --people ${people} \\
        --out '${meta.file}.vcf.gz' \\
        ${genotypes}
    """

    stub:
    """
    touch '${meta.file}.vcf.gz'
    """
}
