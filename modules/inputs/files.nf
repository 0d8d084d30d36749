// What kind of file a path names.

/** Whether a parameter names genotypes themselves rather than a sheet of them. */
def isGenotypes(path) {
    return path.toString() ==~ /.*\.(vcf|vcf\.gz|vcf\.bgz|bcf)/ && !isGvcf(path)
}

/** Whether a path names genotypes of a cohort, VCF, BCF or PLINK 2. */
def isCohort(path) {
    return isGenotypes(path) || path.toString().endsWith('.pgen')
}

/** Whether a path names one person's gVCF. */
def isGvcf(path) {
    return path.toString() ==~ /.*\.g\.vcf\.b?gz/
}

/** Whether a path names one person's reads. */
def isReads(path) {
    return path.toString() ==~ /.*\.(bam|cram)/
}

/** What belongs to genotypes that are no VCF: for sites and for people, the files that there may be, e.g. [[panel.pvar, panel.pvar.zst], [panel.psam]]. */
def companionsOf(genotypes) {
    def (name, sites, people) = genotypes.name.endsWith('.pgen')
        ? [genotypes.baseName, ['pvar', 'pvar.zst'], ['psam']]
        : [genotypes.name - ~/\.hap(\.gz)?$/, ['legend.gz', 'legend'], ['sample', 'samples', 'sample.gz']]
    def kinds = isGenotypes(genotypes) ? [] : [sites, people]
    return kinds.collect { suffixes -> suffixes.collect { suffix -> genotypes.resolveSibling("${name}.${suffix}") } }
}
