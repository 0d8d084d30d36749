// People whose likelihoods come from reads, side by side as one cohort.
include { quoted } from '../options'

process MERGE_LIKELIHOODS {
    tag "${meta.cohort}"
    label 'process_single'
    label 'img_inputs'

    input:
    tuple val(meta), path(people, arity: '1..*'), path(indexes, arity: '1..*')

    output:
    tuple val(meta), path("${meta.file}.bcf"), path("${meta.file}.bcf.csi"), emit: cohort
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pysam'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pysam\"))'"), topic: versions

    script:
    """
    inputs.py merge-likelihoods \\
        --release ${workflow.manifest.version} \\
        --threads ${task.cpus} \\
        --out '${meta.file}.bcf' \\
        ${people.collect { file -> quoted(file) }.join(' ')}
    """

    stub:
    """
    touch '${meta.file}.bcf' '${meta.file}.bcf.csi'
    """
}
