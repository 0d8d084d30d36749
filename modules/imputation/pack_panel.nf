// The panel's haplotypes of one chunk, packed for the model.
include { option } from '../options'

process PACK_PANEL {
    tag "${meta.cohort}:${meta.chunk}"
    label 'process_single'
    label 'img_imputation'

    input:
    tuple val(meta), path(panel), path(index)
    path genetic_map, stageAs: 'map/*'
    path panel_samples, stageAs: 'people/*'

    output:
    tuple val(meta), path("${meta.chunk}.panel.npz"), emit: packed
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    imputation.py pack-panel \\
        --release ${workflow.manifest.version} \\
        --region ${meta.panel_contig}:${meta.padded_start}-${meta.padded_end} \\
        --core ${meta.start}-${meta.end} \\
        ${option('--genetic-map', genetic_map)} \\
        ${option('--panel-samples', panel_samples)} \\
        --out ${meta.chunk}.panel.npz \\
        ${panel}
    """

    stub:
    """
    touch ${meta.chunk}.panel.npz
    """
}
