// Files that the user gives with names: name=file, several with commas between.

/** Names, files and their indices (as far as there are any), e.g. [['clinvar'], [clinvar.vcf.gz], [clinvar.vcf.gz.tbi]]. */
def namedFiles(option, text) {
    def entries = (text ?: '').toString().tokenize(',').collect { entry -> entry.tokenize('=') }
    entries.each { entry ->
        if (entry.size() != 2) {
            error("${option} ${text}: write a name and a file, as in name=file.vcf.gz, and commas between several.")
        }
        if (!file(entry[1]).exists()) {
            error("${option} ${text}: there is no file ${entry[1]}: correct the path.")
        }
    }
    def names = entries.collect { entry -> entry[0] }
    if (names.unique(false).size() < names.size()) {
        error("${option} ${text}: a name is there twice: give each file a name of its own.")
    }
    def files = entries.collect { entry -> file(entry[1]) }
    def indices = files.collectMany { known -> ['tbi', 'csi'].collect { end -> file("${known.toUriString()}.${end}") }.findAll { index -> index.exists() }.take(1) }
    return [names, files, indices]
}
