// Everybody's genotypes in all pieces, and what each person has, counted.
include { option; eachNamed } from '../options'

process JOIN_COHORT {
    label 'process_single'
    label 'img_variants'

    input:
    path parts, stageAs: 'parts/*', arity: '1..*'
    tuple val(names), path(known, stageAs: 'known/*'), path(known_indices, stageAs: 'known/*')
    val fields
    tuple path(fasta), path(fasta_index)

    output:
    tuple path('cohort.vcf.gz'), path('cohort.vcf.gz.{tbi,csi}'), emit: cohort
    path 'cohort.counts.tsv', emit: counted
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pysam'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pysam\"))'"), topic: versions

    script:
    """
    variants.py join-cohort \\
        --release ${workflow.manifest.version} \\
        --out cohort.vcf.gz \\
        --out-counts cohort.counts.tsv \\
        ${eachNamed('--annotate', names, known)} \\
        ${fields.collect { field -> option('--annotate-field', field) }.join(' ')} \\
        ${names ? option('--fasta', fasta) : ''} \\
        ${parts}
    """

    stub:
    """
    touch cohort.vcf.gz cohort.vcf.gz.tbi cohort.counts.tsv
    """
}
