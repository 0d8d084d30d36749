// A batch of people imputed over one chunk by a model of ours; with a mask_fraction, only its hidden typed sites.
include { needsTorch } from './networks'

process IMPUTE_CHUNK {
    tag "${meta.imputer}:${meta.cohort}:${meta.chunk}:${meta.batch}"
    label 'process_low'
    label 'process_gpu'
    ext torch: { needsTorch(meta?.imputer, 'impute') }
    label 'img_imputation'

    input:
    tuple val(meta), path(packed), path(trained), path(target), path(target_index), path(batch)
    val seed
    val hds
    val phased

    output:
    tuple val(meta), path("${part}.vcf.gz"), emit: part
    tuple val(meta), path("${part}.counts.tsv"), emit: counts
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('numba'), eval("python3 -c 'from importlib.metadata import version; print(version(\"numba\"))'"), topic: versions

    script:
    part = "${meta.chunk}.${meta.batch}"
    """
    imputation.py impute-chunk \\
        --release ${workflow.manifest.version} \\
        --threads ${task.cpus} \\
        --device ${task.accelerator ? 'cuda' : 'cpu'} \\
        --seed ${seed} \\
        --imputer ${meta.imputer} \\
        --mask-fraction ${meta.mask_fraction} \\
        ${hds ? '--hds' : ''} \\
        ${phased && meta.purpose == 'result' ? '--phased-output' : ''} \\
        --panel ${packed} \\
        --trained ${trained} \\
        --target ${target} \\
        --samples ${batch} \\
        --out ${part}.vcf.gz \\
        --out-counts ${part}.counts.tsv
    """

    stub:
    part = "${meta.chunk}.${meta.batch}"
    """
    touch ${part}.vcf.gz ${part}.counts.tsv
    """
}
