// Everybody's genotypes in all pieces, and what each person has, counted.
process JOIN_COHORT {
    label 'process_single'
    label 'img_variants'

    input:
    path parts, stageAs: 'parts/*', arity: '1..*'

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
        ${parts}
    """

    stub:
    """
    touch cohort.vcf.gz cohort.vcf.gz.tbi cohort.counts.tsv
    """
}
