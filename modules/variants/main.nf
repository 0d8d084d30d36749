// Variants: each person called piece by piece, joined, and compared with the truth where it is known; then all together.
include { PLAN_CALLS } from './plan_calls'
include { PLAN_CALLS as PLAN_EXAMPLES } from './plan_calls'
include { LEARN_GAPS } from './learn_gaps'
include { CALL_REGION } from './call_region'
include { TRAINING } from './training'
include { JOIN_CALLS } from './join_calls'
include { JOIN_GVCFS } from './join_gvcfs'
include { PLAN_COHORT } from './plan_cohort'
include { GENOTYPE_REGION } from './genotype_region'
include { JOIN_COHORT } from './join_cohort'
include { MENDELIAN } from './mendelian'
include { EVALUATE_CALLS } from './evaluate_calls'
include { namedFiles; problemOf } from './named_files'
include { COMBINE_EVALUATIONS } from './combine_evaluations'

workflow VARIANTS {
    take:
    reads      // [ [sample: 'person', sex: 'male'], reads.bam, index ]
    gvcfs      // [ [sample: 'person', sex: 'male'], person.g.vcf.gz, index ], of people who come without reads
    reference  // [ ref.fa, [ref.fa.fai] ]
    known      // people to train a caller on: [ [sample: 'person', sex: ''], reads.bam, index, truth.vcf.gz, truth.bed ]
    truth      // [ [file: 'person.truth001', cohort: 'person'], truth.vcf.gz, index, check.json ]
    beds       // [ 'person.truth001', truth.bed or [] ]
    regions    // text or BED file, e.g. '20:1-5000000', or null
    options    // e.g. [piece_bases: 10000000, seed: 1, gaps: 'auto', caller: 'cnn', weights: folder of a caller or null, layout: 'compact', epochs: 8, training: false, pedigree: PED file or null, annotate: 'clinvar=clinvar.vcf.gz' or null, annotate_fields: 'CLNSIG' or null, compare: 'gatk=gatk.vcf.gz' or null, call_with: 'gatk=gatk/{sample}.vcf.gz' or null, votes: 0]

    main:
    bed = regions && file(regions).exists() ? file(regions) : []
    PLAN_CALLS(reads.map { meta, file, _index -> [meta, file] }, reference, [regions ?: '', bed], options.piece_bases)

    LEARN_GAPS(reads.join(PLAN_CALLS.out.pieces), reference, options.gaps)

    // [ [sample: 'person', sex: 'male', pieces: 2, piece: '000001', region: 'chr20:1-1000', haploid: 'false'], reads.bam, index, gaps.tsv, ['gatk'], [gatk/person.vcf.gz], [index] ]
    jobs = reads.join(PLAN_CALLS.out.pieces).join(LEARN_GAPS.out.gaps).flatMap { meta, file, index, table, gaps ->
        def rows = table.splitCsv(header: true, sep: '\t')
        def others = options.call_with?.replace('{sample}', meta.sample)
        def problem = problemOf('--call_with', others)
        problem ? error(problem) : rows.collect { row -> [meta + [pieces: rows.size()] + row, file, index, gaps] + namedFiles('--call_with', others) }
    }
    // (Nextflow's newer parser does not let two files include one that includes functions.)
    PLAN_EXAMPLES(known.map { meta, file, _index, _truth, _bed -> [meta, file] }, reference, [regions ?: '', bed], Math.min(options.piece_bases, 1000000))
    TRAINING(known, PLAN_EXAMPLES.out.pieces, reference, options.weights ? file(options.weights) : [], options.subMap('gaps', 'layout', 'epochs', 'seed'))
    weights = options.training ? TRAINING.out.caller : channel.value(file(options.weights ?: "${projectDir}/assets/callers/short_reads"))
    CALL_REGION(jobs, reference, options.caller, options.caller == 'haplotypes' ? [] : weights, options.votes)

    // Known variants are looked up by the tasks that join: a region's task would fetch the whole file too.
    known_variants = namedFiles('--annotate', options.annotate)
    fields = (options.annotate_fields ?: '').tokenize(',')
    JOIN_CALLS(ofPeople(CALL_REGION.out.calls), known_variants, fields, reference)
    JOIN_GVCFS(ofPeople(CALL_REGION.out.gvcf))

    // [ [anna.g.vcf.gz, ben.g.vcf.gz], [index, index] ]
    everybody = JOIN_GVCFS.out.gvcf.mix(gvcfs)
        .toSortedList { one, other -> one[0].sample <=> other[0].sample }
        .filter { people -> people }
        .map { people -> [people.collect { entry -> entry[1] }, people.collect { entry -> entry[2] }] }
    PLAN_COHORT(everybody.map { files, _indices -> files }, reference, [regions ?: '', bed], options.piece_bases)
    GENOTYPE_REGION(PLAN_COHORT.out.pieces.splitCsv(header: true, sep: '\t').map { row -> [row] }.combine(everybody), reference)
    JOIN_COHORT(GENOTYPE_REGION.out.genotypes.toSortedList { one, other -> one.name <=> other.name }.filter { parts -> parts }, known_variants, fields, reference)
    MENDELIAN(JOIN_COHORT.out.cohort.filter { _entry -> options.pedigree }, options.pedigree ? file(options.pedigree) : [])

    // [ [sample: 'person', sex: 'male', file: 'person.truth001'], calls.vcf.gz, index, truth.vcf.gz, index, truth.bed or [] ]
    with_truth = truth.map { meta, genotypes, index, _report -> [meta.file, meta, genotypes, index] }
        .join(beds)
        .map { _file, meta, genotypes, index, bed_file -> [meta.cohort, meta.subMap('file'), genotypes, index, bed_file] }
    to_judge = JOIN_CALLS.out.calls.map { meta, calls, index -> [meta.sample, meta, calls, index] }
        .combine(with_truth, by: 0)
        .map { _sample, meta, calls, index, of_truth, genotypes, genotypes_index, bed_file -> [meta + of_truth, calls, index, genotypes, genotypes_index, bed_file] }
    EVALUATE_CALLS(to_judge, reference, namedFiles('--compare', options.compare))
    COMBINE_EVALUATIONS(
        EVALUATE_CALLS.out.counts.toSortedList { one, other -> one.name <=> other.name }.filter { counts -> counts },
        EVALUATE_CALLS.out.concordance.toSortedList { one, other -> one.name <=> other.name },
        options.seed
    )

    calls = JOIN_CALLS.out.calls
    cohort = JOIN_COHORT.out.cohort
    counted = JOIN_CALLS.out.counted.mix(JOIN_COHORT.out.counted.map { counts -> [[:], counts] })
    evaluation = COMBINE_EVALUATIONS.out.table.mix(COMBINE_EVALUATIONS.out.concordance, MENDELIAN.out.table)

    emit:
    calls       // [ [sample: 'person', sex: 'male'], person.vcf.gz, index ]
    cohort      // [ cohort.vcf.gz, index ]
    counted     // [ [sample: 'person', sex: 'male'], person.counts.tsv ], and [ [:], cohort.counts.tsv ]
    evaluation  // evaluation.tsv and concordance.tsv where the truth is known, mendelian.tsv of trios
}

/** Files of all pieces ([meta, file]) by person, in the order of the pieces. */
def ofPeople(parts) {
    return parts.map { meta, part -> [groupKey(meta.subMap('sample', 'sex'), meta.pieces), part] }
        .groupTuple()
        .map { key, files -> [key.target, files.toSorted { one, other -> one.name <=> other.name }] }
}
