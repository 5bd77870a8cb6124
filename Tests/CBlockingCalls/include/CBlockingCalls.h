/* SPDX-License-Identifier: Apache-2.0 */

/* Counts, in the kernel, what a thread asks of the system that could make it wait. */

#ifndef C_BLOCKING_CALLS_H
#define C_BLOCKING_CALLS_H

/// Watches the calling thread until it ends; gives 0 or `errno`.
///
/// From now on each of its system calls is counted and refused, but for those that never wait: memory, time, random
/// numbers, waking others, and the thread's own end. Files, names, sockets, pipes, sleep and waiting for a lock count.
int weir_watch_begin(void);

/// How many calls were counted on this thread, and the number of the last one.
int weir_watch_count(int *last);

#endif
