// Jobs imputed, each by the imputer that it names: a model of ours, or a program of others.
include { TRAIN_CHUNK } from './train_chunk'
include { IMPUTE_CHUNK } from './impute_chunk'
include { ENGINE_PANEL } from './engine_panel'
include { ENGINE_TARGET } from './engine_target'
include { BEAGLE_CHUNK } from './beagle_chunk'
include { MINIMAC4_CHUNK } from './minimac4_chunk'
include { ENGINE_OUTPUT } from './engine_output'
include { outsideImputers } from './outside'

workflow IMPUTE_WITH {
    take:
    jobs          // [ meta of chunk, [imputer: 'copying', purpose: 'result', mask_fraction: 0, batch: 'batch_0001'], batch_0001.txt ]
    packed        // [ meta of chunk, panel.npz ]
    target        // [ [file: 'cohort.target001', cohort: 'cohort'], target.vcf.gz, index ]
    target_sites  // [ [file: 'cohort.target001', cohort: 'cohort'], sites.bcf, index ]
    options       // e.g. [seed: 1, output_hds: false, phased_output: false, network: [window: 500, hidden: null]]

    main:
    by = jobs.branch { _meta, how, _batch ->
        outside: outsideImputers().contains(how.imputer)
        ours: true
    }

    TRAIN_CHUNK(
        withTarget(
            by.ours.map { meta, how, _batch -> [meta, how.imputer] }
                .unique()
                .combine(packed, by: 0)
                .map { meta, imputer, panel -> [meta + [imputer: imputer], panel] },
            target_sites
        ),
        options.seed, options.network
    )
    IMPUTE_CHUNK(
        withTarget(
            by.ours.map { meta, how, batch -> [meta + [imputer: how.imputer], how, batch] }.combine(TRAIN_CHUNK.out.trained, by: 0),
            target
        ).map { meta, how, batch, panel, trained, genotypes, index -> [meta + how, panel, trained, genotypes, index, batch] },
        options.seed, options.output_hds, options.phased_output
    )

    ENGINE_PANEL(by.outside.map { meta, _how, _batch -> [meta] }.unique().combine(packed, by: 0))
    // [ meta of chunk and job, panel.npz, target.vcf.gz, index, batch_0001.txt ]
    asked = withTarget(by.outside.combine(packed, by: 0), target)
        .map { meta, how, batch, panel, genotypes, index -> [meta + how, panel, genotypes, index, batch] }
    ENGINE_TARGET(asked, options.seed)
    ready = ENGINE_TARGET.out.typed
        .map { meta, typed -> [meta.findAll { key, _value -> !jobKeys().contains(key) }, meta, typed] }
        .combine(ENGINE_PANEL.out.panel, by: 0)
        .branch { _chunk, meta, typed, panel, genetic_map ->
            beagle: meta.imputer == 'beagle'
                return [meta, typed, panel, genetic_map]
            minimac4: meta.imputer == 'minimac4'
                return [meta, typed, panel, genetic_map]
        }
    BEAGLE_CHUNK(ready.beagle, options.seed)
    MINIMAC4_CHUNK(ready.minimac4)
    ENGINE_OUTPUT(
        asked.combine(BEAGLE_CHUNK.out.imputed.mix(MINIMAC4_CHUNK.out.imputed), by: 0),
        options.seed, options.output_hds
    )

    parts = IMPUTE_CHUNK.out.part.mix(ENGINE_OUTPUT.out.part)
    counted = IMPUTE_CHUNK.out.counts.mix(ENGINE_OUTPUT.out.counts)
    trained = TRAIN_CHUNK.out.trained.map { meta, _packed, model -> [meta, model] }

    emit:
    parts    // [ meta of chunk and job, <chunk>.<batch>.vcf.gz ]
    counted  // [ meta of chunk and job, <chunk>.<batch>.counts.tsv ]
    trained  // [ meta of chunk with its imputer, folder of the trained model ]
}

/** What a job adds to the meta of its chunk. */
def jobKeys() {
    return ['imputer', 'purpose', 'mask_fraction', 'batch']
}

/** Entries of chunks ([meta, ...]), each followed by the two files that belong to the chunk's target file. */
def withTarget(entries, files) {
    return entries.map { entry -> [entry[0].target, entry] }
        .combine(files.map { meta, one, other -> [meta.file, one, other] }, by: 0)
        .map { _file, entry, one, other -> entry + [one, other] }
}
