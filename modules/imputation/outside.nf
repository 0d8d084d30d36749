// What the processes of outside imputation programs share.

/** Names of --imputer that are programs of others. */
def outsideImputers() {
    return ['beagle', 'minimac4']
}

/** Shell: ends the task with one sentence where a program is not installed. */
def require(program) {
    return "command -v ${program} > /dev/null || { echo 'ERROR: ${program} is not installed: install it (on Debian: apt-get install ${program}) or run in images (e.g. -profile docker).' >&2; exit 2; }"
}

/**
 * Shell, after a command whose output went to a log: ends the task with the program's own words.
 * Java tells by 3 that memory ran out, which is worth another attempt (137); a failed assertion (134) is not.
 */
def orTell(program, meta, log) {
    return """|| {
        status=\$?
        cat ${log} >&2
        said=\$({ grep -iE 'exception|error|assert' ${log} || cat ${log}; } | tail -n 1)
        echo "ERROR: ${program} stopped at ${meta.cohort}, chunk ${meta.chunk}, with exit code \$status: \$said" >&2
        case \$status in 3) exit 137;; 134) exit 1;; *) exit \$status;; esac
    }"""
}
