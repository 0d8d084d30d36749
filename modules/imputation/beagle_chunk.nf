// A batch of people over one chunk, imputed (and phased where the phase is open) by Beagle.
include { orTell; require } from './outside'

process BEAGLE_CHUNK {
    tag "${meta.cohort}:${meta.chunk}:${meta.batch}"
    label 'process_low'
    label 'img_imputation_beagle'

    input:
    tuple val(meta), path(typed), path(panel), path(genetic_map)
    val seed

    output:
    tuple val(meta), path('imputed.vcf.gz'), emit: imputed
    tuple val("${task.process}"), val('beagle'), eval("beagle 2>/dev/null | sed -n '1s/^beagle\\.\\(.*\\)\\.jar.*/\\1/p'"), topic: versions

    // Typed sites that are too few for the program come as an empty file. Java needs memory beside the heap.
    script:
    """
    ${require('beagle')}
    export JAVA_TOOL_OPTIONS="-Xmx${task.memory.toMega() * 3 / 4 as long}m -XX:+ExitOnOutOfMemoryError"
    if [ -s typed.vcf.gz ]; then
        beagle ref=${panel} gt=typed.vcf.gz map=${genetic_map} out=imputed ap=true \\
            nthreads=${task.cpus} seed=${seed} > beagle.out 2>&1 ${orTell('beagle', meta, 'beagle.out')}
    else
        touch imputed.vcf.gz
    fi
    """

    stub:
    """
    touch imputed.vcf.gz
    """
}
