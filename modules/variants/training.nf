// Training of a caller on people whose variants are known, cut into the same pieces of the genome.
include { LEARN_GAPS } from './learn_gaps'
include { MAKE_EXAMPLES } from './make_examples'
include { TRAIN_CALLER } from './train_caller'

workflow TRAINING {
    take:
    people     // [ [sample: 'person', sex: ''], reads.bam, index, truth.vcf.gz, truth.bed ]
    plans      // [ [sample: 'person', sex: ''], pieces.tsv ]
    reference  // [ ref.fa, [ref.fa.fai] ]
    start      // folder of a caller that is trained on, or []
    options    // e.g. [gaps: 'auto', layout: 'compact', epochs: 8, seed: 1]

    main:
    LEARN_GAPS(people.join(plans).map { meta, reads, index, _truth, _bed, table -> [meta, reads, index, table] }, reference, options.gaps)

    // [ [sample: 'person', sex: '', piece: '000001', region: 'chr20:1-1000', haploid: 'false'], reads.bam, index, gaps.tsv, truth.vcf.gz, truth.bed ]
    pieces = people.join(plans).join(LEARN_GAPS.out.gaps).flatMap { meta, reads, index, truth, bed, table, gaps ->
        table.splitCsv(header: true, sep: '\t')
            .findAll { row -> row.haploid == 'false' }
            .collect { row -> [meta + row, reads, index, gaps, truth, bed] }
    }
    MAKE_EXAMPLES(pieces, reference, options.layout)

    // The same pieces of everybody are held out, so that no place is learnt from and judged by.
    parted = MAKE_EXAMPLES.out.examples.toList()
        .filter { entries -> entries }
        .map { entries ->
            def sorted = entries.toSorted { one, other -> one[1].name <=> other[1].name }
            def out = sorted.findAll { meta, _examples -> isHeldOut(meta.piece) }
            if (!out) {
                error('--caller_training: all its reads are in one piece of the genome, so that none can be held out: give more, or a smaller --call_bases.')
            }
            [(sorted - out).collect { entry -> entry[1] }, out.collect { entry -> entry[1] }]
        }
    TRAIN_CALLER(parted, start, options.subMap('epochs'), options.seed)
    caller = TRAIN_CALLER.out.caller

    emit:
    caller  // folder of the caller
}

/** Whether a piece, e.g. '000005', tells when to stop rather than being learnt from. */
def isHeldOut(piece) {
    return piece.toInteger() % 5 == 2
}
