// One person's variants in a piece of the genome.
include { eachNamed; option; quoted } from '../options'

process CALL_REGION {
    tag "${meta.sample}:${meta.region}"
    label 'process_single'
    label 'process_gpu'
    ext torch: { ['cnn', 'ensemble'].contains(caller) }
    label 'img_variants'

    input:
    tuple val(meta), path(reads), path(index), path(gaps), val(names), path(others, stageAs: 'others/*'), path(others_indices, stageAs: 'others/*')
    tuple path(fasta), path(fasta_index)
    val caller
    path weights, stageAs: 'weights'
    val votes

    output:
    tuple val(meta), path("${meta.piece}.vcf.gz"), emit: calls
    tuple val(meta), path("${meta.piece}.g.vcf.gz"), emit: gvcf
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pysam'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pysam\"))'"), topic: versions

    script:
    """
    variants.py call-region \\
        --release ${workflow.manifest.version} \\
        --fasta ${fasta} \\
        --index ${index} \\
        --gaps ${gaps} \\
        --region ${quoted(meta.region)} \\
        --sample '${meta.sample}' \\
        --caller ${caller} \\
        ${option('--weights', weights)} \\
        ${eachNamed('--call-with', names, others)} \\
        --votes ${votes} \\
        --device ${task.accelerator ? 'cuda' : 'cpu'} \\
        --threads ${task.cpus} \\
        ${meta.haploid == 'true' ? '--haploid' : ''} \\
        --out ${meta.piece}.vcf.gz \\
        --out-gvcf ${meta.piece}.g.vcf.gz \\
        ${reads}
    """

    stub:
    """
    touch ${meta.piece}.vcf.gz ${meta.piece}.g.vcf.gz
    """
}
