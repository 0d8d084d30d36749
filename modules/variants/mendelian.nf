// Genotypes of children that their parents cannot have given, counted.
process MENDELIAN {
    label 'process_single'
    label 'img_variants'

    input:
    tuple path(cohort), path(index)
    path pedigree

    output:
    path 'mendelian.tsv', emit: table
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    variants.py mendelian \\
        --release ${workflow.manifest.version} \\
        --calls ${cohort} \\
        --pedigree ${pedigree} \\
        --out mendelian.tsv
    """

    stub:
    """
    touch mendelian.tsv
    """
}
