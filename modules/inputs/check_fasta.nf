// The reference sequence: refused in one sentence, or indexed anew.
include { quoted } from '../options'

process CHECK_FASTA {
    tag "${fasta.name}"
    label 'process_single'
    label 'img_inputs'

    input:
    path fasta

    output:
    tuple path(fasta, includeInputs: true), path("${fasta.name}.{fai,gzi}"), emit: indexed
    path "${fasta.name}.check.json", emit: report
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pysam'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pysam\"))'"), topic: versions

    script:
    """
    inputs.py check-fasta \\
        --release ${workflow.manifest.version} \\
        --name ${quoted(fasta.name)} \\
        --out-index ${quoted("${fasta.name}.fai")} \\
        --out-report ${quoted("${fasta.name}.check.json")} \\
        ${fasta}
    """

    stub:
    """
    touch ${quoted("${fasta.name}.fai")} ${quoted("${fasta.name}.check.json")}
    """
}
