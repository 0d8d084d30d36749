// Command lines.

/** An option given once for each file, e.g. --sites 'a.tsv' --sites 'b.tsv'. */
def eachFile(option, files) {
    return files.collect { file -> "${option} '${file}'" }.join(' ')
}
