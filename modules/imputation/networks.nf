// Imputers of ours that need PyTorch on CPUs too, and for what.

/** Whether an imputer (none: of a task that is only listed) needs PyTorch for a task: 'train' or 'impute'. */
def needsTorch(imputer, task) {
    return (torchTasks()[imputer] ?: []).contains(task)
}

/** Tasks by imputer. */
def torchTasks() {
    return [
        'neural-copying': ['train'],
        lstm: ['train', 'impute'],
        gpt: ['train', 'impute'],
        ensemble: ['train', 'impute'],
    ]
}

/** Whether an imputer takes the options of networks. */
def isNetwork(imputer) {
    return imputer in ['lstm', 'gpt', 'ensemble']
}
