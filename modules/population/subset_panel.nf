// A file of the panel with the recommended people alone.
include { quoted } from '../options'

process SUBSET_PANEL {
    tag "${meta.file}"
    label 'process_single'
    label 'img_population'

    input:
    tuple val(meta), path(panel), path(index)
    path samples

    output:
    tuple path("panel/${meta.file}.vcf.gz"), path("panel/${meta.file}.vcf.gz.{tbi,csi}"), emit: subset
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pysam'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pysam\"))'"), topic: versions

    script:
    """
    mkdir panel
    population.py subset-panel \\
        --release ${workflow.manifest.version} \\
        --panel ${panel} \\
        --samples ${samples} \\
        --out ${quoted("panel/${meta.file}.vcf.gz")}
    """

    stub:
    """
    mkdir panel
    touch 'panel/${meta.file}.vcf.gz' 'panel/${meta.file}.vcf.gz.tbi'
    """
}
