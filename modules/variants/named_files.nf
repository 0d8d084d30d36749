// Files that the user gives with names: name=file, several with commas between.

/** Names, files and their indices (as far as there are any), e.g. [['clinvar'], [clinvar.vcf.gz], [clinvar.vcf.gz.tbi]]. */
def namedFiles(option, text) {
    def problem = problemOf(option, text)
    if (problem) {
        error(problem)
    }
    def entries = entriesOf(text)
    def files = entries.collect { entry -> file(entry[1]) }
    def indices = files.collectMany { known -> ['tbi', 'csi'].collect { end -> file("${known.toUriString()}.${end}") }.findAll { index -> index.exists() }.take(1) }
    return [entries.collect { entry -> entry[0] }, files, indices]
}

/** What is wrong with such an option, or null. (Nextflow hides what a function included here says to end a run from an operator.) */
def problemOf(option, text) {
    def entries = entriesOf(text)
    def missing = entries.find { entry -> entry.size() == 2 && !file(entry[1]).exists() }
    def names = entries.collect { entry -> entry[0] }
    if (entries.any { entry -> entry.size() != 2 }) {
        return "${option} ${text}: write a name and a file, as in name=file.vcf.gz, and commas between several."
    }
    if (missing) {
        return "${option} ${text}: there is no file ${missing[1]}: correct the path."
    }
    return names.unique(false).size() < names.size() ? "${option} ${text}: a name is there twice: give each file a name of its own." : null
}

/** E.g. [['clinvar', 'clinvar.vcf.gz']] */
def entriesOf(text) {
    return (text ?: '').toString().tokenize(',').collect { entry -> entry.tokenize('=') }
}
