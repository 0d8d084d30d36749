// One person's reads: refused in one sentence, or indexed where they are not.
include { option; quoted } from '../options'

process CHECK_READS {
    tag "${meta.sample}"
    label 'process_single'
    label 'img_inputs'

    input:
    tuple val(meta), path(reads), path(index, stageAs: 'given/*')

    output:
    tuple val(meta), path(reads, includeInputs: true), path("${reads.name}.{bai,csi,crai}"), emit: indexed
    tuple val(meta), path("${meta.sample}.check.json"), emit: report
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pysam'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pysam\"))'"), topic: versions

    script:
    def kind = index ? index.extension : reads.extension == 'cram' ? 'crai' : 'bai'
    """
    inputs.py check-reads \\
        --release ${workflow.manifest.version} \\
        --threads ${task.cpus} \\
        --name '${meta.sample}' \\
        ${option('--index', index)} \\
        --out-index ${quoted("${reads.name}.${kind}")} \\
        --out-report '${meta.sample}.check.json' \\
        ${reads}
    """

    stub:
    """
    touch ${quoted("${reads.name}.${reads.extension == 'cram' ? 'crai' : 'bai'}")} '${meta.sample}.check.json'
    """
}
