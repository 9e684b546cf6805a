/** Recording the decoder layers: what training, scoring and decoding have in common. */
#ifndef HN_MODEL_BUILDER_H
#define HN_MODEL_BUILDER_H

#include <graph/program.h>
#include <model/model.h>

typedef struct hn_builder {
    hn_program *program;
    hone_model *model;
    hone_adapter *adapter; /**< NULL: the base alone */
    bool dropout;
    uint64_t seed;
    hn_value *weight; /**< [model parameters] recorded values */
    hn_value *factor; /**< [adapter parameters] */
    hn_value frequency;
    hn_value position, segment, range; /**< set by the caller before hn_build_layers */
    hn_value cache_row; /**< decoding: where new keys and values go; HN_NONE: keys are the pack's own */
    hn_value *key_cache, *value_cache; /**< [layers] states [C, K*N], decoding only */
} hn_builder;

/** Declares every parameter to the program. */
HONE_MUST_USE hone_status hn_builder_create(hn_program *program, hone_model *model, hone_adapter *adapter,
                                            bool training, uint64_t seed, hn_builder **builder);
void hn_builder_destroy(hn_builder *builder);

hn_value hn_build_embedding(const hn_builder *builder);
hn_value hn_build_head(const hn_builder *builder);
/** All layers over the residual stream x [T,D]. */
hn_value hn_build_layers(const hn_builder *builder, hn_value x);
hn_value hn_build_final_norm(const hn_builder *builder, hn_value x);

#endif
