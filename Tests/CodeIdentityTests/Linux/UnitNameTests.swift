// SPDX-License-Identifier: Apache-2.0

// Names of units.

import Testing

@testable import CodeIdentity

@Suite("UnitName") struct UnitNameTests {
    @Test("A name is taken apart")
    func parts() throws {
        let plain = try #require(UnitName("dbus-org.x.service"))
        #expect(plain.prefix == "dbus-org.x" && plain.instance == nil && plain.type == "service")
        #expect(plain.template == nil)
        let instance = try #require(UnitName("getty@tty@1.service"))
        #expect(instance.prefix == "getty" && instance.instance == "tty@1")
        #expect(instance.template == "getty@.service")
        #expect(UnitName("getty@.service")?.template == nil)
    }

    @Test(
        "What is no unit name is none",
        arguments: [
            "", "service", ".service", "@a.service", "a.conf", "a b.service", "a/b.service", "é.service",
            String(repeating: "a", count: 255) + ".scope",
        ])
    func refused(_ text: String) { #expect(UnitName(text) == nil) }

    @Test("Drop-ins apply by name, template, prefix at each dash, and type")
    func dropIns() {
        #expect(
            UnitName("foo-bar-baz.service")?.dropInNames == [
                "foo-bar-baz.service", "foo-bar-.service", "foo-.service", "service",
            ])
        #expect(
            UnitName("a-b@c.service")?.dropInNames
                == ["a-b@c.service", "a-b@.service", "a-@c.service", "a-@.service", "service"])
        #expect(UnitName("user-.slice")?.dropInNames == ["user-.slice", "slice"])
        #expect((UnitName(String(repeating: "-", count: 200) + ".service")?.dropInNames.count ?? 99) <= 34)
    }

    @Test("Escapes are read back, and what is none stays")
    func escapes() {
        #expect(UnitName.unescaped("deb\\x2dsid") == "deb-sid")
        #expect(UnitName.unescaped("a\\x2") == "a\\x2")
        #expect(UnitName.unescaped("a\\xzz\\") == "a\\xzz\\")
    }
}
