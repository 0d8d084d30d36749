// Everybody's genotypes in a piece of the genome.
include { quoted } from '../options'

process GENOTYPE_REGION {
    tag "${meta.region}"
    label 'process_single'
    label 'img_variants'

    input:
    tuple val(meta), path(gvcfs, arity: '1..*'), path(indices, arity: '1..*')
    tuple path(fasta), path(fasta_index)

    output:
    path "${meta.piece}.vcf.gz", emit: genotypes
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pysam'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pysam\"))'"), topic: versions

    script:
    """
    variants.py genotype-region \\
        --release ${workflow.manifest.version} \\
        --fasta ${fasta} \\
        --region ${quoted(meta.region)} \\
        --out ${meta.piece}.vcf.gz \\
        ${gvcfs}
    """

    stub:
    """
    touch ${meta.piece}.vcf.gz
    """
}
