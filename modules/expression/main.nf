// Expression: what sequence models predict of each person's genes, beside what was measured and plain models.
include { PLAN_GENES } from './plan_genes'
include { TRAIN_MODEL } from './train_model'
include { PREDICT_GENES } from './predict_genes'
include { CHECK_VARIANTS } from './check_variants'
include { LIST_EFFECTS } from './list_effects'
include { PREPARE_EXPRESSION } from './prepare_expression'
include { FIT_BASELINES } from './fit_baselines'
include { EVALUATE_GENES } from './evaluate_genes'
include { COLLECT_EXPRESSION; ofKind } from './collect_expression'

workflow EXPRESSION {
    take:
    genotypes  // [ 'cohort', chromosomes that the file has, e.g. ['20'], or [] where that is not known, genotypes.vcf.gz, index ]
    reference  // [ ref.fa, [ref.fa.fai] ]
    files      // [genes: genes.gtf, expression: people.bed or [], covariates: table or [], labels: labels.tsv or [], pedigree: families.ped or [], weights: weights of the sequence model or [], own: a model of the user's own (.py) or [], track_names: names of its outputs or [], baseline: weights of variants for genes or [], variants: list of variants or []]
    regions    // text or BED file, e.g. '20:1-5000000', or null
    options    // e.g. [model: 'xpresso', context: null, tracks: null, bins: null, average: null, deletions: false, mode: 'exact', fallback: true, effects: true, unphased: 'random', teach: false, train: null, epochs: 50, checkpoints: null, folds: 5, components: 0, scale: 'none', shard_genes: 50, seed: 1]

    main:
    // [ [cohort: 'cohort'], [ [chromosomes, genotypes.vcf.gz, index], ... ] ], in the order of their names
    cohorts = genotypes.map { cohort, chroms, file, index -> [cohort, [chroms, file, index]] }
        .groupTuple()
        .map { cohort, parts -> [[cohort: cohort], parts.toSorted { one, other -> one[1].name <=> other[1].name }] }

    bed = regions && file(regions).exists() ? file(regions) : []
    PLAN_GENES(cohorts.first().map { _entry -> files.genes }, files.expression, [regions ?: '', bed], options.shard_genes)
    shards = PLAN_GENES.out.shards.flatMap { table, tables -> shardsOf(table, tables) }

    measured = cohorts.filter { _entry -> files.expression }
        .map { meta, parts -> [meta, parts.collect { part -> part[1] }, parts.collect { part -> part[2] }] }
    PREPARE_EXPRESSION(measured, files.expression, files.covariates, files.labels, files.pedigree, options.subMap('folds', 'components', 'scale', 'seed'))

    // With training, a model of each cohort for each fold that is held out: [ [cohort: 'cohort'], [weights by fold], facts.json ]
    TRAIN_MODEL(
        measured.join(PREPARE_EXPRESSION.out.study)
            .filter { _entry -> options.teach }
            .combine(channel.fromList((1..options.folds).toList()))
            .map { meta, parts, indexes, study, fold -> [meta + [fold: fold], parts, indexes, study] },
        PLAN_GENES.out.shards.map { _table, tables -> byName(tables) },
        files.expression, reference, files.weights,
        options.subMap('model', 'context', 'bins', 'epochs', 'checkpoints', 'seed') + [part: options.train]
    )
    taught = TRAIN_MODEL.out.trained
        .map { meta, weights, facts -> [groupKey(meta.subMap('cohort'), options.folds as int), weights, facts] }
        .groupTuple()
        .map { key, weights, facts -> [key.target, byName(weights), byName(facts).first()] }
    models = options.teach ? taught : cohorts.map { meta, _parts -> [meta, [], []] }

    // [ [cohort: 'cohort', shard: '00001', chrom: '20'], genes.tsv, [files that have the chromosome], [their indexes] ]
    jobs = cohorts.combine(shards).map { meta, parts, shard, genes ->
        def holding = holdingOf(parts, shard.chrom)
        [meta + shard, genes, holding.collect { part -> part[1] }, holding.collect { part -> part[2] }]
    }
    PREDICT_GENES(
        jobs.map { meta, genes, parts, indexes -> [meta.subMap('cohort'), meta, genes, parts, indexes] }
            .combine(models, by: 0)
            .map { _cohort, meta, genes, parts, indexes, weights, _facts -> [meta, genes, parts, indexes, weights] },
        reference, files.weights, files.own, files.track_names,
        options.subMap('model', 'context', 'tracks', 'bins', 'average', 'deletions', 'mode', 'fallback', 'effects', 'unphased', 'seed')
    )
    CHECK_VARIANTS(cohorts.first().filter { _entry -> files.variants }.map { _entry -> files.variants }, reference)
    // Variants of a list are nobody's, so that one model tells of them, unless each cohort has taught its own.
    LIST_EFFECTS(
        (options.teach ? models : channel.of([[cohort: 'all'], [], []]))
            .combine(shards)
            .map { meta, weights, _facts, shard, genes -> [meta + shard, genes, weights] },
        CHECK_VARIANTS.out.variants, reference, files.weights, files.own, files.track_names,
        options.subMap('model', 'context', 'tracks', 'bins', 'average')
    )
    // A user's own model is called as its class is.
    judging = [model: options.model.tokenize(':').last(), seed: options.seed]

    to_fit = jobs.map { meta, genes, parts, indexes -> [meta.subMap('cohort'), meta, genes, parts, indexes] }
        .combine(PREPARE_EXPRESSION.out.study, by: 0)
        .map { _cohort, meta, genes, parts, indexes, study -> [meta, genes, parts, indexes, study] }
    // Without --expression_effects too few alleles have one, and effects of a model that these people teach tell of
    // those held out: there is no combination then.
    told = PREDICT_GENES.out.details.map { meta, tables, _modes -> [meta, options.effects && !options.teach ? ofKind(tables, 'effects') : [], ofKind(tables, 'tracks')] }
    FIT_BASELINES(to_fit.join(told, failOnDuplicate: true), files.expression, files.baseline, options.seed)

    to_judge = to_fit.map { meta, genes, _parts, _indexes, study -> [meta.subMap('cohort'), meta, genes, study] }
        .combine(models, by: 0)
        .map { _cohort, meta, genes, study, _weights, facts -> [meta, genes, study, facts] }
        .join(PREDICT_GENES.out.predictions, failOnDuplicate: true)
        .join(FIT_BASELINES.out.fitted, failOnDuplicate: true)
        .map { meta, genes, study, facts, predictions, heldout, _weights, _covariances -> [meta, genes, predictions, heldout, study, facts] }
    EVALUATE_GENES(to_judge, judging)

    COLLECT_EXPRESSION(
        together(PREDICT_GENES.out.predictions).filter { paths -> paths },
        together(
            PREDICT_GENES.out.details.flatMap { meta, tables, _modes -> tables.collect { path -> [meta, path] } }
                .mix(LIST_EFFECTS.out.effects.map { path -> [[:], path] })
        ),
        together(PREDICT_GENES.out.details.map { meta, _tables, modes -> [meta, modes] }),
        together(PREDICT_GENES.out.counted),
        PLAN_GENES.out.notes.mix(PREPARE_EXPRESSION.out.notes, CHECK_VARIANTS.out.notes).toSortedList { one, other -> one.name <=> other.name },
        together(FIT_BASELINES.out.fitted.flatMap { meta, heldout, weights, covariances -> [heldout, weights, covariances].collect { path -> [meta, path] } }),
        together(EVALUATE_GENES.out.table),
        reference,
        judging
    )

    predictions = COLLECT_EXPRESSION.out.predictions
    tables = COLLECT_EXPRESSION.out.tables

    emit:
    predictions  // predictions.parquet
    tables       // [counts.tsv, modes.tsv, notes.tsv], and evaluation.tsv, evaluation_summary.tsv, shown.tsv and loci.tsv where expression is measured
}

/** Shards, those with the most genes first: [ [shard: '00001', chrom: '20'], genes.tsv ]. */
def shardsOf(table, tables) {
    def by_name = tables.collectEntries { path -> [path.baseName, path] }
    return table.splitCsv(header: true, sep: '\t')
        .toSorted { one, other -> other.genes.toInteger() <=> one.genes.toInteger() ?: one.shard <=> other.shard }
        .collect { row -> [row.subMap('shard', 'chrom'), by_name[row.shard]] }
}

/** Files of a cohort that may have a chromosome; the first one where none has it: everybody is as the reference then. */
def holdingOf(parts, chrom) {
    return parts.findAll { part -> !part[0] || part[0].contains(chrom) } ?: parts.take(1)
}

/** Files in the order of their names. */
def byName(files) {
    return files.toSorted { one, other -> one.name <=> other.name }
}

/** All files of a channel as one list, in the order of their names. */
def together(entries) {
    return entries.map { _meta, path -> path }.toSortedList { one, other -> one.name <=> other.name }
}
