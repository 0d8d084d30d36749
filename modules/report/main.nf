// The report of everything that the other rooms measured and dropped.
include { REPORT_TABLES } from './report_tables'
include { MULTIQC } from './multiqc'

workflow REPORT {
    take:
    accuracy       // accuracy.tsv, or nothing
    sites          // [ [cohort: 'cohort', chrom: '20'], cohort.20.sites.tsv.gz ]
    harmonisation  // [ [cohort: 'cohort'], cohort.harmonisation.tsv ]
    checks         // [ [file: 'panel.20'], panel.20.check.json ]
    counts         // [ meta of chunk, counts.tsv ]
    models         // [ meta of chunk, folder of the trained model ]
    fit            // [ [cohort: 'cohort'], cohort.qc.tsv ], and so .frequencies.tsv and .people.tsv
    calls          // [ [sample: 'person', sex: 'male'], person.counts.tsv ]
    evaluation     // evaluation.tsv, concordance.tsv and mendelian.tsv of calls, or nothing
    population     // [ [cohort: 'cohort'], cohort.figures.tsv ], and so the other tables of populations
    expression     // tables of expression: counts.tsv, evaluation.tsv, ..., or nothing
    augmentation   // quality.tsv and the other tables of artificial people, or nothing
    notes          // sentences about the run as a whole
    versions       // YAML text of the programs that the other rooms used
    config         // assets/multiqc_config.yml

    main:
    REPORT_TABLES(
        accuracy.toList().map { tables -> tables ?: [] },
        filesOf(sites), filesOf(harmonisation), filesOf(checks), filesOf(counts), filesOf(models), filesOf(fit),
        filesOf(calls), evaluation.toSortedList { one, other -> one.name <=> other.name }, filesOf(population), expression.toSortedList { one, other -> one.name <=> other.name },
        augmentation.toSortedList { one, other -> one.name <=> other.name },
        notes, versions
    )
    MULTIQC(REPORT_TABLES.out.tables, config)
    report = MULTIQC.out.report

    emit:
    report  // multiqc_report.html
}

/** All files of a channel as one list, in an order that does not depend on which task ended first. */
def filesOf(entries) {
    return entries.toSortedList { one, other -> one.last().name <=> other.last().name ?: one.first().toString() <=> other.first().toString() }
        .map { sorted -> sorted.collect { entry -> entry.last() } }
}
