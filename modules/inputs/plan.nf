// Target sites harmonised with the panel's, and the work cut into chunks of the genome and batches of people.
include { eachFile; option } from '../options'

process PLAN {
    tag "${meta.cohort}"
    label 'process_single'
    label 'img_inputs'

    input:
    tuple val(meta), path(target_sites, stageAs: 'target/*', arity: '1..*'), path(target_reports, stageAs: 'target/*', arity: '1..*'), path(target_people, stageAs: 'target/*', arity: '1..*')
    tuple path(panel_sites, stageAs: 'panel/*', arity: '1..*'), path(panel_reports, stageAs: 'panel/*', arity: '1..*'), path(panel_people, stageAs: 'panel/*', arity: '1..*')
    tuple val(regions), path(regions_bed), path(chunks, stageAs: 'given/*')
    val planning

    output:
    tuple val(meta), path("${meta.cohort}.chunks.tsv"), path('batches/batch_*.txt', arity: '1..*'), emit: plan
    tuple val(meta), path("${meta.cohort}.harmonisation.tsv"), emit: counts
    tuple val(meta), path("${meta.cohort}.{qc,frequencies,people}.tsv", arity: '3'), emit: fit
    tuple val(meta), path('excluded.txt'), emit: excluded
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('cyvcf2'), eval("python3 -c 'from importlib.metadata import version; print(version(\"cyvcf2\"))'"), topic: versions

    script:
    """
    inputs.py plan \\
        --release ${workflow.manifest.version} \\
        --cohort '${meta.cohort}' \\
        ${eachFile('--panel-sites', withoutIndexes(panel_sites))} \\
        ${eachFile('--panel-reports', panel_reports)} \\
        ${eachFile('--panel-people', panel_people)} \\
        ${eachFile('--target-sites', withoutIndexes(target_sites))} \\
        ${eachFile('--target-reports', target_reports)} \\
        ${eachFile('--target-people', target_people)} \\
        ${option('--regions', regions_bed ?: regions)} \\
        ${option('--chunks', chunks)} \\
        --chunk-variants ${planning.chunk_variants} \\
        --chunk-bases ${planning.chunk_bases} \\
        --overlap-bases ${planning.overlap_bases} \\
        --batch-size ${planning.batch_size} \\
        ${planning.exclude_outliers ? '--exclude-outliers' : ''} \\
        --out-chunks '${meta.cohort}.chunks.tsv' \\
        --out-batches batches \\
        --out-counts '${meta.cohort}.harmonisation.tsv' \\
        --out-qc '${meta.cohort}.qc.tsv' \\
        --out-frequencies '${meta.cohort}.frequencies.tsv' \\
        --out-people '${meta.cohort}.people.tsv' \\
        --out-excluded excluded.txt
    """

    // Two chunks of two batches: enough to see that all is gathered.
    stub:
    def panel = withoutIndexes(panel_sites)[0].name - 'panel/' - '.sites.bcf'
    def target = withoutIndexes(target_sites)[0].name - 'target/' - '.sites.bcf'
    """
    touch '${meta.cohort}.qc.tsv' '${meta.cohort}.frequencies.tsv' '${meta.cohort}.people.tsv' excluded.txt
    mkdir batches
    echo one > batches/batch_0001.txt
    echo two > batches/batch_0002.txt
    printf '%s\\t' chunk chrom start end padded_start padded_end panel panel_contig target target_contig panel_sites typed_sites flag > '${meta.cohort}.chunks.tsv'
    echo cost >> '${meta.cohort}.chunks.tsv'
    for start in 1000001 1; do
        chunk=\$(printf '20.%09d-%09d' \$start \$((start + 999999)))
        printf '%s\\t' \$chunk 20 \$start \$((start + 999999)) \$start \$((start + 999999)) '${panel}' 20 '${target}' 20 100 10 '' >> '${meta.cohort}.chunks.tsv'
        echo 1 >> '${meta.cohort}.chunks.tsv'
    done
    printf 'cohort\\tchrom\\twhat\\tcount\\n' > '${meta.cohort}.harmonisation.tsv'
    """
}

/** The files of sites among those that are staged with their indexes. */
def withoutIndexes(files) {
    return files.findAll { file -> file.name.endsWith('.bcf') }
}
