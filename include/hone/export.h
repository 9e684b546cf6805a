/** Symbol visibility and compiler attributes shared by every public header. */
#ifndef HONE_EXPORT_H
#define HONE_EXPORT_H

#if defined(__GNUC__)
#define HONE_API __attribute__((visibility("default")))
#define HONE_MUST_USE __attribute__((warn_unused_result))
#define HONE_PRINTF(string, first) __attribute__((__format__(__printf__, string, first)))
#else
#define HONE_API
#define HONE_MUST_USE
#define HONE_PRINTF(string, first)
#endif

#ifdef __cplusplus
#define HONE_BEGIN extern "C" {
#define HONE_END }
#else
#define HONE_BEGIN
#define HONE_END
#endif

#endif
