/** The named weights of a model or an adapter, on its device: one buffer, each tensor at an aligned offset.
 */
#ifndef HN_MODEL_PARAMETERS_H
#define HN_MODEL_PARAMETERS_H

#include <dispatch/dispatch.h>
#include <hone/model.h>

typedef struct hn_parameter {
    char *name; /**< as in the safetensors file */
    hone_tensor value;
    hone_tensor gradient; /**< absent until hn_parameters_make_trainable */
    bool mapped;          /**< its place is the file that it came from: see mapped.h */
    bool decay;           /**< weight decay applies: matrices yes, norms and biases no */
} hn_parameter;

typedef struct hn_parameters {
    hone_device *device;
    hone_dtype dtype;   /**< in which the model computes, and of vectors */
    hone_dtype storage; /**< of matrices: dtype, or BF16 or Q8 (frozen weights) */
    hn_parameter *item; /**< in a fixed order: the file's canonical order of layers */
    size_t count, capacity;
    uint64_t buffer, gradient_buffer;
    uint64_t bytes;        /**< of either buffer */
    uint64_t mapped_bytes; /**< of parameters that lie in mapped files instead */
} hn_parameters;

/** Declares a parameter of rank 1 (columns 0) or 2 before hn_parameters_allocate. */
HONE_MUST_USE hone_status hn_parameters_declare(hn_parameters *parameters, const char *name, int64_t rows,
                                                int64_t columns, bool decay);
HONE_MUST_USE hone_status hn_parameters_allocate(hn_parameters *parameters, hone_device *device,
                                                 hone_dtype dtype, hone_dtype storage);
/** Allocates gradients for all. Idempotent. HONE_ERROR_ARGUMENT where matrices are stored in fewer bits. */
HONE_MUST_USE hone_status hn_parameters_make_trainable(hn_parameters *parameters);
void hn_parameters_clear(hn_parameters *parameters);
/** NULL when absent. */
hn_parameter *hn_parameters_find(const hn_parameters *parameters, const char *name);
/** Sets or reads one parameter from or to host values of `dtype` (F32, F64, F16, BF16), dense. */
HONE_MUST_USE hone_status hn_parameter_write(hn_parameters *parameters, const hn_parameter *parameter,
                                             hone_dtype dtype, const void *data);
HONE_MUST_USE hone_status hn_parameter_read(const hn_parameters *parameters, const hone_tensor *tensor,
                                            hone_dtype dtype, void *data);
/** HONE_ERROR_NUMERIC naming the first parameter with a value that is infinite or no number, and where it is. Reads everything: for
 *  when something computed from the weights is not finite. */
HONE_MUST_USE hone_status hn_parameters_check(const hn_parameters *parameters);
/** Elements of all parameters together. */
int64_t hn_parameters_elements(const hn_parameters *parameters);
/** 32 hexadecimal digits over names, shapes and values. Who reads every weight may as well look at it: HONE_ERROR_NUMERIC
 *  as hn_parameters_check says it, where a value (of Q8 none is looked at) is infinite or no number. */
HONE_MUST_USE hone_status hn_parameters_digest(const hn_parameters *parameters, char digest[33]);

/** The weights themselves, for trainer and checkpoints. Borrowed. */
hn_parameters *hn_model_weights(hone_model *model);
hn_parameters *hn_adapter_weights(hone_adapter *adapter);
/** As hone_model_open, computing in `dtype` (F64 for the float64 oracle's tests), matrices in `storage`. */
HONE_MUST_USE hone_status hn_model_open_as(hone_device *device, const char *folder, hone_dtype dtype,
                                           hone_dtype storage, hone_model **model);
/** As hone_model_open_stored, but nothing is read into the weights: to say what the model would take. */
HONE_MUST_USE hone_status hn_model_outline(hone_device *device, const char *folder, hone_weights weights,
                                           hone_model **model);
HONE_MUST_USE hone_status hn_model_create_as(hone_device *device, const hone_model_config *config,
                                             uint64_t seed, hone_dtype dtype, hone_model **model);

#endif
