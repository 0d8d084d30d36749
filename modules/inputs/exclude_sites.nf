// A file of the cohort without the sites that its plan excludes, so that no later task sees them.
include { quoted } from '../options'

process EXCLUDE_SITES {
    tag "${meta.file}"
    label 'process_single'
    label 'img_inputs'

    input:
    tuple val(meta), path(genotypes), path(index), path(excluded)

    output:
    tuple val(meta), path("kept/${genotypes.name}"), path("kept/${genotypes.name}.csi"), emit: kept
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pysam'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pysam\"))'"), topic: versions

    script:
    """
    mkdir kept
    inputs.py exclude-sites \\
        --release ${workflow.manifest.version} \\
        --threads ${task.cpus} \\
        --excluded ${excluded} \\
        --out ${quoted("kept/${genotypes.name}")} \\
        ${genotypes}
    """

    stub:
    """
    mkdir kept
    touch ${quoted("kept/${genotypes.name}")} ${quoted("kept/${genotypes.name}.csi")}
    """
}
