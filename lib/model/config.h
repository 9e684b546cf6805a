/** Writing config.json; reading it is public (hone/model.h). */
#ifndef HN_MODEL_CONFIG_H
#define HN_MODEL_CONFIG_H

#include <hone/model.h>

HONE_MUST_USE hone_status hn_config_write(const hone_model_config *config, hone_dtype dtype,
                                          const char *folder);

#endif
