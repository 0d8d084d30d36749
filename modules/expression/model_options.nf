// Which sequence model a task asks.

/** Options of the script by name, e.g. [model: 'enformer', weights: w.bin, tracks: '3'], or [model: 'own/mine.py:Model'] of a file of the user's. */
def modelOptions(options, weights, own, track_names) {
    def name = own ? "${own}:${options.model.tokenize(':').last()}" : options.model
    return [model: name, weights: weights ?: null, track_names: track_names ?: null] + options.subMap('context', 'tracks', 'bins', 'average')
}
