// SPDX-License-Identifier: Apache-2.0

// Small systems to take inventories of.

import Crypto
import FlowModel
import Synchronization

@testable import CodeIdentity

/// A macOS volume in memory, with signed programs whose root stands for Apple's.
final class MacVolume {
    var tree = MemoryTree()
    private(set) var appleRoots: Set<[UInt8]> = []

    static let daemon = "usr/libexec/clockd"
    static let xpc = "System/Library/Frameworks/Clock.framework/Versions/A/XPCServices/tick.xpc"

    init() {
        tree.nodes["System/Library/CoreServices/SystemVersion.plist"] = plist([
            "ProductName": .string("macOS"), "ProductVersion": .string("26.1"), "ProductBuildVersion": .string("25B78"),
        ])
        add(Self.daemon, apple("com.example.clockd"))
        add("bin/sh", apple("com.example.sh"))
        add("usr/lib/dyld", apple("com.example.dyld", fileType: 7))
        add("usr/lib/libclock.dylib", apple("com.example.libclock", fileType: 6))
        add("Library/Tools/agent", adHoc("org.third.agent"))
        job("System/Library/LaunchDaemons/com.example.clockd.plist", "com.example.clockd", ["/usr/libexec/current"])
        tree.nodes["usr/libexec/current"] = .symbolicLink("/usr/libexec/clockd")
        job("Library/LaunchDaemons/org.third.plist", "org.third", ["/bin/sh", "-c", "x"])
        job("Library/LaunchAgents/org.third.agent.plist", "org.third.agent", ["/Library/Tools/agent"])
        let info = PropertyListWriter.document(
            PropertyListWriter.xml(
                .dictionary([
                    "CFBundleExecutable": .string("tick"), "CFBundleIdentifier": .string("com.example.tick"),
                    "CFBundlePackageType": .string("XPC!"),
                ])))
        tree.nodes[Self.xpc + "/Contents/Info.plist"] = .file(info)
        add(Self.xpc + "/Contents/MacOS/tick", apple("com.example.tick", infoPlist: info))
    }

    func add(_ path: String, _ bytes: [UInt8]) { tree.nodes[path] = .file(bytes, isExecutable: true) }

    func job(_ path: String, _ label: String, _ arguments: [String]) {
        tree.nodes[path] = plist([
            "Label": .string(label), "ProgramArguments": .array(arguments.map { .string($0) }),
        ])
    }

    func take(_ folders: [String] = []) throws -> Inventory {
        try InventoryTaker(
            tree: tree, vouching: nil, examiner: CodeExaminer(appleRoots: appleRoots, now: 1_795_000_000)
        ).take(folders: folders)
    }

    /// A program that is signed as Apple's own software is.
    func apple(
        _ identifier: String, fileType: UInt32 = 2, code: Int = 9000, infoPlist: [UInt8]? = nil
    ) -> [UInt8] {
        sign(.appleSoftware(), identifier, fileType: fileType, code: code, infoPlist: infoPlist)
    }

    func sign(
        _ signer: SyntheticSigner, _ identifier: String, team: String? = nil, fileType: UInt32 = 2, code: Int = 9000,
        infoPlist: [UInt8]? = nil
    ) -> [UInt8] {
        var slice = SyntheticSlice(fileType: fileType, codeSize: code, infoPlist: infoPlist)
        slice.directories = [SyntheticDirectory(flags: [], identifier: identifier, team: team)]
        slice.signaturePadding = 256
        let roots = Mutex<Set<[UInt8]>>([])
        slice.cms = { made in
            let digests = [SyntheticDirectories.digest(made[0], slot: 0, .sha256)].compactMap(\.self)
            guard let signed = try? signer.sign(SyntheticDirectories(slotZero: made[0], digests: digests)) else {
                return []
            }
            roots.withLock { $0.formUnion(signed.appleRoots) }
            return signed.cms
        }
        let bytes = slice.bytes()
        appleRoots.formUnion(roots.withLock { $0 })
        return bytes
    }

    func adHoc(_ identifier: String, code: Int = 9000) -> [UInt8] {
        SyntheticSlice(codeSize: code, directories: [SyntheticDirectory(identifier: identifier)]).bytes()
    }

    private func plist(_ entries: [String: PropertyListValue]) -> MemoryTree.Node {
        .file(PropertyListWriter.document(PropertyListWriter.xml(.dictionary(entries))))
    }
}

#if os(Linux)
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A Debian system on disk, as small as can be: one package with programs and units.
final class DebianSystem {
    let scratch: ScratchFolder
    private var digests: [String: String] = [:]

    init() throws {
        scratch = try ScratchFolder()
        for folder in [
            "usr", "usr/bin", "usr/sbin", "usr/lib", "usr/lib/systemd", "usr/lib/systemd/system", "etc", "etc/systemd",
            "etc/systemd/system", "etc/systemd/system/daemon.service.d", "etc/init.d", "var", "var/lib", "var/lib/dpkg",
            "var/lib/dpkg/info",
        ] { scratch.folder(folder) }
        for name in ["bin", "sbin", "lib"] { scratch.link(name, to: "usr/" + name) }
        scratch.file("usr/lib/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n")
        scratch.link("etc/os-release", to: "../usr/lib/os-release")
        packaged("usr/sbin/daemond", Self.elf("daemon"), 0o755)
        packaged("usr/bin/tool", Self.elf("tool"), 0o755)
        packaged("usr/bin/su", Self.elf("su"), 0o4755)
        packaged("usr/bin/report", "#!/usr/bin/env -S VAR=1 python3 -u\nprint()\n", 0o755)
        packaged("usr/bin/library.so", Self.elf("library", type: 3), 0o755)
        packaged("usr/bin/plain", Self.elf("plain"), 0o644)
        packaged("usr/lib/systemd/system/daemon.service", "[Service]\nExecStart=-daemond --x\n")
        packaged("usr/lib/systemd/system/user@.service", "[Service]\nExecStart=/bin/tool %i\n")
        scratch.file("etc/systemd/system/own.service", "[Service]\nExecStart=/usr/bin/tool\nExecStop=/etc/init.d/own\n")
        scratch.file("etc/init.d/own", "#!/bin/sh\n", 0o755)
        scratch.link("etc/systemd/system/alias.service", to: "/lib/systemd/system/daemon.service")
        scratch.link("etc/systemd/system/masked.service", to: "/dev/null")
    }

    /// A 64-bit ELF file without program headers, padded with a text.
    static func elf(_ text: String, type: UInt8 = 2) -> String {
        var header = [UInt8](repeating: 0, count: 64)
        header.replaceSubrange(0..<6, with: [0x7f, 0x45, 0x4c, 0x46, 2, 1])
        header[16] = type
        return String(decoding: header, as: UTF8.self) + text
    }

    /// Writes a file as its package brings it.
    func packaged(_ path: String, _ content: String, _ mode: mode_t = 0o644) {
        scratch.file(path, content, mode)
        digests[path] = Insecure.MD5.hash(data: Array(content.utf8)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    func take(_ folders: [String] = [], bounds: InventoryTaker.Bounds = .init()) throws -> Inventory {
        let paths = digests.keys.sorted()
        scratch.file("var/lib/dpkg/status", entry("tool"))
        scratch.file("var/lib/dpkg/info/tool.list", paths.map { "/\($0)\n" }.joined())
        scratch.file("var/lib/dpkg/info/tool.md5sums", paths.map { "\(digests[$0] ?? "")  \($0)\n" }.joined())
        let tree = try FolderTree(scratch.path)
        var taker = InventoryTaker(
            tree: tree, vouching: try Voucher(root: scratch.path), examiner: CodeExaminer(now: 1_795_000_000))
        taker.bounds = bounds
        return try taker.take(folders: folders)
    }

    /// The packages of the system; whoever runs the tests stands for root.
    private struct Voucher: ProgramVouching {
        let packages: InstalledPackages
        let root: RootFolder

        init(root folder: String) throws(CodeProblem) {
            packages = try InstalledPackages(root: folder)
            root = try RootFolder(folder)
        }

        func claim(path: String, source: any ByteSource, key: FileKey) -> (claim: PackageClaim?, sha256: [UInt8]?) {
            packages.claim(path: path, source: source, key: key)
        }

        func isRootOwnedChain(path: String) -> Bool { OwnedPathChain(trusting: getuid()).check(path, in: root).owned }
    }
}

extension ScratchFolder {
    var isRoot: Bool { getuid() == 0 }

    func pipe(_ name: String) { mkfifo("\(path)/\(name)", 0o755) }

    /// Makes a program whose name is a single byte that is not UTF-8.
    func nameless(_ folder: String) { close(open(namelessPath(folder), O_CREAT | O_WRONLY, 0o755)) }

    func removeNameless(_ folder: String) { unlink(namelessPath(folder)) }

    private func namelessPath(_ folder: String) -> [CChar] {
        Array("\(path)/\(folder)/".utf8CString.dropLast()) + [-1, 0]
    }

    func unlock(_ name: String) { chmod("\(path)/\(name)", 0o755) }
}
#endif
