// Imputers that put people in phase.

/** Names of those that --phased_output may go with. */
def phasingImputers() {
    return ['copying', 'adaptive-copying', 'neural-copying']
}
