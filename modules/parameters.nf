// Parameters as nextflow_schema.json describes them: help, types, allowed values. Nothing else reads the schema.

/** Groups of parameters in the order of the schema file, e.g. [[title: 'Imputation', properties: [imputer: [type: 'string']]]]. */
def readSchema(path) {
    def schema = new groovy.json.JsonSlurper().parseText(file(path).text)
    return schema.get('$defs').values() as List
}

/** Every parameter by name, e.g. [seed: [type: 'integer', default: 1]]. */
def propertiesOf(groups) {
    return groups.collectEntries { group -> group.properties }
}

/** The text of --help. */
def helpText(groups) {
    def blocks = groups.collect { group -> [group.title, group.properties.findAll { _name, rule -> !rule.hidden }] }
        .findAll { _title, rules -> rules }
        .collect { title, rules -> "${title}\n" + rules.collect { name, rule -> helpLine(name, rule) }.join('\n') }
    return "Usage: nextflow run main.nf -profile docker --steps impute --input samples.csv --panel panel.csv --outdir results\n\n" +
        blocks.join('\n\n')
}

def helpLine(name, rule) {
    def choices = rule.get('enum') ? " (${rule.get('enum').join(' | ')})" : ''
    def preset = rule.containsKey('default') ? " [${rule.default}]" : ''
    return "  --${name.padRight(20)} ${rule.description}${choices}${preset}"
}

/**
 * All parameters, each of the type that the schema gives it, although a command line may give strings only.
 * Ends the run with one sentence for each parameter that is unknown, missing or of a wrong value.
 */
def checkedParameters(groups, given, foreignAllowed) {
    def rules = propertiesOf(groups)
    def required = groups.collectMany { group -> group.required ?: [] }
    def unknown = unknownParameters(rules.keySet(), given.keySet())
    def values = rules.collectEntries { name, rule -> [name, typed(given[name], rule.type)] }
    def problems = rules.collect { name, rule -> problemOf(name, rule, given[name], values[name], required.contains(name)) }
    if (foreignAllowed && unknown) {
        log.warn("Ignored, not parameters of this pipeline: ${unknown.join(', ')}")
    }
    def sentences = (foreignAllowed ? [] : unknown.collect { name -> unknownSentence(name, rules.keySet()) }) + problems.findAll { problem -> problem }
    if (sentences) {
        error(sentences.join('\n'))
    }
    return values
}

/** Names that the schema lacks. Nextflow adds chunkBases to a given chunk-bases (and the reverse): named once. */
def unknownParameters(known, given) {
    return given.findAll { name -> !known.contains(name) }
        .sort { name -> name.contains('-') ? 0 : 1 }
        .unique { name -> snakeCase(name) }
}

def snakeCase(name) {
    return name.replaceAll(/([a-z0-9])([A-Z])/, '$1_$2').replace('-', '_').toLowerCase()
}

def unknownSentence(name, known) {
    def wanted = snakeCase(name)
    def nearest = known.min { candidate -> editDistance(candidate, wanted) }
    def hint = editDistance(nearest, wanted) <= 3 ? ": did you mean --${nearest}?" : ': see --help.'
    return "Unknown parameter --${name}${hint}"
}

/** Levenshtein distance, row by row of the usual table. */
def editDistance(one, other) {
    def start = (0..other.size()).toList()
    def last = one.toList().withIndex().inject(start) { above, pair ->
        other.toList().withIndex().inject([pair[1] + 1]) { row, letter ->
            row + [[row.last() + 1, above[letter[1] + 1] + 1, above[letter[1]] + (letter[0] == pair[0] ? 0 : 1)].min()]
        }
    }
    return last.last()
}

/** A value as its type, or as it came where it cannot be that; null and '' mean: not given. */
def typed(value, type) {
    def text = value == null ? '' : value.toString().trim()
    if (text == '') {
        return null
    }
    if (type == 'boolean') {
        return text in ['true', 'false'] ? text.toBoolean() : value
    }
    if (type == 'integer') {
        return text ==~ /[+-]?\d{1,18}/ ? text.toLong() : value
    }
    if (type == 'number') {
        return text.isNumber() ? text.toDouble() : value
    }
    return text
}

/** What is wrong with a value, as a sentence, or null. */
def problemOf(name, rule, given, value, required) {
    if (value == null) {
        return required ? "--${name} is missing: ${rule.description}" : null
    }
    if (given.toString() == 'true' && rule.type != 'boolean') {
        return "--${name} needs a value: ${rule.description}"
    }
    def complaint = wrongType(rule, value) ?: wrongValue(rule, value)
    return complaint ? "--${name} is '${given}' but ${complaint}." : null
}

def wrongType(rule, value) {
    def wanted = [boolean: [Boolean, 'must be true or false'], integer: [Long, 'must be a whole number'], number: [Double, 'must be a number']].get(rule.type)
    return wanted && !wanted[0].isInstance(value) ? wanted[1] : null
}

def wrongValue(rule, value) {
    if (rule.get('enum') && !rule.get('enum').contains(value)) {
        return "must be one of ${rule.get('enum').join(', ')}"
    }
    if (rule.pattern && !(value ==~ rule.pattern)) {
        return rule.errorMessage
    }
    if (rule.minimum != null && value < rule.minimum) {
        return "must be at least ${rule.minimum}"
    }
    if (rule.maximum != null && value > rule.maximum) {
        return "must be at most ${rule.maximum}"
    }
    return rule.exists && !file(value).exists() ? 'there is no such file: give a path from the folder you start in, or an absolute one' : null
}
