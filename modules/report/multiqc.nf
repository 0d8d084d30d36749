// The report: one page for all cohorts.
process MULTIQC {
    label 'process_single'
    label 'img_report'

    input:
    path tables
    path config

    output:
    path 'multiqc_report.html', emit: report
    path 'multiqc_report_data', emit: data
    tuple val("${task.process}"), val('multiqc'), eval("python3 -c 'from importlib.metadata import version; print(version(\"multiqc\"))'"), topic: report_versions

    // The version check would call home; caches go where any user may write.
    script:
    """
    export MPLCONFIGDIR=\$PWD/.matplotlib
    multiqc --force --no-version-check --config ${config} --filename multiqc_report.html ${tables}
    """

    stub:
    """
    touch multiqc_report.html
    mkdir multiqc_report_data
    """
}
