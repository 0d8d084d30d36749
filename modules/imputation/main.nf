// Imputation: chunks of each cohort imputed batch by batch, joined by chromosome, and scored.
include { PACK_PANEL } from './pack_panel'
include { TRAIN_CHUNK } from './train_chunk'
include { IMPUTE_CHUNK } from './impute_chunk'
include { IMPUTE_CHUNK as IMPUTE_MASKED } from './impute_chunk'
include { JOIN_CHROMOSOME } from './join_chromosome'
include { JOIN_CHROMOSOME as JOIN_MASKED } from './join_chromosome'
include { ACCURACY } from './accuracy'
include { COMBINE_ACCURACY } from './combine_accuracy'

workflow IMPUTATION {
    take:
    panel         // [ [file: 'panel.20'], panel.vcf.gz, index ]
    target        // [ [file: 'cohort.target001', cohort: 'cohort'], target.vcf.gz, index ]
    target_sites  // [ [file: 'cohort.target001', cohort: 'cohort'], sites.bcf, index ]
    truth         // [ [file: 'cohort.truth001', cohort: 'cohort'], truth.vcf.gz, index, check.json ]
    plan          // [ [cohort: 'cohort'], chunks.tsv, [batch_0001.txt, batch_0002.txt] ], the longest chunks first
    genetic_map   // file, folder or []
    labels        // file or []
    options       // e.g. [imputer: 'copying', seed: 1, mask_fraction: 0.1, output_format: 'vcf.gz', output_hds: false]

    main:
    // [ [cohort: 'cohort', chunk: '20.000000001-005000000', chrom: '20', start: '1', ...] ]
    chunks = plan.flatMap { meta, table, _lists -> table.splitCsv(header: true, sep: '\t').collect { row -> meta + row.subMap(chunkKeys()) } }

    PACK_PANEL(
        chunks.map { meta -> [meta.panel, meta] }
            .combine(panel.map { meta, genotypes, index -> [meta.file, genotypes, index] }, by: 0)
            .map { _file, meta, genotypes, index -> [meta, genotypes, index] },
        genetic_map
    )
    TRAIN_CHUNK(
        withTarget(PACK_PANEL.out.packed, target_sites),
        options.imputer,
        options.seed
    )

    // [ meta of chunk, panel.npz, trained model, target.vcf.gz, index, batch.txt ]
    ready = withTarget(TRAIN_CHUNK.out.trained, target)
    jobs = ready.map { job -> [[cohort: job[0].cohort], job] }
        .combine(plan.map { meta, _table, lists -> [meta, lists] }, by: 0)
        .flatMap { _key, job, lists -> lists.collect { list -> job + [list] } }
    IMPUTE_CHUNK(jobs, options.imputer, options.seed, 0, options.output_hds)

    // How many parts each chromosome has: [ [cohort: 'cohort', chrom: '20'], chunks, [batch lists] ]
    counts = plan.flatMap { meta, table, lists ->
        table.splitCsv(header: true, sep: '\t').countBy { row -> row.chrom }.collect { chrom, n -> [meta + [chrom: chrom], n, lists] }
    }
    JOIN_CHROMOSOME(gathered(IMPUTE_CHUNK.out.part, counts), options.output_format)

    // Cohorts without a truth are scored on typed sites of the first batch that are hidden.
    truths = truth.flatMap { meta, genotypes, index, report -> contigsOf(report).collect { chrom -> [[cohort: meta.cohort, chrom: chrom], genotypes, index] } }
    with_truth = truth.map { meta, _genotypes, _index, _report -> meta.cohort }.unique().toList()
    first_batch = plan.combine(with_truth.map { cohorts -> [cohorts] })
        .filter { meta, _table, _lists, cohorts -> options.mask_fraction > 0 && !cohorts.contains(meta.cohort) }
        .map { meta, _table, lists, _cohorts -> [meta, lists.first()] }
    IMPUTE_MASKED(
        ready.map { job -> [[cohort: job[0].cohort], job] }.combine(first_batch, by: 0).map { _key, job, list -> job + [list] },
        options.imputer, options.seed, options.mask_fraction, false
    )
    JOIN_MASKED(
        gathered(IMPUTE_MASKED.out.part, counts.map { key, n, lists -> [key, n, lists.take(1)] }),
        options.output_format
    )

    // [ [cohort: 'cohort', chrom: '20'], imputed, index, kind, truth, index ]
    targets = chunks.map { meta -> [meta.target, meta.subMap('cohort', 'chrom')] }
        .unique()
        .combine(target.map { meta, genotypes, index -> [meta.file, genotypes, index] }, by: 0)
        .map { _file, key, genotypes, index -> [key, genotypes, index] }
    to_score = JOIN_CHROMOSOME.out.imputed.combine(truths, by: 0).map { key, imputed, index, known, known_index -> [key, imputed, index, 'truth', known, known_index] }
        .mix(JOIN_MASKED.out.imputed.combine(targets, by: 0).map { key, imputed, index, known, known_index -> [key, imputed, index, 'masked', known, known_index] })
    ACCURACY(to_score, labels, options.imputer, options.seed)
    COMBINE_ACCURACY(ACCURACY.out.sums.toSortedList { one, other -> one.name <=> other.name }.filter { sums -> sums })

    imputed = JOIN_CHROMOSOME.out.imputed
    sites = JOIN_CHROMOSOME.out.sites
    accuracy = COMBINE_ACCURACY.out.table
    models = TRAIN_CHUNK.out.trained.map { meta, _packed, trained -> [meta, trained] }
    counted = IMPUTE_CHUNK.out.counts

    emit:
    imputed   // [ [cohort: 'cohort', chrom: '20'], cohort.20.vcf.gz, index ]
    sites     // [ [cohort: 'cohort', chrom: '20'], cohort.20.sites.tsv.gz ]
    accuracy  // accuracy.tsv, or nothing when nothing was scored
    models    // [ meta of chunk, folder of the trained model ]
    counted   // [ meta of chunk, counts.tsv ]
}

/** Columns of the chunk table that tasks depend on; others would only spoil the cache. */
def chunkKeys() {
    return ['chunk', 'chrom', 'start', 'end', 'padded_start', 'padded_end', 'panel', 'panel_contig', 'target', 'target_contig']
}

/** Jobs of chunks ([meta, ...]), each followed by the two files that belong to the chunk's target file. */
def withTarget(jobs, files) {
    return jobs.map { job -> [job[0].target, job] }
        .combine(files.map { meta, one, other -> [meta.file, one, other] }, by: 0)
        .map { _file, job, one, other -> job + [one, other] }
}

/** Parts ([meta of chunk, vcf]) gathered by chromosome as soon as all of them are there, with the lists of people. */
def gathered(parts, counts) {
    return parts.map { meta, vcf -> [meta.subMap('cohort', 'chrom'), vcf] }
        .combine(counts, by: 0)
        .map { key, vcf, n, lists -> [groupKey(key, n * lists.size()), vcf, lists] }
        .groupTuple()
        .map { key, vcfs, lists -> [key.target, byName(vcfs), byName(lists[0])] }
}

/** Chromosomes that a checked file holds, e.g. ['20', '22']. */
def contigsOf(report) {
    return new groovy.json.JsonSlurper().parseText(report.text).contigs.keySet() as List
}

/** In an order that does not depend on which task ended first. */
def byName(files) {
    return files.toSorted { one, other -> one.name <=> other.name }
}
