// DeepCohort: the entry. Reads the parameters once, checks them, runs the chosen steps and joins them.
include { readSchema; propertiesOf; helpText; checkedParameters } from './modules/parameters'
include { writeParameters; writeCosts; sentencesOf } from './modules/run_info'
include { keptFolder } from './modules/options'
include { INPUTS } from './modules/inputs'
include { POPULATION } from './modules/population'
include { AUGMENTATION } from './modules/augmentation'
include { COMPARE_ACCURACY } from './modules/augmentation/compare_accuracy'
include { IMPUTATION } from './modules/imputation'
include { IMPUTATION as IMPUTATION_WITHOUT } from './modules/imputation'
include { phasingImputers } from './modules/imputation/phasing'
include { VARIANTS } from './modules/variants'
include { EXPRESSION } from './modules/expression'
include { genotypesToExpress; filesOfExpression; isTaught; optionsOfExpression; ownModel; problemsOfExpression } from './modules/expression/given'
include { REPORT } from './modules/report'

workflow DEEPCOHORT {
    take:
    p  // every parameter by name, checked and typed, e.g. [steps: 'impute', seed: 1]

    main:
    INPUTS(
        p.steps.tokenize(','),
        [input: p.steps == 'augment' ? null : p.input, panel: p.panel, labels: p.panel_labels, truth: p.truth, caller_training: p.caller_training],
        p.fasta,
        p.regions,
        p.chunks,
        p.panel_samples,
        p.subMap('chunk_variants', 'chunk_bases', 'overlap_bases', 'batch_size', 'exclude_outliers')
    )
    // With imputation, reads are of low coverage: their likelihoods are imputed, and nobody is called alone.
    VARIANTS(
        INPUTS.out.reads.filter { _entry -> !p.steps.tokenize(',').contains('impute') },
        INPUTS.out.gvcfs, INPUTS.out.reference, INPUTS.out.known_reads, INPUTS.out.truth, INPUTS.out.truth_beds, p.regions,
        [
            piece_bases: p.call_bases, seed: p.seed, gaps: p.call_gaps, caller: p.caller, weights: p.caller_weights,
            training: p.caller_training != null, layout: p.caller_layout, epochs: p.caller_epochs,
            pedigree: p.pedigree, annotate: p.annotate, annotate_fields: p.annotate_fields, compare: p.compare, call_with: p.call_with, votes: p.call_votes
        ]
    )
    AUGMENTATION(
        INPUTS.out.panel.filter { _entry -> p.steps.tokenize(',').contains('augment') },
        p.panel_labels ? file(p.panel_labels) : [],
        p.pedigree ? file(p.pedigree) : [],
        augmentationOptions(p)
    )
    // Populations are learnt from the artificial people too.
    artificial = p.steps.tokenize(',').containsAll(['augment', 'population']) ? AUGMENTATION.out.people : []
    POPULATION(
        INPUTS.out.panel, INPUTS.out.target.filter { _entry -> p.steps.tokenize(',').contains('population') },
        p.panel_labels ? file(p.panel_labels) : [],
        p.pedigree ? file(p.pedigree) : [],
        p.population_weights ? file(p.population_weights) : [],
        artificial,
        [method: p.population_method, epochs: p.population_epochs, min_probability: p.population_min_probability, min_sites: p.population_min_sites, folds: p.population_folds, window_sites: p.population_window, seed: p.seed, subset: p.population_subset]
    )
    // People of the panel to impute from: those recommended, or those given.
    panel_samples = p.steps.tokenize(',').contains('population') ? POPULATION.out.samples : p.panel_samples ? file(p.panel_samples) : []
    genetic_map = p.genetic_map ? file(p.genetic_map) : []
    labels = p.panel_labels ? file(p.panel_labels) : []
    imputation = p.subMap('imputer', 'seed', 'mask_fraction', 'output_format', 'output_hds', 'phased_output') + [compared: comparedImputers(p), network: networkOptions(p)]
    to_impute = INPUTS.out.plan.filter { _entry -> p.steps.tokenize(',').contains('impute') }
    // With artificial people in the panel, and then also without them, to tell what they are worth.
    augmented = p.steps.tokenize(',').containsAll(['augment', 'impute'])
    panel = augmented
        ? INPUTS.out.panel.combine(AUGMENTATION.out.augmented).map { meta, _genotypes, _index, more, more_index -> [meta, more, more_index] }
        : INPUTS.out.panel
    IMPUTATION(
        panel, INPUTS.out.target, INPUTS.out.target_sites_by_file, INPUTS.out.truth,
        INPUTS.out.uncertain, to_impute, genetic_map, labels, panel_samples, imputation
    )
    IMPUTATION_WITHOUT(
        INPUTS.out.panel, INPUTS.out.target, INPUTS.out.target_sites_by_file, INPUTS.out.truth,
        INPUTS.out.uncertain, to_impute.filter { _entry -> augmented }, genetic_map, labels, panel_samples, imputation
    )
    COMPARE_ACCURACY(augmented ? IMPUTATION.out.accuracy : channel.empty(), IMPUTATION_WITHOUT.out.accuracy)
    accuracy = augmented ? COMPARE_ACCURACY.out.table : IMPUTATION.out.accuracy

    EXPRESSION(
        genotypesToExpress(p, IMPUTATION.out.imputed, VARIANTS.out.cohort, INPUTS.out.target, INPUTS.out.checks), INPUTS.out.reference,
        filesOfExpression(p),
        p.regions,
        optionsOfExpression(optionsOf(p, 'expression_') + [checkpoints: keptFolder(p.expression_checkpoints)], p)
    )

    // The report's own programs come too late for the report, and stand in the published file only.
    used = channel.topic('versions').unique()
    REPORT(
        accuracy, IMPUTATION.out.sites, INPUTS.out.harmonisation, INPUTS.out.checks,
        IMPUTATION.out.counted, IMPUTATION.out.models, INPUTS.out.fit,
        VARIANTS.out.counted, VARIANTS.out.evaluation, POPULATION.out.tables,
        EXPRESSION.out.tables.flatten(), AUGMENTATION.out.tables, notesOn(p),
        used.toList().map { rows -> versionsYaml(rows) },
        file("${projectDir}/assets/multiqc_config.yml")
    )
    used.mix(channel.topic('report_versions').unique())
        .toList()
        .map { rows -> versionsYaml(rows) }
        .combine(REPORT.out.report)  // a run that stops half-way writes none
        .map { text, _report -> text }
        .collectFile(name: 'software_versions.yml', storeDir: "${p.outdir}/pipeline_info")
}

/** What to know of a run with these parameters. */
def notesOn(p) {
    return p.genetic_map || !p.steps.contains('impute') ? [] : ['No --genetic_map is given: 1 cM/Mb is assumed.']
}

/** Versions of programs by process, e.g. [['A:B:PLAN', 'python', '3.11.2']], as YAML. */
def versionsYaml(rows) {
    def tools = rows.groupBy { row -> row[0].tokenize(':').last() }.sort()
    def blocks = tools.collect { process, entries -> "${process}:\n" + entries.collect { row -> "  ${row[1]}: '${row[2]}'\n" }.unique().sort().join() }
    return blocks.join()
}

/** Ends the run with one sentence when a chosen step is not there yet or lacks what it starts from. */
def checkSteps(p) {
    def steps = p.steps.tokenize(',')
    def needed = (steps == ['augment'] ? [] : ['input']) + (steps.any { step -> step in ['population', 'augment', 'impute'] } ? ['panel'] : []) + (steps.contains('call') && !steps.contains('impute') || steps.contains('express') ? ['fasta'] : []) + (steps.any { step -> step in ['population', 'augment'] } ? ['panel_labels'] : [])
    needed += steps.contains('express') ? ['genes'] + (ownModel(p) || isTaught(p) ? [] : ['expression_weights']) : []
    def lacking = needed.findAll { name -> !p[name] }
    if (lacking) {
        error("--steps ${p.steps} needs ${lacking.collect { name -> "--${name}" }.join(' and ')}.")
    }
    if (steps.contains('express') && problemsOfExpression(p)) {
        error(problemsOfExpression(p).join('\n'))
    }
    if (steps.containsAll(['augment', 'impute']) && p.augmentation_region) {
        error("--augmentation_region: with impute, artificial people cover what is imputed: leave it out and give --regions chr:from-to.")
    }
    if (steps.containsAll(['augment', 'population']) && p.augmentation_label != 'population') {
        error("--augmentation_label ${p.augmentation_label}: with population, artificial people are learnt from by population: give --augmentation_label population.")
    }
    if (steps.contains('population') && p.panel_samples) {
        error("--panel_samples: --steps ${p.steps} chooses people of the panel itself: leave it out, or the step population.")
    }
}

/** Parameters of a room without its name before them, e.g. [window: 500] of --imputer_window. */
def optionsOf(p, prefix) {
    return p.findAll { name, _value -> name.startsWith(prefix) }.collectEntries { name, value -> [name - prefix, value] }
}

/** What is chosen about artificial people; with imputation they cover the regions that are imputed. */
def augmentationOptions(p) {
    def with_imputation = p.steps.tokenize(',').contains('impute')
    return optionsOf(p, 'augmentation_') +
        [region: with_imputation ? p.regions : p.augmentation_region, with_panel: with_imputation, seed: p.seed] +
        [checkpoints: keptFolder(p.augmentation_checkpoints)]
}

/** Imputers that are measured beside the chosen one, e.g. ['beagle', 'knn']. */
def comparedImputers(p) {
    return (p.compare_imputers ?: '').tokenize(',').unique() - p.imputer
}

/** What is chosen about the imputers that are networks, e.g. [window: 500, hidden: null] of --imputer_window and --imputer_hidden. */
def networkOptions(p) {
    return optionsOf(p, 'imputer_') + [checkpoints: keptFolder(p.imputer_checkpoints)]
}

/** Ends the run with one sentence when an imputer to compare with does not exist, or nothing would be scored. */
def checkComparison(p, schema) {
    def known = propertiesOf(schema).imputer.get('enum')
    def unknown = comparedImputers(p) - known
    if (unknown) {
        error("--compare_imputers: there is no imputer ${unknown.join(', ')}; name some of ${known.join(', ')}.")
    }
    if (comparedImputers(p) && !p.truth && p.mask_fraction == 0) {
        error('--compare_imputers has nothing to measure: give --truth, or --mask_fraction above 0.')
    }
}

/** Ends the run with one sentence when people are to be put in phase by an imputer that cannot. */
def checkPhasing(p) {
    if (p.phased_output && !phasingImputers().contains(p.imputer)) {
        error("--phased_output: --imputer ${p.imputer} does not phase people: leave it out, or take ${phasingImputers().join(' or ')}.")
    }
}

workflow {
    main:
    def schema = readSchema("${projectDir}/nextflow_schema.json")
    def asked_for_help = params.help.toString() != 'false'
    def p = asked_for_help ? [:] : checkedParameters(schema, params, params.custom_config_base != null)

    if (asked_for_help) {
        println(helpText(schema))
    }
    else {
        checkSteps(p)
        checkComparison(p, schema)
        checkPhasing(p)
        notesOn(p).each { note -> log.info(note) }
        writeParameters(p, file("${p.outdir}/pipeline_info"))
        DEEPCOHORT(p)
    }

    workflow.onComplete = {
        if (p) {
            def info = file("${p.outdir}/pipeline_info")
            def done = workflow.stats
            writeCosts(info.resolve('trace.txt'), file(p.prices ?: "${projectDir}/assets/prices.tsv"), info.resolve('cost.tsv'), done.succeedCount + done.cachedCount + done.failedCount, p.use_gpu)
            def sentences = sentencesOf(workflow.errorReport)
            log.info(workflow.success
                ? "Done in ${workflow.duration}: ${done.succeedCount} tasks run, ${done.cachedCount} taken from before. The report is ${p.outdir}/report/multiqc_report.html"
                : "Stopped after ${workflow.duration} without a report.\n${sentences.join('\n')}")
        }
    }
}
