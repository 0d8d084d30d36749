// Likelihoods of one person's genotypes at the panel's sites, from the reads.
include { eachFile; option } from '../options'

process READS_LIKELIHOODS {
    tag "${meta.sample}"
    label 'process_single'
    label 'img_inputs'

    input:
    tuple val(meta), path(reads), path(index)
    path panel_sites, stageAs: 'panel/*', arity: '1..*'
    tuple path(fasta, stageAs: 'reference/*'), path(fasta_index, stageAs: 'reference/*')

    output:
    tuple val(meta), path("${meta.sample}.likelihoods.bcf"), path("${meta.sample}.likelihoods.bcf.csi"), emit: likelihoods
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('pysam'), eval("python3 -c 'from importlib.metadata import version; print(version(\"pysam\"))'"), topic: versions

    script:
    """
    inputs.py reads-likelihoods \\
        --release ${workflow.manifest.version} \\
        --name '${meta.sample}' \\
        --index ${index} \\
        ${eachFile('--panel-sites', panel_sites.findAll { file -> file.extension == 'bcf' })} \\
        ${option('--fasta', fasta)} \\
        --out '${meta.sample}.likelihoods.bcf' \\
        ${reads}
    """

    stub:
    """
    touch '${meta.sample}.likelihoods.bcf' '${meta.sample}.likelihoods.bcf.csi'
    """
}
