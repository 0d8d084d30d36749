// What the room of expression starts from: genotypes of the step before it, or those given, and files by parameters.

/** Genotypes that expression is predicted from: those imputed, or called and given, where the step is run. */
def genotypesToExpress(p, imputed, called, given, checks) {
    def steps = p.steps.tokenize(',')
    def of_imputation = imputed.map { meta, genotypes, index -> [meta.cohort, [meta.chrom], genotypes, index] }
    // Those who come as reads are the called cohort; a cohort of likelihoods alone has no alleles to read.
    def of_input = given.join(checks)
        .filter { meta, genotypes, _index, report ->
            def likelihoods = steps.contains('express') && new groovy.json.JsonSlurper().parseText(report.text).likelihoods
            likelihoods && meta.cohort != 'reads' ? error("${genotypes.name}: has likelihoods of genotypes and no GT, and express reads alleles: add impute to --steps, or give genotypes") : !likelihoods
        }
        .map { meta, genotypes, index, report -> [meta.cohort, contigsOf(report), genotypes, index] }
    def of_calls = called.map { genotypes, index -> ['cohort', [], genotypes, index] }
    return (steps.contains('impute') ? of_imputation : of_input.mix(of_calls)).filter { _entry -> steps.contains('express') }
}

/** Files that the room of expression is given, by name; [] where one is not. */
def filesOfExpression(p) {
    def names = ['genes', 'expression', 'covariates', 'expression_weights', 'expression_track_names', 'expression_baseline', 'expression_variants', 'panel_labels', 'pedigree']
    return names.collectEntries { name -> [name - 'expression_' - 'panel_', p[name] ? file(p[name]) : []] } + [own: ownModel(p) ? file(ownModel(p)) : []]
}

/** The file of a sequence model of the user's own, e.g. 'mine.py' of 'mine.py:Model', or null. */
def ownModel(p) {
    return p.expression_model.contains('.py:') ? p.expression_model.substring(0, p.expression_model.lastIndexOf(':')) : null
}

/** Whether a sequence model is taught by the cohort: asked for, or what a cnn without weights needs. */
def isTaught(p) {
    return p.expression_train != null || p.expression_model == 'cnn' && !p.expression_weights && p.expression != null
}

/** What is chosen about expression, with whether a model is taught, e.g. [model: 'cnn', teach: true]. */
def optionsOfExpression(options, p) {
    return options + [seed: p.seed, teach: isTaught(p)]
}

/** What is wrong with what is asked for, a sentence each. */
def problemsOfExpression(p) {
    def train = "--expression_train ${p.expression_train}"
    def by_conda = workflow.profile.tokenize(',').contains('conda')
    def found = [
        p.expression_model == 'borzoi' && by_conda ? "--expression_model borzoi: its packages come by container only: take another -profile, such as docker or apptainer." : null,
        p.expression_train && !p.expression ? "${train}: a model is taught by measured expression: give --expression." : null,
        p.expression_train && !(p.expression_model in ['cnn', 'enformer']) ? "${train}: --expression_model ${p.expression_model} is not taught here: take cnn or enformer, or leave it out." : null,
        p.expression_train && !p.expression_weights ? "${train}: teaches a part of a model that is there: give its --expression_weights." : null,
        isTaught(p) && p.expression_folds < 3 ? "--expression_folds ${p.expression_folds}: training needs three: people to teach, to stop by and to hold out." : null
    ]
    return found.findAll()
}

/** Chromosomes that a checked file has, e.g. ['20', '22']. */
def contigsOf(report) {
    return new groovy.json.JsonSlurper().parseText(report.text).contigs.keySet() as List
}
