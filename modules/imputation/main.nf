// Imputation: chunks of each cohort imputed batch by batch, joined by chromosome, and scored.
include { PACK_PANEL } from './pack_panel'
include { IMPUTE_WITH } from './impute_with'
include { JOIN_CHROMOSOME } from './join_chromosome'
include { JOIN_CHROMOSOME as JOIN_SCORED } from './join_chromosome'
include { ACCURACY } from './accuracy'
include { COMBINE_ACCURACY } from './combine_accuracy'

workflow IMPUTATION {
    take:
    panel         // [ [file: 'panel.20'], panel.vcf.gz, index ]
    target        // [ [file: 'cohort.target001', cohort: 'cohort'], target.vcf.gz, index ]
    target_sites  // [ [file: 'cohort.target001', cohort: 'cohort'], sites.bcf, index ]
    truth         // [ [file: 'cohort.truth001', cohort: 'cohort'], truth.vcf.gz, index, check.json ]
    uncertain     // names of cohorts that come as likelihoods of genotypes
    plan          // [ [cohort: 'cohort'], chunks.tsv, [batch_0001.txt, batch_0002.txt] ], the longest chunks first
    genetic_map   // file, folder or []
    labels        // file or []
    panel_samples // people of the panel to take, file or []
    options       // e.g. [imputer: 'copying', compared: ['knn'], network: [window: 500], seed: 1, mask_fraction: 0.1, output_format: 'vcf.gz', output_hds: false, phased_output: false]

    main:
    // [ [cohort: 'cohort', chunk: '20.000000001-005000000', chrom: '20', start: '1', ...] ]
    chunks = plan.flatMap { meta, table, _lists -> table.splitCsv(header: true, sep: '\t').collect { row -> meta + row.subMap(chunkKeys()) } }

    PACK_PANEL(
        chunks.map { meta -> [meta.panel, meta] }
            .combine(panel.map { meta, genotypes, index -> [meta.file, genotypes, index] }, by: 0)
            .map { _file, meta, genotypes, index -> [meta, genotypes, index] },
        genetic_map,
        panel_samples
    )

    // The result, and beside it what is imputed only to be scored: [ meta of chunk, how, batch_0001.txt ].
    batches = chunks.map { meta -> [[cohort: meta.cohort], meta] }
        .combine(plan.map { meta, _table, lists -> [meta, lists] }, by: 0)
        .map { _cohort, meta, lists -> [meta, lists] }
    with_truth = truth.map { meta, _genotypes, _index, _report -> meta.cohort }.unique().toList()
    results = batches.flatMap { meta, lists -> jobsOf(meta, resultOf(options), lists) }
    scored = batches.combine(with_truth.map { cohorts -> [cohorts] })
        .combine(uncertain.toList().map { cohorts -> [cohorts] })
        // Likelihoods that are hidden would tell no truth.
        .filter { meta, _lists, known, unsure -> known.contains(meta.cohort) || !unsure.contains(meta.cohort) }
        .flatMap { meta, lists, known, _unsure -> scoredOf(options, known.contains(meta.cohort)).collectMany { how -> jobsOf(meta, how, lists) } }
    IMPUTE_WITH(results.mix(scored), PACK_PANEL.out.packed, target, target_sites, options.subMap('seed', 'output_hds', 'phased_output', 'network'))

    // How many chunks each chromosome has: [ [cohort: 'cohort', chrom: '20'], chunks, [batch lists] ]
    counts = plan.flatMap { meta, table, lists ->
        table.splitCsv(header: true, sep: '\t').countBy { row -> row.chrom }.collect { chrom, n -> [meta + [chrom: chrom], n, lists] }
    }
    whole = gathered(IMPUTE_WITH.out.parts, counts).branch { meta, _parts, _lists ->
        result: meta.purpose == 'result'
        scored: true
    }
    JOIN_CHROMOSOME(whole.result, options.output_format)
    JOIN_SCORED(whole.scored, options.output_format)

    // [ [cohort: 'cohort', chrom: '20'], kind, truth, index ]: hidden typed sites stand in the target itself.
    truths = truth.flatMap { meta, genotypes, index, report -> contigsOf(report).collect { chrom -> [[cohort: meta.cohort, chrom: chrom], 'truth', genotypes, index] } }
    targets = chunks.map { meta -> [meta.target, meta.subMap('cohort', 'chrom')] }
        .unique()
        .combine(target.map { meta, genotypes, index -> [meta.file, genotypes, index] }, by: 0)
        .map { _file, key, genotypes, index -> [key, 'masked', genotypes, index] }
    to_score = JOIN_CHROMOSOME.out.imputed.mix(JOIN_SCORED.out.imputed)
        .map { meta, imputed, index -> [meta.subMap('cohort', 'chrom'), meta, imputed, index] }
        .combine(truths.mix(targets), by: 0)
        .map { _key, meta, imputed, index, kind, known, known_index -> [meta, imputed, index, kind, known, known_index] }
        .filter { meta, _imputed, _index, kind, _known, _known_index -> (kind == 'masked') == (meta.purpose == 'masked') }
    ACCURACY(to_score, labels, options.seed)
    COMBINE_ACCURACY(ACCURACY.out.sums.toSortedList { one, other -> one.name <=> other.name }.filter { sums -> sums })

    imputed = JOIN_CHROMOSOME.out.imputed
    sites = JOIN_CHROMOSOME.out.sites
    accuracy = COMBINE_ACCURACY.out.table
    models = IMPUTE_WITH.out.trained.filter { meta, _model -> meta.imputer == options.imputer }
    counted = IMPUTE_WITH.out.counted.filter { meta, _counts -> meta.purpose == 'result' }

    emit:
    imputed   // [ [cohort: 'cohort', chrom: '20', imputer: 'copying', purpose: 'result'], cohort.20.vcf.gz, index ]
    sites     // [ the same, cohort.20.sites.tsv.gz ]
    accuracy  // accuracy.tsv, or nothing when nothing was scored
    models    // [ meta of chunk, folder of the trained model ]
    counted   // [ meta of chunk, counts.tsv ]
}

/** Columns of the chunk table that tasks depend on; others would only spoil the cache. */
def chunkKeys() {
    return ['chunk', 'chrom', 'start', 'end', 'padded_start', 'padded_end', 'panel', 'panel_contig', 'target', 'target_contig']
}

/** How the genotypes that are published are made. */
def resultOf(options) {
    return [imputer: options.imputer, purpose: 'result', mask_fraction: 0]
}

/**
 * How genotypes are made that are only scored: by the imputers that are compared, and where there is no
 * truth, of the first batch with hidden typed sites.
 */
def scoredOf(options, has_truth) {
    def others = options.compared - options.imputer
    if (has_truth) {
        return others.collect { name -> [imputer: name, purpose: 'truth', mask_fraction: 0] }
    }
    def names = options.mask_fraction > 0 ? [options.imputer] + others : []
    return names.collect { name -> [imputer: name, purpose: 'masked', mask_fraction: options.mask_fraction] }
}

/** One job for each batch that such genotypes are made of. */
def jobsOf(meta, how, lists) {
    return batchesOf(how, lists).collect { list -> [meta, how + [batch: list.baseName], list] }
}

def batchesOf(how, lists) {
    return how.purpose == 'masked' ? lists.take(1) : lists
}

/** Parts ([meta of chunk and job, vcf]) gathered by chromosome as soon as all of them are there, with the lists of people. */
def gathered(parts, counts) {
    return parts.map { meta, vcf -> [meta.subMap('cohort', 'chrom'), meta.subMap('cohort', 'chrom', 'imputer', 'purpose'), vcf] }
        .combine(counts, by: 0)
        .map { _key, meta, vcf, n, lists -> [groupKey(meta, n * batchesOf(meta, lists).size()), vcf, batchesOf(meta, lists)] }
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
