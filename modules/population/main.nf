// Population: people of each cohort assigned to the panel's populations, and panel people recommended to impute from.
include { GATHER_COHORT } from './gather_cohort'
include { TRAIN_WINDOW } from './train_window'
include { ASSIGN_POPULATIONS } from './assign_populations'
include { COLLECT_POPULATIONS } from './collect_populations'
include { SUBSET_PANEL } from './subset_panel'

workflow POPULATION {
    take:
    panel      // [ [file: 'panel.20'], panel.vcf.gz, index ]
    target     // [ [file: 'cohort.target001', cohort: 'cohort'], target.vcf.gz, index ], or nothing where the step is not run
    labels     // labels.tsv or []
    pedigree   // families.ped or []
    weights    // folder of trained networks or []
    artificial // [ synthetic.vcf.gz, labels.tsv, generator.json ] to learn from too, or []
    options    // e.g. [method: 'auto', epochs: 15, min_probability: 0.5, min_sites: 500, folds: 5, window_sites: 4000, seed: 1, subset: false]

    main:
    // [ [panel files], [their indexes] ], in the order of their names
    panels = panel.toList().map { files -> sorted(files) }
    GATHER_COHORT(
        target.map { meta, genotypes, index -> [meta.cohort, [meta, genotypes, index]] }
            .groupTuple()
            .map { cohort, files -> [[cohort: cohort]] + sorted(files) },
        panels, labels, pedigree, weights, artificial,
        options.subMap('min_sites', 'folds', 'window_sites', 'seed')
    )

    // [ [cohort: 'cohort', window: '20.000000001-005000000'], study ], the largest windows first
    windows = GATHER_COHORT.out.study
        .filter { _entry -> usesNetworks(options.method) }
        .flatMap { meta, study, table -> windowsOf(table).collect { row -> [meta + [window: row.window], study] } }
    TRAIN_WINDOW(windows, weights, options.subMap('epochs', 'seed'))

    told = GATHER_COHORT.out.study
        .flatMap { meta, _study, table ->
            def number = usesNetworks(options.method) ? windowsOf(table).size() : 0
            number ? [[meta, number]] : []
        }
        .combine(TRAIN_WINDOW.out.told.map { meta, answers -> [meta.subMap('cohort'), answers] }, by: 0)
        .map { meta, number, answers -> [groupKey(meta, number), answers] }
        .groupTuple()
        .map { key, answers -> [key.target, answers.toSorted { one, other -> one.name <=> other.name }] }
    ASSIGN_POPULATIONS(
        GATHER_COHORT.out.study.map { meta, study, _table -> [meta, study] }
            .join(told, remainder: true)
            .map { meta, study, answers -> [meta, study, answers ?: []] },
        options.subMap('method', 'min_probability', 'seed')
    )
    COLLECT_POPULATIONS(
        together(ASSIGN_POPULATIONS.out.assignments), together(ASSIGN_POPULATIONS.out.recommendation),
        together(ASSIGN_POPULATIONS.out.samples)
    )

    samples = COLLECT_POPULATIONS.out.samples
    SUBSET_PANEL(panel.filter { _entry -> options.subset }, samples)
    tables = ASSIGN_POPULATIONS.out.tables.transpose()
        .mix(ASSIGN_POPULATIONS.out.assignments, ASSIGN_POPULATIONS.out.recommendation)

    emit:
    samples  // panel.samples.txt: whom to impute from
    tables   // [ [cohort: 'cohort'], cohort.figures.tsv ], and so .confusion.tsv, .places.tsv, .counts.tsv, .assignments.tsv and .panel_recommendation.tsv
}

/** Methods that ask the networks. */
def usesNetworks(method) {
    return ['auto', 'ensemble', 'cnn'].contains(method)
}

/** Rows of windows.tsv, the largest windows first. */
def windowsOf(table) {
    return table.splitCsv(header: true, sep: '\t').toSorted { one, other -> other.sites.toInteger() <=> one.sites.toInteger() ?: one.window <=> other.window }
}

/** Files of genotypes ([meta, file, index]) as two lists, in the order of their names. */
def sorted(files) {
    def inOrder = files.toSorted { one, other -> one[0].file <=> other[0].file }
    return [inOrder.collect { entry -> entry[1] }, inOrder.collect { entry -> entry[2] }]
}

/** All files of a channel as one list, if there are any. */
def together(entries) {
    return entries.map { _meta, path -> path }
        .toSortedList { one, other -> one.name <=> other.name }
        .filter { paths -> paths }
}
