// SPDX-License-Identifier: Apache-2.0

// The kernel's bits and their names.

import Testing

@testable import CodeIdentity

@Suite("KernelCodeStatus") struct KernelCodeStatusTests {
    @Test("Bits have the places of cs_blobs.h and print lowest first")
    func names() {
        #expect(KernelCodeStatus(rawValue: 0x2400_0001).names == ["valid", "platform-binary", "signed"])
        #expect(KernelCodeStatus(rawValue: 0x1001_0304).description == "get-task-allow,hard,kill,runtime,debugged")
        #expect(KernelCodeStatus(rawValue: 0x0008_0000).names == [])
        #expect(KernelCodeStatus(rawValue: 0x8000_0000).names == ["data-vault-controller"])
    }

    @Test("Each named bit is one bit, has one name and stands in order")
    func table() {
        let named = KernelCodeStatus.named
        #expect(named.allSatisfy { $0.0.rawValue.nonzeroBitCount == 1 })
        #expect(Set(named.map(\.1)).count == named.count)
        #expect(named.map(\.0.rawValue) == named.map(\.0.rawValue).sorted())
    }

    @Test("The bits that a file may claim have the places of the code directory's flags")
    func shared() {
        let pairs: [(KernelCodeStatus, CodeSignatureFlags)] = [
            (.adhoc, .adhoc), (.hard, .hard), (.kill, .kill), (.checkExpiration, .expires), (.restrict, .restrict),
            (.enforcement, .enforcement), (.libraryValidation, .libraryValidation), (.runtime, .runtime),
            (.linkerSigned, .linkerSigned),
        ]
        #expect(pairs.allSatisfy { $0.rawValue == $1.rawValue })
    }
}
