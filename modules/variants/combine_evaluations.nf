// Figures of everybody who was evaluated, by stratum.
include { eachFile } from '../options'

process COMBINE_EVALUATIONS {
    label 'process_single'
    label 'img_variants'

    input:
    path counts, stageAs: 'counts/*', arity: '1..*'
    path concordance, stageAs: 'concordance/*', arity: '0..*'
    val seed

    output:
    path 'evaluation.tsv', emit: table
    path 'concordance.tsv', emit: concordance, optional: true
    tuple val("${task.process}"), val('deepcohort'), val(workflow.manifest.version), topic: versions
    tuple val("${task.process}"), val('python'), eval("python3 --version | cut -d ' ' -f 2"), topic: versions

    script:
    """
    variants.py combine-evaluations \\
        --release ${workflow.manifest.version} \\
        --seed ${seed} \\
        --out evaluation.tsv \\
        ${eachFile('--concordance', concordance)} \\
        ${concordance ? '--out-concordance concordance.tsv' : ''} \\
        ${counts}
    """

    stub:
    """
    touch evaluation.tsv ${concordance ? 'concordance.tsv' : ''}
    """
}
