// Artificial people, judged against held-out people of the panel beside plain generators.
include { eachFile; flags } from '../options'

process GENERATE_PEOPLE {
    label 'process_low'
    label 'img_augmentation'

    input:
    tuple path(panel, stageAs: 'panel/?/*', arity: '1..*'), path(panel_indexes, stageAs: 'panel/?/*', arity: '1..*')
    path labels, stageAs: 'known/*'
    path generator
    val options

    output:
    tuple path('synthetic.vcf.gz'), path('synthetic.vcf.gz.{tbi,csi}'), path('labels.tsv'), emit: people
    tuple path('augmented.vcf.gz'), path('augmented.vcf.gz.{tbi,csi}'), emit: augmented, optional: true
    path '{quality,counts,pca,frequencies,linkage,decay,spectrum}.tsv', emit: tables, arity: '7'
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions
    tuple val("${task.process}"), val('scikit-learn'), eval("python3 -c 'from importlib.metadata import version; print(version(\"scikit-learn\"))'"), topic: versions

    script:
    """
    augmentation.py generate \\
        --release ${workflow.manifest.version} \\
        --threads ${task.cpus} \\
        --device cpu \\
        ${eachFile('--panel', panel)} \\
        --labels ${labels} \\
        --generator ${generator} \\
        ${flags(options)} \\
        --out .
    """

    stub:
    """
    touch synthetic.vcf.gz synthetic.vcf.gz.tbi labels.tsv ${['quality', 'counts', 'pca', 'frequencies', 'linkage', 'decay', 'spectrum'].collect { kind -> "${kind}.tsv" }.join(' ')} ${options.with_panel ? 'augmented.vcf.gz augmented.vcf.gz.tbi' : ''}
    """
}
