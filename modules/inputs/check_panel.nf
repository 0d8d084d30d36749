// A file of phased reference haplotypes, read once: refused in one sentence, or reduced to its sites and what is worth knowing.
include { option; quoted } from '../options'

process CHECK_PANEL {
    tag "${meta.file}"
    label 'process_single'
    label 'img_inputs'

    input:
    tuple val(meta), path(genotypes), path(index, stageAs: 'given/*')
    tuple path(fasta, stageAs: 'reference/*'), path(fasta_index, stageAs: 'reference/*')
    path panel_samples, stageAs: 'people/*'

    output:
    tuple val(meta), path(genotypes, includeInputs: true), path("${genotypes.name}.{csi,tbi}"), emit: indexed
    tuple val(meta), path("${meta.file}.sites.bcf"), path("${meta.file}.sites.bcf.csi"), path("${meta.file}.check.json"), path("${meta.file}.people.npz"), emit: checked
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('cyvcf2'), eval("python3 -c 'from importlib.metadata import version; print(version(\"cyvcf2\"))'"), topic: versions

    script:
    """
    inputs.py check-panel \\
        --release ${workflow.manifest.version} \\
        --threads ${task.cpus} \\
        --name '${meta.file}' \\
        ${option('--index', index)} \\
        ${option('--fasta', fasta)} \\
        ${option('--panel-samples', panel_samples)} \\
        --out-sites '${meta.file}.sites.bcf' \\
        --out-index ${quoted("${genotypes.name}.${index ? index.extension : 'csi'}")} \\
        --out-people '${meta.file}.people.npz' \\
        --out-report '${meta.file}.check.json' \\
        ${genotypes}
    """

    stub:
    """
    touch '${meta.file}.sites.bcf' '${meta.file}.sites.bcf.csi' '${meta.file}.people.npz' ${quoted("${genotypes.name}.csi")}
    echo '{"contigs": {"20": "20"}}' > '${meta.file}.check.json'
    """
}
