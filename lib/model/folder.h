/** Parameters from and to safetensors files. */
#ifndef HN_MODEL_FOLDER_H
#define HN_MODEL_FOLDER_H

#include <model/parameters.h>
#include <model/safetensors.h>

/** The file holds at least as many bytes as the configuration's largest tensors claim: checked before
 * allocation. */
HONE_MUST_USE hone_status hn_folder_check_size(const hn_safetensors *file, const char *folder,
                                               const hone_model_config *config);
/** Every parameter is filled; a missing, misshapen or unexpected tensor is an error that names it. `tied`: a
 *  lm_head.weight beside a tied embedding is tolerated. */
HONE_MUST_USE hone_status hn_folder_load(const hn_safetensors *file, const char *folder,
                                         hn_parameters *parameters, bool tied);
/** All parameters in their order, as `dtype`. */
HONE_MUST_USE hone_status hn_folder_store(const char *path, const hn_parameters *parameters,
                                          hone_dtype dtype);

#endif
