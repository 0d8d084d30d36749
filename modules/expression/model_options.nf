// Which sequence model a task asks, as options of its script.
include { flags; option; quoted } from '../options'

/** E.g. --model enformer --weights 'w.bin' --tracks '3', or --model 'own/mine.py:Model' of a file of the user's. */
def modelOptions(options, weights, own, track_names) {
    def name = own ? quoted("${own}:${options.model.tokenize(':').last()}") : options.model
    return ["--model ${name}", option('--weights', weights), option('--track-names', track_names), flags(options.subMap('context', 'tracks', 'bins', 'average'))]
        .findAll()
        .join(' ')
}
