// SPDX-License-Identifier: Apache-2.0

// The algebra of ports, addresses and flows against asking point by point.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Sets of flows")
struct FlowSpaceTests {
    private func ports(_ dice: inout Dice) -> PortSet {
        PortSet(
            (0..<dice.roll(4)).map { _ in
                let low = UInt16(dice.roll(40))
                return low...(low + UInt16(dice.roll(12)))
            })
    }

    @Test("Ports join, meet and turn over as sets do")
    func portAlgebra() {
        var dice = Dice(1)
        for _ in 0..<2_000 {
            let (a, b) = (ports(&dice), ports(&dice))
            for port in UInt16(0)...60 {
                #expect(a.union(b).contains(port) == (a.contains(port) || b.contains(port)))
                #expect(a.intersection(b).contains(port) == (a.contains(port) && b.contains(port)))
                #expect(a.subtracting(b).contains(port) == (a.contains(port) && !b.contains(port)))
                #expect(a.complement.contains(port) != a.contains(port))
            }
            #expect(a.complement.complement == a)
            #expect(a.count == UInt16.allCases(to: 60).filter(a.contains).count)
        }
    }

    @Test("The ends of the ports are in the set that names them")
    func ends() {
        #expect(PortSet.all.complement.isEmpty)
        #expect(PortSet.none.complement == .all)
        #expect(PortSet([0...0, 65535...65535]).complement.ranges == [1...65534])
        #expect(PortSet([1...65535]).isAll)
        #expect(PortSet([1...5, 6...9]).ranges == [1...9])
        #expect(PortSet([1...9, 2...3]).ranges == [1...9])
    }

    private func space(_ dice: inout Dice) -> FlowSpace {
        let prefixes = (0...dice.roll(4)).map { _ in PlanSample.prefix(dice.pick(PlanDice.prefixes)) }
        let space = FlowSpace(
            transports: dice.pick([[.tcp], [.udp], [.tcp, .udp]]), prefixes: dice.roll(5) == 0 ? nil : prefixes,
            ports: PortSet([dice.pick([443...443, 1...1023, 0...65535, 8000...65535])]))
        return dice.roll(3) == 0 ? space.complement : space
    }

    private func destination(_ dice: inout Dice) throws -> Endpoint {
        let address = try #require(IPAddress(dice.pick(PlanDice.addresses)))
        return Endpoint(host: .address(address), port: dice.pick(PlanDice.ports))
    }

    @Test("Flows join, meet and turn over as sets do, and the regions say the same")
    func algebra() throws {
        var dice = Dice(2)
        for _ in 0..<300 {
            let (a, b) = (space(&dice), space(&dice))
            let (union, common, rest) = (a.union(b), a.intersection(b), a.subtracting(b))
            let regions = union.regions
            #expect(a.complement.complement == a)
            #expect(a.subtracting(a).isEmpty)
            for _ in 0..<60 {
                let (to, transport) = (try destination(&dice), dice.pick([Transport.tcp, .udp]))
                let (inA, inB) = (a.contains(transport, to), b.contains(transport, to))
                #expect(union.contains(transport, to) == (inA || inB))
                #expect(common.contains(transport, to) == (inA && inB))
                #expect(rest.contains(transport, to) == (inA && !inB))
                let printed = regions.contains { region in
                    region.transports.contains(transport) && region.portSet.contains(to.port)
                        && region.prefixes.contains { prefix in to.address.map(prefix.contains) ?? false }
                }
                #expect(printed == (inA || inB), "\(transport) \(to) \(regions)")
            }
        }
    }

    @Test("Prefixes that lie in each other make the same set as the outer one, and the whole line is one prefix")
    func nested() throws {
        let outer = FlowSpace(prefixes: [PlanSample.prefix("10.0.0.0/8")])
        #expect(outer == FlowSpace(prefixes: ["10.1.0.0/16", "10.0.0.0/8", "10.255.255.255"].map(PlanSample.prefix)))
        #expect(FlowSpace.all.regions.map(\.description) == ["tcp+udp any to 0.0.0.0/0", "tcp+udp any to ::/0"])
        #expect(outer.complement.complement.regions.map(\.description) == ["tcp+udp any to 10.0.0.0/8"])
        let highest = PlanSample.prefix("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
        #expect(FlowSpace(prefixes: [highest]).regions.first?.prefixes == [highest])
    }

    @Test("A destination by name is in a set when some address at its port is")
    func name() throws {
        let space = FlowSpace(prefixes: [PlanSample.prefix("10.0.0.0/8")], ports: PortSet([443...443]))
        let name = Host.name(try #require(HostName("a.example")))
        #expect(space.contains(.tcp, Endpoint(host: name, port: 443)))
        #expect(!space.contains(.tcp, Endpoint(host: name, port: 80)))
    }

    @Test("What a kernel sees of a condition lies around and within what the condition says")
    func views() throws {
        var dice = PlanDice(3)
        var exact = 0
        for _ in 0..<2_000 {
            let condition = dice.condition()
            let view = KernelView(condition, by: .transparent)
            if view.may == view.must { exact += 1 }
            for _ in 0..<10 {
                let facts = dice.facts(dice.destination(), dice.dice.pick([.tcp, .udp]), .transparent)
                for stage in [Awaited.early, .final] {
                    let truth = condition.truth(facts, stage)
                    if !view.may.contains(facts.transport, facts.destination) { #expect(truth == .no, "\(condition)") }
                    if view.must.contains(facts.transport, facts.destination) { #expect(truth == .yes, "\(condition)") }
                }
            }
        }
        #expect(exact > 500)
    }
}

extension UInt16 {
    fileprivate static func allCases(to last: UInt16) -> [UInt16] { Array(0...last) }
}
