// The panel of one chunk as outside programs read it: haplotypes as VCF, the genetic map in PLINK's layout.
process ENGINE_PANEL {
    tag "${meta.cohort}:${meta.chunk}"
    label 'process_single'
    label 'img_imputation'

    input:
    tuple val(meta), path(packed)

    output:
    tuple val(meta), path('panel.vcf.gz'), path('chunk.map'), emit: panel
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    imputation.py engine-panel \\
        --release ${workflow.manifest.version} \\
        --threads ${task.cpus} \\
        --panel ${packed} \\
        --out panel.vcf.gz \\
        --out-map chunk.map
    """

    stub:
    """
    touch panel.vcf.gz chunk.map
    """
}
