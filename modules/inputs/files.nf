// What kind of file a path names.

/** Whether a parameter names genotypes themselves rather than a sheet of them. */
def isGenotypes(path) {
    return path.toString() ==~ /.*\.(vcf|vcf\.gz|vcf\.bgz|bcf)/ && !isGvcf(path)
}

/** Whether a path names one person's gVCF. */
def isGvcf(path) {
    return path.toString() ==~ /.*\.g\.vcf\.b?gz/
}

/** Whether a path names one person's reads. */
def isReads(path) {
    return path.toString() ==~ /.*\.(bam|cram)/
}

/** What belongs to haplotypes that are no VCF: for sites and for people, the files that there may be, e.g. [[panel.pvar, panel.pvar.zst], [panel.psam]]. */
def companionsOf(haplotypes) {
    def (name, sites, people) = haplotypes.name.endsWith('.pgen')
        ? [haplotypes.baseName, ['pvar', 'pvar.zst'], ['psam']]
        : [haplotypes.name - ~/\.hap(\.gz)?$/, ['legend.gz', 'legend'], ['sample', 'samples', 'sample.gz']]
    def kinds = isGenotypes(haplotypes) ? [] : [sites, people]
    return kinds.collect { suffixes -> suffixes.collect { suffix -> haplotypes.resolveSibling("${name}.${suffix}") } }
}
