/** One writer a folder: an advisory lock that the kernel gives back when the process ends, however it ends. */
#ifndef HN_CORE_LOCK_H
#define HN_CORE_LOCK_H

#include <hone/status.h>

typedef struct hn_lock hn_lock;

/** Makes the folder where it is missing and locks folder/.lock, which holds the number of this process. HONE_ERROR_IO naming
 *  the process that has it. Where the file system knows no locks, a warning is logged and *lock is as good as taken. */
HONE_MUST_USE hone_status hn_lock_take(const char *folder, hn_lock **lock);
/** Takes .lock away, and the folders that hn_lock_take made, where nothing else was put in them. NULL is allowed. */
void hn_lock_release(hn_lock *lock);

#endif
