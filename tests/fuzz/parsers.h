/** Everything of hone that reads a file from outside, on files of the tiny world (support/tiny_run): what damages them, and
 *  what replays damage, call these. */
#ifndef HONE_TESTS_PARSERS_H
#define HONE_TESTS_PARSERS_H

#include <hone/status.h>
#include <stddef.h>

/** Before and after the tests: the tiny world, with a run in it that was stopped and taken up again. */
int parsers_set_up(void **state);
int parsers_tear_down(void **state);

/** Puts a file below the tiny world's root. */
void parsers_put(const char *name, const void *data, size_t length);
/** A refusal has one line that says why. */
void parsers_check_message(void);

/** Reads the file in its place. */
typedef hone_status parser(void);
hone_status parse_model(void);      /**< model/ */
hone_status parse_config(void);     /**< model/config.json */
hone_status parse_tokenizer(void);  /**< model/tokenizer.json, model/tokenizer_config.json */
hone_status parse_adapter(void);    /**< run/final/ */
hone_status parse_rows(void);       /**< pairs.jsonl */
hone_status parse_texts(void);      /**< some.texts */
hone_status parse_options(void);    /**< run/config.yaml */
hone_status parse_template(void);   /**< template.json */
hone_status parse_checkpoint(void); /**< run/checkpoints/step-00000002.hone */
hone_status parse_gguf(void);       /**< model.gguf */

#endif
