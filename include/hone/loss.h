/**
 * The losses: pure functions of log-probabilities, in double, with their derivatives.
 *
 * A method reads up to six conditional log-probabilities of a pair (w preferred, l dispreferred):
 * log pi(w|x), log pi(l|x), and log pi+(a|x,b) of completion a shown draft b. With
 * r = policy - reference, see SRPO (arXiv 2406.01660, equations 15 to 17), DPO (2305.18290),
 * IPO (2310.12036), RPO (2404.19733), SimPO (2405.14734).
 */
#ifndef HONE_LOSS_H
#define HONE_LOSS_H

#include <hone/export.h>
#include <hone/status.h>
#include <stdbool.h>
#include <stdint.h>

HONE_BEGIN

typedef enum hone_method {
    HONE_SFT = 0,
    HONE_DPO,
    HONE_IPO,
    HONE_RPO,
    HONE_SIMPO,
    HONE_SRPO,
    HONE_METHOD_COUNT
} hone_method;

/** The six conditionals, in the order of every array of six. "A_GIVEN_B": A written after seeing draft B. */
typedef enum hone_conditional {
    HONE_W = 0,
    HONE_L,
    HONE_W_GIVEN_L,
    HONE_L_GIVEN_L,
    HONE_W_GIVEN_W,
    HONE_L_GIVEN_W,
    HONE_CONDITIONAL_COUNT
} hone_conditional;

typedef struct hone_loss_options {
    hone_method method;
    double beta;            /**< > 0; regularisation (SRPO, DPO, IPO, RPO) or scale (SimPO) */
    double alpha;           /**< SRPO: weight of the improvement loss, in [0,1] */
    double gamma;           /**< SimPO: target margin */
    double rpo_lambda;      /**< RPO: weight of NLL(w)/|w| */
    double label_smoothing; /**< DPO: in [0, 1/2) */
    bool length_normalize;  /**< means instead of sums; IPO and SimPO: see below */
    bool ipo_sums;          /**< IPO uses means, as its authors confirmed, unless this asks for sums */
} hone_loss_options;

/** One pair's numbers. Log-probabilities are sums over a completion's tokens, end of sequence included. */
typedef struct hone_pair_logps {
    double policy[HONE_CONDITIONAL_COUNT];
    double reference[HONE_CONDITIONAL_COUNT]; /**< ignored by methods without a reference */
    int64_t tokens[2];                        /**< of w and of l, end of sequence included, >= 1 */
    double preference;                        /**< p(w > l) in [0,1]; 1 for a hard label */
} hone_pair_logps;

typedef struct hone_loss_value {
    double loss;
    double derivative[HONE_CONDITIONAL_COUNT]; /**< d loss / d policy[c] (sums); 0 where not read */
    double reward_chosen, reward_rejected;     /**< as TRL logs them: beta * r; SimPO: beta * mean;
                                                    SRPO with alpha = 1, which has no w and l: of w|l and l|l */
    double improvement, generation;            /**< SRPO: L_imp and L_gen; else 0 */
} hone_loss_value;

/** "sft", "dpo", ...; NULL outside the enumeration. */
HONE_API const char *hone_method_name(hone_method method);
HONE_API HONE_MUST_USE hone_status hone_method_parse(const char *name, hone_method *method);
/** "w", "l", "w|l", "l|l", "w|w", "l|w". */
HONE_API const char *hone_conditional_name(hone_conditional conditional);

/** The published default for each method; beta as its authors' code has it. */
HONE_API hone_loss_options hone_loss_defaults(hone_method method);
/** HONE_ERROR_ARGUMENT naming the field, the value and the range. */
HONE_API HONE_MUST_USE hone_status hone_loss_check(const hone_loss_options *options);
/** Bit c set: conditional c is read. SRPO: alpha = 1 drops w and l, alpha = 0 drops l|l and w|w. */
HONE_API uint32_t hone_loss_conditionals(const hone_loss_options *options);
HONE_API bool hone_loss_needs_reference(const hone_loss_options *options);
/** The loss of a pair when policy = reference (RPO adds lambda NLL(w)/|w|): false when the method has no such
 *  constant (SFT, SimPO). */
HONE_API bool hone_loss_at_reference(const hone_loss_options *options, const hone_pair_logps *pair,
                                     double *loss);

/**
 * Value and derivatives of one pair's loss. The batch loss is the mean over pairs, except SFT, where it is
 * the sum of `loss` (NLL of w) over the batch's rows divided by the batch's completion tokens; `derivative`
 * is then that of the row's NLL and the caller divides. HONE_ERROR_NUMERIC when an input that is read, or the
 * loss, is not finite.
 *
 * Soft labels, q = preference: SRPO as its targets say (q - 1/2, (1-q) - 1/2, 2q - 1); IPO's target becomes
 * (2q-1) / (2 beta); DPO, RPO and SimPO take q L(w, l) + (1-q) L(l, w), DPO's smoothing e on top of it
 * (weight q (1-e) + (1-q) e); SFT ignores it.
 */
HONE_API HONE_MUST_USE hone_status hone_loss_evaluate(const hone_loss_options *options,
                                                      const hone_pair_logps *pair, hone_loss_value *value);

HONE_END

#endif
