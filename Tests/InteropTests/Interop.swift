// SPDX-License-Identifier: Apache-2.0

// Real programs through the real `weir`.

import Testing

/// All of it, one test at a time: each starts several programs, and the machine may have two cores.
@Suite(.serialized) struct Interop {}
