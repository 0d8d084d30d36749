// A batch of people over one chunk as an outside program reads it: typed sites, harmonised with the panel.
process ENGINE_TARGET {
    tag "${meta.imputer}:${meta.cohort}:${meta.chunk}:${meta.batch}"
    label 'process_single'
    label 'img_imputation'

    input:
    tuple val(meta), path(packed), path(target), path(target_index), path(batch)
    val seed

    output:
    tuple val(meta), path('typed.vcf.gz*'), emit: typed
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    imputation.py engine-target \\
        --release ${workflow.manifest.version} \\
        --threads ${task.cpus} \\
        --seed ${seed} \\
        --engine ${meta.imputer} \\
        --mask-fraction ${meta.mask_fraction} \\
        --panel ${packed} \\
        --target ${target} \\
        --samples ${batch} \\
        --out typed.vcf.gz
    """

    stub:
    """
    touch typed.vcf.gz
    """
}
