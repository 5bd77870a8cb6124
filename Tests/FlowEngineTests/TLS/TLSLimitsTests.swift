// SPDX-License-Identifier: Apache-2.0

// The list of limits is whole enough to generate documents from.

import FlowModel
import Testing

@testable import FlowEngine

@Suite struct TLSLimitsTests {
    @Test func `Every limit has a name of its own, a size and a reason`() {
        #expect(Set(TLSLimits.all.map(\.name)).count == TLSLimits.all.count)
        for limit in TLSLimits.all {
            #expect(limit.name.hasPrefix("tls.") && limit.value > 0 && limit.reason.hasSuffix("."))
        }
    }
}
