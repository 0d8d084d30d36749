// Files that a sheet names: found from the sheet's folder, and there.

/** The file of a cell. Ends the run with one sentence when it is not there. */
def sheetFile(sheet, row, column, cell) {
    def path = cell.contains('://') || cell.startsWith('/') ? file(cell) : file(sheet).toAbsolutePath().parent.resolve(cell)
    if (!path.exists()) {
        error("${sheet}: row ${row}, column ${column}: there is no file ${path}: mend the path (relative paths start at the folder of the sheet)")
    }
    return path
}

/** The index of a file: the one that the sheet names, else the one beside it, else none (it is made). */
def indexFile(sheet, row, cell, path) {
    if (cell) {
        return sheetFile(sheet, row, 'index', cell)
    }
    return ['csi', 'tbi'].collect { suffix -> path.resolveSibling("${path.name}.${suffix}") }.find { index -> index.exists() } ?: []
}

/** Whether a parameter names genotypes themselves rather than a sheet of them. */
def isGenotypes(path) {
    return path.toString() ==~ /.*\.(vcf|vcf\.gz|vcf\.bgz|bcf)/
}
