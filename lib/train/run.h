/** A run: everything that training holds, opened from the options. */
#ifndef HN_TRAIN_RUN_H
#define HN_TRAIN_RUN_H

#include <core/lock.h>
#include <hone/train.h>
#include <train/batch.h>
#include <train/optimizer.h>
#include <train/reference.h>
#include <train/saver.h>
#include <train/watch.h>

typedef struct hn_run_state {
    const hone_train_options *options;
    const hone_train_observer *observer;
    hone_pack_layout layout;
    hone_schedule schedule;
    bool fresh_reference; /**< computed at every step: the naive layout, or few of many rows are read */

    hone_device *device;
    hone_model *model, *reference_model; /**< the second only where the reference is another model */
    hone_adapter *adapter;
    hone_tokenizer *tokenizer;
    hone_template *form;
    hn_mixture mixture; /**< of training rows */
    hn_watch *watch;    /**< held-out rows; NULL: none */
    hn_examples examples;
    hn_reference reference;
    hn_network *network, *reference_network;
    hn_optimizer *optimizer;
    hn_parameters *trained;
    hn_saver *saver;
    hn_lock *lock; /**< of the run folder */

    hn_batch batch; /**< the pack in work */
    int64_t examples_per_epoch;
    int64_t *order, *order_scratch; /**< [examples_per_epoch] in epoch `order_epoch`; room to make it */
    int64_t order_epoch;            /**< -1: none yet */
    float *edges;                   /**< [2 pack tokens] */
    int64_t step, steps, steps_per_epoch, pairs_per_step;
    double started; /**< seconds, of this process's first step */
    int64_t started_step, started_pairs, started_tokens;
    int64_t recompute;   /**< layers, as hn_run_plan chose */
    uint64_t base_bytes; /**< resident before model and data were opened: program, libraries, threads */
    char base_digest[33], *trained_text, *checkpoints, *metrics;
    char *cache;  /**< folder of what is computed once */
    char *events; /**< TensorBoard's event file of this process; NULL: none */
} hn_run_state;

/** Opens device, model, data, reference and networks; restores the checkpoint when resuming. */
HONE_MUST_USE hone_status hn_run_open(const hone_train_options *options, const hone_train_observer *observer,
                                      hn_run_state *run);
/** The part before the memory plan: device, model, data, gradients of what is trained. */
HONE_MUST_USE hone_status hn_run_prepare(const hone_train_options *options,
                                         const hone_train_observer *observer, hn_run_state *run);
/** The model that the reference needs beside the trained one; NULL: none. Full training moves the model, so a reference
 *  that is computed at every step needs a copy of its own. Borrowed. */
const char *hn_run_reference_folder(const hn_run_state *run);
void hn_run_close(hn_run_state *run);
/** What a checkpoint of this run must agree on. */
hn_identity hn_run_identity(const hn_run_state *run);
/** One optimizer step: run->step + 1. */
HONE_MUST_USE hone_status hn_run_step(hn_run_state *run, hone_train_metrics *metrics);
/** Begins to save the state; the failure of the save before is reported here. */
HONE_MUST_USE hone_status hn_run_save(hn_run_state *run);
/** The trained model or adapter into OUT/final. */
HONE_MUST_USE hone_status hn_run_finish(hn_run_state *run, char *folder, size_t size);

#endif
