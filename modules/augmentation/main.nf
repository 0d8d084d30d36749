// Augmentation: a generator learnt from a region of the labelled panel, artificial people, and what they are worth.
include { TRAIN_GENERATOR } from './train_generator'
include { GENERATE_PEOPLE } from './generate_people'

workflow AUGMENTATION {
    take:
    panel    // [ [file: 'panel.20'], panel.vcf.gz, index ], or nothing where the step is not run
    labels   // labels.tsv
    pedigree // families.ped or []
    options  // e.g. [method: 'pca', region: '20:1-5000', people: 'AFR=100', label: 'superpopulation', phase: 'auto', steps: null, held_out: 0.2, merge_small: false, checkpoints: null, with_panel: true, seed: 1]

    main:
    // [ [panel files], [their indexes] ], in the order of their names
    panels = panel.toSortedList { one, other -> one[0].file <=> other[0].file }
        .filter { files -> files }
        .map { files -> [files.collect { entry -> entry[1] }, files.collect { entry -> entry[2] }] }
    TRAIN_GENERATOR(panels, labels, pedigree, options.subMap('method', 'region', 'label', 'phase', 'steps', 'held_out', 'merge_small', 'checkpoints', 'seed'))
    GENERATE_PEOPLE(panels, labels, TRAIN_GENERATOR.out.folder, options.subMap('people', 'region', 'label', 'phase', 'merge_small', 'with_panel', 'seed'))

    augmented = GENERATE_PEOPLE.out.augmented
    people = GENERATE_PEOPLE.out.people
        .combine(TRAIN_GENERATOR.out.description)
        .map { genotypes, _index, known, description -> [genotypes, known, description] }
        .first()
    tables = GENERATE_PEOPLE.out.tables.mix(TRAIN_GENERATOR.out.course).flatten()

    emit:
    people     // [ synthetic.vcf.gz, labels.tsv, generator.json ], at any time
    augmented  // [ augmented.vcf.gz, index ], where it is asked for
    tables     // quality.tsv, counts.tsv, training.tsv and tables of pictures
}
