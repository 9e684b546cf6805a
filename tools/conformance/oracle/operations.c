/* Which operands of an operation are written, and which of those it does not simply overwrite. */
#include "oracle.h"

#define BIT(operand) (1u << (operand))

const oracle_operation oracle_operations[HONE_OP_COUNT] = {
    [HONE_OP_EMBEDDING] = {oracle_embedding, HONE_EMBEDDING_OPERANDS, BIT(HONE_EMBEDDING_Y), 0},
    [HONE_OP_EMBEDDING_BACKWARD] = {oracle_embedding_backward, HONE_EMBEDDING_BACKWARD_OPERANDS,
                                    BIT(HONE_EMBEDDING_BACKWARD_DTABLE), 0},
    [HONE_OP_RMS_NORM] = {oracle_rms_norm, HONE_RMS_NORM_OPERANDS,
                          BIT(HONE_RMS_NORM_Y) | BIT(HONE_RMS_NORM_RSTD), 0},
    [HONE_OP_RMS_NORM_BACKWARD] = {oracle_rms_norm_backward, HONE_RMS_NORM_BACKWARD_OPERANDS,
                                   BIT(HONE_RMS_NORM_BACKWARD_DX) | BIT(HONE_RMS_NORM_BACKWARD_DGAIN), 0},
    [HONE_OP_LINEAR] = {oracle_linear, HONE_LINEAR_OPERANDS, BIT(HONE_LINEAR_Y), 0},
    [HONE_OP_LINEAR_BACKWARD] = {oracle_linear_backward, HONE_LINEAR_BACKWARD_OPERANDS,
                                 BIT(HONE_LINEAR_BACKWARD_DX) | BIT(HONE_LINEAR_BACKWARD_DW) |
                                     BIT(HONE_LINEAR_BACKWARD_DBIAS),
                                 0},
    [HONE_OP_ROTARY] = {oracle_rotary, HONE_ROTARY_OPERANDS, BIT(HONE_ROTARY_Y), 0},
    /* Rows that no segment covers stay as they are. */
    [HONE_OP_ATTENTION] = {oracle_attention, HONE_ATTENTION_OPERANDS,
                           BIT(HONE_ATTENTION_O) | BIT(HONE_ATTENTION_LSE),
                           BIT(HONE_ATTENTION_O) | BIT(HONE_ATTENTION_LSE)},
    [HONE_OP_ATTENTION_BACKWARD] = {oracle_attention_backward, HONE_ATTENTION_BACKWARD_OPERANDS,
                                    BIT(HONE_ATTENTION_BACKWARD_DELTA) | BIT(HONE_ATTENTION_BACKWARD_DQ) |
                                        BIT(HONE_ATTENTION_BACKWARD_DK) | BIT(HONE_ATTENTION_BACKWARD_DV),
                                    0},
    [HONE_OP_SWIGLU] = {oracle_swiglu, HONE_SWIGLU_OPERANDS, BIT(HONE_SWIGLU_Y), 0},
    [HONE_OP_SWIGLU_BACKWARD] = {oracle_swiglu_backward, HONE_SWIGLU_BACKWARD_OPERANDS,
                                 BIT(HONE_SWIGLU_BACKWARD_DGATE) | BIT(HONE_SWIGLU_BACKWARD_DUP), 0},
    [HONE_OP_ADD] = {oracle_add, HONE_ADD_OPERANDS, BIT(HONE_ADD_Y), 0},
    [HONE_OP_DROPOUT] = {oracle_dropout, HONE_DROPOUT_OPERANDS, BIT(HONE_DROPOUT_Y), 0},
    [HONE_OP_GATHER_ROWS] = {oracle_gather_rows, HONE_GATHER_ROWS_OPERANDS, BIT(HONE_GATHER_ROWS_Y), 0},
    [HONE_OP_HEAD_LOGP] = {oracle_head_logp, HONE_HEAD_LOGP_OPERANDS,
                           BIT(HONE_HEAD_LOGP_LOGP) | BIT(HONE_HEAD_LOGP_LSE), 0},
    [HONE_OP_HEAD_LOGP_BACKWARD] = {oracle_head_logp_backward, HONE_HEAD_LOGP_BACKWARD_OPERANDS,
                                    BIT(HONE_HEAD_LOGP_BACKWARD_DH) | BIT(HONE_HEAD_LOGP_BACKWARD_DW), 0},
    [HONE_OP_ADAMW] = {oracle_adamw, HONE_ADAMW_OPERANDS,
                       BIT(HONE_ADAMW_W) | BIT(HONE_ADAMW_M) | BIT(HONE_ADAMW_V),
                       BIT(HONE_ADAMW_W) | BIT(HONE_ADAMW_M) | BIT(HONE_ADAMW_V)},
    [HONE_OP_SUM_SQUARES] = {oracle_sum_squares, HONE_SUM_SQUARES_OPERANDS, BIT(HONE_SUM_SQUARES_OUT), 0},
    [HONE_OP_FILL] = {oracle_fill, HONE_FILL_OPERANDS, BIT(HONE_FILL_Y), 0},
    [HONE_OP_CAST] = {oracle_cast, HONE_CAST_OPERANDS, BIT(HONE_CAST_Y), 0},
    [HONE_OP_SCATTER_ROWS] = {oracle_scatter_rows, HONE_SCATTER_ROWS_OPERANDS, BIT(HONE_SCATTER_ROWS_Y),
                              BIT(HONE_SCATTER_ROWS_Y)},
};
