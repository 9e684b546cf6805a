#include <dispatch/dispatch.h>

/* The rows below are hone/backend.h's operand lists, in its order. */
#define F(name, shape)                                                                                       \
    { name, shape, 'f', HN_IN, false, false, 0 }
#define W(name, shape)                                                                                       \
    { name, shape, 'w', HN_IN, false, false, 0 }
#define W_OPT(name, shape)                                                                                   \
    { name, shape, 'w', HN_IN, true, false, 0 }
#define F_OPT(name, shape)                                                                                   \
    { name, shape, 'f', HN_IN, true, false, 0 }
#define I(name, shape)                                                                                       \
    { name, shape, 'i', HN_IN, false, false, 0 }
#define OUT(name, shape)                                                                                     \
    { name, shape, 'f', HN_OUT, false, false, 0 }
#define OUT_ACC(name, shape)                                                                                 \
    { name, shape, 'f', HN_OUT, false, true, 0 }
#define OUT_OPT(name, shape)                                                                                 \
    { name, shape, 'f', HN_OUT, true, true, 0 }
#define OUT_ALIAS(name, shape, alias)                                                                        \
    { name, shape, 'f', HN_OUT, false, false, alias }
#define INOUT(name, shape)                                                                                   \
    { name, shape, 'f', HN_INOUT, false, false, 0 }
#define BIT(operand) (1u << (operand))

static const hn_operation_info table[HONE_OP_COUNT] = {
    [HONE_OP_EMBEDDING] = {"embedding",
                           HONE_EMBEDDING_OPERANDS,
                           0,
                           {W("table", "VD"), I("token", "T"), OUT("y", "TD")}},
    [HONE_OP_EMBEDDING_BACKWARD] = {"embedding_backward",
                                    HONE_EMBEDDING_BACKWARD_OPERANDS,
                                    0,
                                    {I("token", "T"), F("dy", "TD"), OUT_ACC("dtable", "VD")}},
    [HONE_OP_RMS_NORM] = {"rms_norm",
                          HONE_RMS_NORM_OPERANDS,
                          sizeof(hone_norm_params),
                          {F("x", "TD"), F("gain", "D"), OUT("y", "TD"), OUT("rstd", "T")}},
    [HONE_OP_RMS_NORM_BACKWARD] = {"rms_norm_backward",
                                   HONE_RMS_NORM_BACKWARD_OPERANDS,
                                   0,
                                   {F("x", "TD"), F("gain", "D"), F("rstd", "T"), F("dy", "TD"),
                                    OUT_OPT("dx", "TD"), OUT_OPT("dgain", "D")}},
    [HONE_OP_LINEAR] = {"linear",
                        HONE_LINEAR_OPERANDS,
                        sizeof(hone_scale_params),
                        {F("x", "TI"), W("w", "OI"), F_OPT("bias", "O"), OUT_ACC("y", "TO")}},
    [HONE_OP_LINEAR_BACKWARD] = {"linear_backward",
                                 HONE_LINEAR_BACKWARD_OPERANDS,
                                 sizeof(hone_scale_params),
                                 {F_OPT("x", "TI"), W_OPT("w", "OI"), F("dy", "TO"), OUT_OPT("dx", "TI"),
                                  OUT_OPT("dw", "OI"), OUT_OPT("dbias", "O")}},
    [HONE_OP_ROTARY] = {"rotary",
                        HONE_ROTARY_OPERANDS,
                        sizeof(hone_rotary_params),
                        {F("x", "THN"),
                         I("position", "T"),
                         F("frequency", "N/"),
                         {"y", "THN", 'f', HN_OUT, false, true, BIT(HONE_ROTARY_X)}}},
    [HONE_OP_ATTENTION] = {"attention",
                           HONE_ATTENTION_OPERANDS,
                           sizeof(hone_scale_params),
                           {F("q", "THN"), F("k", "CKN"), F("v", "CKN"), I("segment", "S6"), I("range", "G2"),
                            OUT("o", "THN"), OUT("lse", "HT")}},
    [HONE_OP_ATTENTION_BACKWARD] = {"attention_backward",
                                    HONE_ATTENTION_BACKWARD_OPERANDS,
                                    sizeof(hone_scale_params),
                                    {F("q", "THN"), F("k", "TKN"), F("v", "TKN"), I("segment", "S6"),
                                     I("range", "G2"), F("o", "THN"), F("lse", "HT"), F("do", "THN"),
                                     OUT("delta", "HT"), OUT("dq", "THN"), OUT("dk", "TKN"),
                                     OUT("dv", "TKN")}},
    [HONE_OP_SWIGLU] = {"swiglu",
                        HONE_SWIGLU_OPERANDS,
                        0,
                        {F("gate", "TF"), F("up", "TF"),
                         OUT_ALIAS("y", "TF", BIT(HONE_SWIGLU_GATE) | BIT(HONE_SWIGLU_UP))}},
    [HONE_OP_SWIGLU_BACKWARD] = {"swiglu_backward",
                                 HONE_SWIGLU_BACKWARD_OPERANDS,
                                 0,
                                 {F("gate", "TF"), F("up", "TF"), F("dy", "TF"), OUT_ALIAS("dgate", "TF", 7u),
                                  OUT_ALIAS("dup", "TF", 7u)}},
    [HONE_OP_ADD] = {"add",
                     HONE_ADD_OPERANDS,
                     0,
                     {F("a", "TD"), F("b", "TD"), OUT_ALIAS("y", "TD", BIT(HONE_ADD_A) | BIT(HONE_ADD_B))}},
    [HONE_OP_DROPOUT] = {"dropout",
                         HONE_DROPOUT_OPERANDS,
                         sizeof(hone_dropout_params),
                         {F("x", "TD"), {"y", "TD", 'f', HN_OUT, false, true, BIT(HONE_DROPOUT_X)}}},
    [HONE_OP_GATHER_ROWS] = {"gather_rows",
                             HONE_GATHER_ROWS_OPERANDS,
                             0,
                             {F("x", "TD"), I("row", "U"), OUT("y", "UD")}},
    [HONE_OP_HEAD_LOGP] = {"head_logp",
                           HONE_HEAD_LOGP_OPERANDS,
                           0,
                           {F("h", "TD"), W("w", "VD"), I("row", "U"), I("begin", "U+"), I("target", "E"),
                            OUT("logp", "E"), OUT("lse", "U")}},
    [HONE_OP_HEAD_LOGP_BACKWARD] = {"head_logp_backward",
                                    HONE_HEAD_LOGP_BACKWARD_OPERANDS,
                                    0,
                                    {F("h", "TD"), W("w", "VD"), I("row", "U"), I("begin", "U+"),
                                     I("target", "E"), F("lse", "U"), F("g", "E"), OUT_OPT("dh", "TD"),
                                     OUT_OPT("dw", "VD")}},
    [HONE_OP_ADAMW] = {"adamw",
                       HONE_ADAMW_OPERANDS,
                       sizeof(hone_adamw_params),
                       {INOUT("w", "W"), INOUT("m", "W"), INOUT("v", "W"), F("gradient", "W")}},
    [HONE_OP_SUM_SQUARES] = {"sum_squares",
                             HONE_SUM_SQUARES_OPERANDS,
                             0,
                             {F("x", "W"), {"out", "1", 'd', HN_OUT, false, true, 0}}},
    [HONE_OP_FILL] = {"fill",
                      HONE_FILL_OPERANDS,
                      sizeof(hone_fill_params),
                      {{"y", "", 'a', HN_OUT, false, false, 0}}},
    [HONE_OP_CAST] = {"cast",
                      HONE_CAST_OPERANDS,
                      0,
                      {{"x", "*", 'a', HN_IN, false, false, 0}, {"y", "*", 'a', HN_OUT, false, false, 0}}},
    [HONE_OP_SCATTER_ROWS] = {"scatter_rows",
                              HONE_SCATTER_ROWS_OPERANDS,
                              0,
                              {F("x", "TD"), I("row", "T"), {"y", "CD", 'f', HN_INOUT, false, false, 0}}},
};

const hn_operation_info *hn_operation_describe(hone_operation operation) {
    return (unsigned)operation < HONE_OP_COUNT ? &table[operation] : NULL;
}
