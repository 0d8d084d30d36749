// What kind of file a path names.

/** Whether a parameter names genotypes themselves rather than a sheet of them. */
def isGenotypes(path) {
    return path.toString() ==~ /.*\.(vcf|vcf\.gz|vcf\.bgz|bcf)/
}

/** Whether a path names one person's reads. */
def isReads(path) {
    return path.toString() ==~ /.*\.(bam|cram)/
}
