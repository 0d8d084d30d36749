// What an outside program imputed, as a part like those of our own models.
process ENGINE_OUTPUT {
    tag "${meta.imputer}:${meta.cohort}:${meta.chunk}:${meta.batch}"
    label 'process_low'
    label 'img_imputation'

    input:
    tuple val(meta), path(packed), path(target), path(target_index), path(batch), path(imputed)
    val seed
    val hds

    output:
    tuple val(meta), path("${part}.vcf.gz"), emit: part
    tuple val(meta), path("${part}.counts.tsv"), emit: counts
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    part = "${meta.chunk}.${meta.batch}"
    """
    imputation.py engine-output \\
        --release ${workflow.manifest.version} \\
        --threads ${task.cpus} \\
        --seed ${seed} \\
        --engine ${meta.imputer} \\
        --mask-fraction ${meta.mask_fraction} \\
        ${hds ? '--hds' : ''} \\
        --panel ${packed} \\
        --target ${target} \\
        --samples ${batch} \\
        --imputed ${imputed} \\
        --out ${part}.vcf.gz \\
        --out-counts ${part}.counts.tsv
    """

    stub:
    part = "${meta.chunk}.${meta.batch}"
    """
    touch ${part}.vcf.gz ${part}.counts.tsv
    """
}
