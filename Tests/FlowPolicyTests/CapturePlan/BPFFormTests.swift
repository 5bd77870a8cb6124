// SPDX-License-Identifier: Apache-2.0

// The plan as BPF maps: the bytes, and how few they are.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("The plan for BPF")
struct BPFFormTests {
    @Test("Keys and values have the documented bytes")
    func bytes() {
        let form = PlanSample.policy(
            exclusions: [],
            [
                (.inspect, [.transport([.tcp]), .address([PlanSample.prefix("192.0.2.0/24")]), .port([443...444])])
            ]
        ).capturePlan(for: .bpf).bpf
        #expect(form.entries.map(\.map) == [.net4, .port, .port])
        #expect(form.entries.first?.key == [56, 0, 0, 0, 6, 0, 0, 0, 192, 0, 2, 0])
        #expect(form.entries.first?.value == [1, 0, 0, 0])
        #expect(form.entries[1].key == [48, 0, 0, 0, 0, 0, 0, 1, 1, 187, 0, 0])
        #expect(form.entries[2].key == [48, 0, 0, 0, 0, 0, 0, 1, 1, 188, 0, 0])
        for entry in form.entries {
            #expect(entry.key.count == entry.map.keySize)
            #expect(entry.value.count == BPFForm.Map.valueSize)
        }
    }

    @Test("Everything but a network is two entries a transport and family, and all ports are one")
    func exceptions() {
        let form = PlanSample.policy(
            exclusions: [], dns: .report,
            [
                (.bypass, [.address([PlanSample.prefix("10.0.0.0/8")]), .not(.port([53...53]))]), (.inspect, []),
            ]
        ).capturePlan(for: .bpf).bpf
        // The whole line, 10.0.0.0/8, 127.0.0.0/8, 0.0.0.0/32 for tcp and udp; ::/0 and the pair :: and ::1.
        #expect(form.entries.count { $0.map == .net4 } == 8)
        #expect(form.entries.count { $0.map == .net6 } == 4)
        #expect(form.entries.filter { $0.text.hasSuffix(": 0-65535") }.map(\.key.first) == [32])
    }

    @Test("What is left alone stands in the lines with its row")
    func rows() {
        let lines = PlanSample.policy([(.inspect, [])]).capturePlan(for: .bpf).bpf.lines
        #expect(lines.contains(#""excluded":"never core-protocols/ntp""#))
        #expect(lines.contains(#""loss":"never core-protocols/awdl""#))
        #expect(lines.split(separator: "\n").allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
    }
}
