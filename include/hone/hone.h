/** All of the library's public interface. hone/backend.h, the contract with a backend, is apart. */
#ifndef HONE_HONE_H
#define HONE_HONE_H

#include <hone/bandit.h>
#include <hone/bench.h>
#include <hone/data.h>
#include <hone/device.h>
#include <hone/dtype.h>
#include <hone/eval.h>
#include <hone/export.h>
#include <hone/inspect.h>
#include <hone/log.h>
#include <hone/loss.h>
#include <hone/model.h>
#include <hone/pack.h>
#include <hone/pairs.h>
#include <hone/sample.h>
#include <hone/score.h>
#include <hone/status.h>
#include <hone/suggest.h>
#include <hone/template.h>
#include <hone/tokenizer.h>
#include <hone/train.h>
#include <hone/version.h>

#endif
