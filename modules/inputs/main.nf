// What goes in: checked; for imputation also harmonised with the panel, and cut into chunks and batches.
include { CHECK_FASTA } from './check_fasta'
include { CHECK_SHEET } from './check_sheet'
include { CHECK_PANEL } from './check_panel'
include { CONVERT_GENOTYPES as CONVERT_PANEL } from './convert_genotypes'
include { CONVERT_GENOTYPES as CONVERT_TARGET } from './convert_genotypes'
include { CHECK_TARGET } from './check_target'
include { CHECK_TARGET as CHECK_TRUTH } from './check_target'
include { CHECK_TARGET as CHECK_UNPHASED } from './check_target'
include { CHECK_GVCF } from './check_gvcf'
include { CHECK_READS } from './check_reads'
include { CHECK_READS as CHECK_KNOWN_READS } from './check_reads'
include { READS_LIKELIHOODS } from './reads_likelihoods'
include { MERGE_LIKELIHOODS } from './merge_likelihoods'
include { PLAN } from './plan'
include { EXCLUDE_SITES } from './exclude_sites'
include { EXCLUDE_SITES as EXCLUDE_FROM_SITES } from './exclude_sites'
include { companionsOf; isCohort; isGenotypes; isGvcf; isReads } from './files'

workflow INPUTS {
    take:
    steps    // names, e.g. ['impute']
    sheets   // which files by kind, e.g. [input: 'samples.csv', panel: 'panel.csv', labels: 'labels.tsv', truth: null]
    fasta    // reference, or null
    regions  // text or BED file, e.g. '20:1-5000000', or null
    chunks   // chunks.tsv of an earlier run, or null
    panel_samples  // list of the panel's people to use, or null
    planning // how to cut, e.g. [chunk_variants: 20000, chunk_bases: 50000000, overlap_bases: 250000, batch_size: 500, exclude_outliers: false]

    main:
    // (`error` stands right in the channels: Nextflow loses the sentence of one in a function.)
    // A panel that is one VCF needs no sheet: [ kind, sheet, name as typed, schema ]
    kinds = sheets.findAll { kind, sheet -> sheet && !(kind == 'panel' && isGenotypes(sheet)) }
    checked = CHECK_SHEET(
        channel.fromList(kinds.collect { kind, sheet -> [kind, file(sheet), sheet, file("${projectDir}/assets/schema_${kind}.json")] })
    ).sheet
    rows = checked.branch { kind, _csv ->
        input: kind == 'input'
        panel: kind == 'panel'
        truth: kind == 'truth'
        caller_training: kind == 'caller_training'
        labels: kind == 'labels'
    }

    // [ ref.fa, [ref.fa.fai] ], or [ [], [] ] without a reference
    CHECK_FASTA(channel.fromList(fasta ? [file(fasta)] : []))
    reference = fasta ? CHECK_FASTA.out.indexed.first() : channel.value([[], []])
    // Expression itself holds REF against the reference, near genes, and lets less of it differ.
    held_against = steps == ['express'] ? channel.value([[], []]) : reference

    // [ [file: 'panel.20', chrom: '20'], panel.vcf.gz, panel.vcf.gz.csi or [] ]
    panel_rows = isGenotypes(sheets.panel)
        ? channel.of([[file: 'panel'], file(sheets.panel), indexFile(sheets.panel, file(sheets.panel).name, '')])
        : rows.panel.flatMap { _kind, csv ->
            def problems = missingFiles(sheets.panel, csv, ['file', 'index']) + missingCompanions(sheets.panel, csv)
            problems ? error(problems.join('\n')) : panelFiles(sheets.panel, csv)
        }
    by_format = panel_rows.branch { _meta, haplotypes, _index ->
        genotypes: isGenotypes(haplotypes)
        others: true
    }
    CONVERT_PANEL(by_format.others.map { meta, haplotypes, _index -> [meta] + withCompanions(haplotypes) })
    converted = CONVERT_PANEL.out.converted.map { meta, genotypes -> [meta, genotypes, []] }
    // Only imputation needs a panel that is complete and phased.
    panel_parts = by_format.genotypes.mix(converted)
        .map { meta, genotypes, index -> [meta.subMap('file'), genotypes, index] }
        .branch { _entry ->
            unphased: steps.any { step -> step in ['population', 'augment'] } && !steps.contains('impute')
            phased: true
        }
    CHECK_PANEL(panel_parts.phased, reference, panel_samples ? file(panel_samples) : [])
    CHECK_UNPHASED(panel_parts.unphased, reference)
    panel_checked = CHECK_PANEL.out.checked.mix(CHECK_UNPHASED.out.checked)

    // [ [file: 'cohort.target001', cohort: 'cohort'], number of files of the cohort, target.vcf.gz, index or [] ]
    input_sheet = rows.input.map { _kind, csv ->
        def problems = missingFiles(sheets.input, csv, ['file', 'index']) + missingCompanions(sheets.input, csv) + unusable(sheets.input, csv, steps)
        problems ? error(problems.join('\n')) : csv
    }

    truth_beds = rows.truth.flatMap { _kind, csv ->
        csv.splitCsv(header: true).withIndex(1).collect { row, number -> [fileMeta(row.sample, 'truth', number).file, row.bed ? sheetFile(sheets.truth, row.bed) : []] }
    }

    // [ [sample: 'person', sex: 'male' or ''], reads.bam, index or [] ]
    CHECK_READS(input_sheet.flatMap { csv -> readsFiles(sheets.input, csv) })

    // People whose variants are known, to train a caller on: [ [sample: 'person', sex: ''], reads.bam, index or [], truth.vcf.gz, truth.bed ]
    to_learn = rows.caller_training.flatMap { _kind, csv ->
        def problems = missingFiles(sheets.caller_training, csv, ['file', 'index', 'vcf', 'bed'])
        problems ? error(problems.join('\n')) : csv.splitCsv(header: true).collect { row ->
            [[sample: row.sample, sex: '']] + [row.file, row.vcf, row.bed].collect { cell -> sheetFile(sheets.caller_training, cell) } + [indexFile(sheets.caller_training, row.file, row.index)]
        }
    }
    CHECK_KNOWN_READS(to_learn.map { meta, reads, _truth, _bed, index -> [meta, reads, index] })

    // [ [sample: 'person', sex: 'male' or ''], person.g.vcf.gz ]
    CHECK_GVCF(input_sheet.flatMap { csv -> gvcfFiles(sheets.input, csv) })

    // At the panel's sites people who come as reads are a cohort of likelihoods, in the order of the sheet.
    READS_LIKELIHOODS(
        CHECK_READS.out.indexed.filter { _entry -> steps.any { step -> step in ['population', 'impute'] } },
        panel_checked.toList().map { parts -> byName(parts.collectMany { part -> [part[1], part[2]] }) },
        reference
    )
    MERGE_LIKELIHOODS(
        READS_LIKELIHOODS.out.likelihoods.toList()
            .filter { people -> people }
            .combine(input_sheet.map { csv -> [readsFiles(sheets.input, csv).collect { meta, _reads, _index -> meta.sample }] })
            .map { people -> inOrder(people) }
    )
    target_rows = input_sheet.flatMap { csv -> targetFiles(sheets.input, csv) }
        .mix(MERGE_LIKELIHOODS.out.cohort.map { meta, likelihoods, index -> [meta, 1, likelihoods, index] })
    targets = target_rows.map { meta, _n, genotypes, index -> [meta, genotypes, index] }.branch { _meta, genotypes, _index ->
        genotypes: isGenotypes(genotypes)
        others: true
    }
    CONVERT_TARGET(targets.others.map { meta, genotypes, _index -> [meta] + withCompanions(genotypes) })
    CHECK_TARGET(targets.genotypes.mix(CONVERT_TARGET.out.converted.map { meta, genotypes -> [meta, genotypes, []] }), held_against)

    // [ [file: 'cohort.truth001', cohort: 'cohort'], truth.vcf.gz, index or [] ]
    truth_rows = rows.truth.flatMap { _kind, csv ->
        def problems = missingFiles(sheets.truth, csv, ['vcf', 'bed'])
        problems ? error(problems.join('\n')) : truthFiles(sheets.truth, csv)
    }
    CHECK_TRUTH(truth_rows, reference)

    // [ [cohort: 'cohort'], [sites of all its files], [reports of all its files], [samples of genotypes of all its files] ]
    file_counts = target_rows.map { meta, n, _genotypes, _index -> [meta.cohort, n] }.unique()
    target_sites = CHECK_TARGET.out.checked
        .map { meta, sites, index, report, people -> [meta.cohort, [sites, index], report, people] }
        .combine(file_counts, by: 0)
        .map { cohort, sites, report, people, n -> [groupKey(cohort, n), sites, report, people] }
        .groupTuple()
        .map { key, sites, reports, people -> [[cohort: key.target], byName(sites.flatten()), byName(reports), byName(people)] }
    panel_sites = panel_checked.toList().map { parts ->
        [byName(parts.collectMany { part -> [part[1], part[2]] }), byName(parts.collect { part -> part[3] }), byName(parts.collect { part -> part[4] })]
    }

    bed = regions && file(regions).exists() ? file(regions) : []
    // Only a panel is there to be planned with.
    PLAN(target_sites.filter { _entry -> sheets.panel }, panel_sites, [regions ?: '', bed, chunks ? file(chunks) : []], planning)

    // Sites that do not fit are taken out of the files themselves, so that nothing is trained on them either.
    checked_sites = CHECK_TARGET.out.checked.map { meta, sites, index, _report, _people -> [meta, sites, index] }
    EXCLUDE_SITES(withExcluded(CHECK_TARGET.out.indexed, PLAN.out.excluded, planning.exclude_outliers))
    EXCLUDE_FROM_SITES(withExcluded(checked_sites, PLAN.out.excluded, planning.exclude_outliers))

    panel = CHECK_PANEL.out.indexed.mix(CHECK_UNPHASED.out.indexed)
    target = planning.exclude_outliers ? EXCLUDE_SITES.out.kept : CHECK_TARGET.out.indexed
    target_sites_by_file = planning.exclude_outliers ? EXCLUDE_FROM_SITES.out.kept : checked_sites
    truth = CHECK_TRUTH.out.indexed.join(CHECK_TRUTH.out.checked.map { meta, _sites, _index, report, _people -> [meta, report] })
    plan = PLAN.out.plan
    harmonisation = PLAN.out.counts
    fit = PLAN.out.fit.transpose()
    uncertain = CHECK_TARGET.out.checked
        .filter { _meta, _sites, _index, report, _people -> new groovy.json.JsonSlurper().parseText(report.text).likelihoods }
        .map { meta, _sites, _index, _report, _people -> meta.cohort }
        .unique()
    checks = panel_checked.mix(CHECK_TARGET.out.checked).map { meta, _sites, _index, report, _people -> [meta, report] }

    reads = CHECK_READS.out.indexed
    known_reads = CHECK_KNOWN_READS.out.indexed.join(to_learn.map { meta, _reads, vcf, bed_file, _index -> [meta, vcf, bed_file] })
    gvcfs = CHECK_GVCF.out.indexed

    emit:
    panel                 // [ [file: 'panel.20'], panel.vcf.gz, index ]
    target                // [ [file: 'cohort.target001', cohort: 'cohort'], target.vcf.gz, index ]
    target_sites_by_file  // [ [file: 'cohort.target001', cohort: 'cohort'], sites.bcf, index ]
    truth                 // [ [file: 'cohort.truth001', cohort: 'cohort'], truth.vcf.gz, index, check.json ]
    truth_beds            // [ 'cohort.truth001', truth.bed or [] ], where that truth is known
    reads                 // [ [sample: 'person', sex: 'male'], reads.bam, index ]
    known_reads           // [ [sample: 'person', sex: ''], reads.bam, index, truth.vcf.gz, truth.bed ], to train a caller on
    gvcfs                 // [ [sample: 'person', sex: 'male'], person.g.vcf.gz, index ]
    reference             // [ ref.fa, [ref.fa.fai] ], or [ [], [] ]
    plan                  // [ [cohort: 'cohort'], cohort.chunks.tsv, [batch_0001.txt, batch_0002.txt] ]
    harmonisation         // [ [cohort: 'cohort'], cohort.harmonisation.tsv ]
    fit                   // [ [cohort: 'cohort'], cohort.qc.tsv ], and so .frequencies.tsv and .people.tsv
    uncertain             // names of cohorts that come as likelihoods of genotypes
    checks                // [ [file: 'panel.20'], panel.20.check.json ]
}

/** Sentences about files that a sheet names and that are not there. */
def missingFiles(sheet, csv, columns) {
    return csv.splitCsv(header: true).withIndex(2).collectMany { row, number ->
        columns.findAll { column -> row[column] && !sheetFile(sheet, row[column]).exists() }
            .collect { column -> "${sheet}: row ${number}, column ${column}: there is no file ${sheetFile(sheet, row[column])}: mend the path (relative paths start at the folder of the sheet)" }
    }
}

/** Sentences about genotypes of several files of which one is not there. */
def missingCompanions(sheet, csv) {
    def rows = csv.splitCsv(header: true).withIndex(2).findAll { row, _number -> !isReads(row.file) && !isGvcf(row.file) }
    return rows.collectMany { row, number ->
        companionsOf(sheetFile(sheet, row.file))
            .findAll { kind -> !kind.any { one -> one.exists() } }
            .collect { kind -> "${sheet}: row ${number}, column file: ${row.file} needs ${kind*.name.join(' or ')} beside it, and it is not there: add it" }
    }
}

/** Sentences about rows of the samplesheet that no chosen step can start from. */
def unusable(sheet, csv, steps) {
    def rows = csv.splitCsv(header: true).withIndex(2)
    def no_cohort = rows.findAll { row, _number -> isGvcf(row.file) && steps - 'express' != ['call'] || isReads(row.file) && !steps.contains('call') }
        .collect { row, number -> "${sheet}: row ${number}, column file: ${row.file} holds no genotypes of a cohort, which ${(steps - 'call').join(' and ')} starts from: give .vcf.gz or .bcf, or add call to --steps and give .bam or .cram" }
    def no_reads = rows.findAll { row, _number -> isCohort(row.file) && !steps.any { step -> step in ['population', 'impute', 'express'] } }
        .collect { row, number -> "${sheet}: row ${number}, column file: ${row.file} holds genotypes already, and call starts from reads: give .bam, .cram or .g.vcf.gz, or add impute to --steps" }
    def with_reads = rows.any { row, _number -> isReads(row.file) }
    def same_name = rows.findAll { row, _number -> with_reads && isCohort(row.file) && row.sample == readsCohort() }
        .collect { _row, number -> "${sheet}: row ${number}, column sample: those who come as reads are the cohort ${readsCohort()}: give this one another name" }
    def taken = rows.findAll { row, _number -> row.sample == 'cohort' && steps.contains('call') && !steps.contains('impute') }
        .collect { _row, number -> "${sheet}: row ${number}, column sample: variants/cohort.vcf.gz holds everybody's genotypes: give this person another name than cohort" }
    return no_cohort + no_reads + same_name + taken
}

/** Files of the cohort ([meta, file, index]) with the list of sites to leave out, or nothing where none are. */
def withExcluded(files, excluded, wanted) {
    return files.map { meta, file, index -> [meta.cohort, meta, file, index] }
        .combine(excluded.map { meta, list -> [meta.cohort, list] }, by: 0)
        .filter { _entry -> wanted }
        .map { _cohort, meta, file, index, list -> [meta, file, index, list] }
}

/** A file of genotypes and what belongs to it, e.g. [chr20.pgen, chr20.pvar, chr20.psam]. */
def withCompanions(genotypes) {
    return [genotypes] + companionsOf(genotypes).collect { kind -> kind.find { one -> one.exists() } }
}

/** Files of the panel sheet, e.g. [[file: 'panel.20', chrom: '20'], panel.vcf.gz, index or []]. */
def panelFiles(sheet, csv) {
    return csv.splitCsv(header: true).collect { row -> [[file: "panel.${row.chrom}".toString(), chrom: row.chrom], sheetFile(sheet, row.file), indexFile(sheet, row.file, row.index)] }
}

/** Likelihoods of people ([meta, file, index]) and, at last, names in the order that they are to have, as one cohort. */
def inOrder(people) {
    def names = people.last()
    def files = people.init().toSorted { one, other -> names.indexOf(one[0].sample) <=> names.indexOf(other[0].sample) }
    return [fileMeta(readsCohort(), 'target', 0), files.collect { entry -> entry[1] }, files.collect { entry -> entry[2] }]
}

/** What the people who come as reads are called together. */
def readsCohort() {
    return 'reads'
}

/** Files of the samplesheet, with the number of files of their cohort. */
def targetFiles(sheet, csv) {
    def rows = csv.splitCsv(header: true).withIndex(1).findAll { row, _number -> isCohort(row.file) }
    def counts = rows.countBy { row, _number -> row.sample }
    return rows.collect { row, number ->
        [fileMeta(row.sample, 'target', number), counts[row.sample], sheetFile(sheet, row.file), indexFile(sheet, row.file, row.index)]
    }
}

/** Files of reads of the samplesheet, each of one person. */
def readsFiles(sheet, csv) {
    return csv.splitCsv(header: true)
        .findAll { row -> isReads(row.file) }
        .collect { row -> [row.subMap('sample', 'sex'), sheetFile(sheet, row.file), indexFile(sheet, row.file, row.index)] }
}

/** gVCFs of the samplesheet, each of one person. */
def gvcfFiles(sheet, csv) {
    return csv.splitCsv(header: true)
        .findAll { row -> isGvcf(row.file) }
        .collect { row -> [row.subMap('sample', 'sex'), sheetFile(sheet, row.file)] }
}

/** Files of the sheet of truths. */
def truthFiles(sheet, csv) {
    return csv.splitCsv(header: true).withIndex(1).collect { row, number ->
        [fileMeta(row.sample, 'truth', number), sheetFile(sheet, row.vcf), indexFile(sheet, row.vcf, '')]
    }
}

/** What is known of a file of a cohort, e.g. [file: 'cohort.target001', cohort: 'cohort']. */
def fileMeta(cohort, kind, number) {
    return [file: "${cohort}.${kind}${String.format('%03d', number)}".toString(), cohort: cohort]
}

/** The file of a cell. */
def sheetFile(sheet, cell) {
    return cell.contains('://') || cell.startsWith('/') ? file(cell) : file(sheet).toAbsolutePath().parent.resolve(cell)
}

/** The index of a file: the one that the sheet names, else the one beside it, else none (it is made). */
def indexFile(sheet, cell, index) {
    def path = sheetFile(sheet, cell)
    def beside = ['csi', 'tbi', 'bai', 'crai'].collectMany { suffix -> [path.name, path.baseName].collect { name -> path.resolveSibling("${name}.${suffix}") } }.find { candidate -> candidate.exists() }
    return index ? sheetFile(sheet, index) : beside ?: []
}

/** In an order that does not depend on which task ended first. */
def byName(files) {
    return files.toSorted { one, other -> one.name <=> other.name }
}
