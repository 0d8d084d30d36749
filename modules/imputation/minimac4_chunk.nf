// A batch of phased people over one chunk, imputed by minimac4.
include { orTell; require } from './outside'

process MINIMAC4_CHUNK {
    tag "${meta.cohort}:${meta.chunk}:${meta.batch}"
    label 'process_low'
    label 'img_imputation_minimac4'

    input:
    tuple val(meta), path(typed), path(panel), path(genetic_map)

    output:
    tuple val(meta), path('imputed.vcf.gz'), emit: imputed
    tuple val("${task.process}"), val('minimac4'), eval("minimac4 --version 2>/dev/null | sed -n 's/^minimac v//p'"), topic: versions

    // Typed sites that are too few for the program come as an empty file.
    script:
    """
    ${require('minimac4')}
    if [ -s typed.vcf.gz ]; then
        { minimac4 --compress-reference ${panel} --output panel.msav \\
            && minimac4 panel.msav typed.vcf.gz --map ${genetic_map} --format HDS --output-format vcf.gz \\
                --output imputed.vcf.gz --threads ${task.cpus}; } > minimac4.out 2>&1 ${orTell('minimac4', meta, 'minimac4.out')}
    else
        touch imputed.vcf.gz
    fi
    """

    stub:
    """
    touch imputed.vcf.gz
    """
}
