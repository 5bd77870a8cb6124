// SPDX-License-Identifier: Apache-2.0

// The system's zlib, for Swift.

#include <zlib.h>
