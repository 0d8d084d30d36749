// Command lines: names of files may hold spaces and quotes. (A path right in a script is escaped by Nextflow itself.)

/** One word for the shell. */
def quoted(text) {
    return "'" + text.toString().replace("'", "'\\''") + "'"
}

/** An option with its value, or nothing where there is none. */
def option(name, value) {
    return value ? "${name} ${quoted(value)}" : ''
}

/** Options by name, e.g. [window: 500, bidirectional: true] as --window '500' --bidirectional; what is null or false is left out. */
def flags(values) {
    return values.findAll { _name, value -> value != null && value != false }
        .collect { name, value -> "--${name.replace('_', '-')}" + (value == true ? '' : " ${quoted(value)}") }
        .join(' ')
}

/** An option given once for each of some files with a name, e.g. --annotate 'clinvar=known/clinvar.vcf.gz'. */
def eachNamed(name, names, files) {
    return [names, [files].flatten()].transpose().collect { given, file -> option(name, "${given}=${file}") }.join(' ')
}

/** An option given once for each file, e.g. --sites 'a.tsv' --sites 'b.tsv'. */
def eachFile(name, files) {
    return files.collect { file -> option(name, file) }.join(' ')
}

/** The absolute name of a folder in which tasks keep things, made now: an engine would make none, or one of root's. */
def keptFolder(folder) {
    if (!folder) {
        return null
    }
    def path = file(folder).toAbsolutePath()
    path.mkdirs()
    return path.toString()
}

/**
 * What makes a folder of the host visible in a container under the same name, or nothing where none is given.
 * (As ext.mounted, since base.config sets containerOptions for the GPU, which replaces a process's own.)
 */
def mounted(folder) {
    if (!folder) {
        return ''
    }
    def volume = "--volume ${quoted("${folder}:${folder}")}"
    def bind = "--bind ${quoted(folder)}"
    return [docker: volume, podman: volume, singularity: bind, apptainer: bind].get(workflow.containerEngine, '')
}
