// SPDX-License-Identifier: Apache-2.0

// How many processors this process may run on.

#if defined(__linux__)

#define _GNU_SOURCE
#include "CLinuxFlow.h"

#include <sched.h>

int weir_usable_processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

#endif
