// Which sequence model a task asks, as options of its script.
include { eachFile; flags; option; quoted } from '../options'

/** Trained: the model as people taught it here, a file for each fold, or []. E.g. --model enformer --weights 'w.bin' --tracks '3', or --model 'own/mine.py:Model' of a file of the user's. */
def modelOptions(options, weights, own, track_names, trained) {
    def name = own ? quoted("${own}:${options.model.tokenize(':').last()}") : options.model
    return ["--model ${name}", option('--weights', weights), option('--track-names', track_names), eachFile('--trained', trained), flags(options.subMap('context', 'tracks', 'bins', 'average'))]
        .findAll()
        .join(' ')
}
