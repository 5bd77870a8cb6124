// SPDX-License-Identifier: Apache-2.0

// Which system a machine runs: what changes with an update of it.

internal import FlowModel

/// A system as it is installed: another build is another system, whose network may behave otherwise.
public struct SystemBuild: Hashable, Sendable, CustomStringConvertible {
    /// `macos` or `linux`.
    public let system: CatalogueSystem
    /// The numbers of the version: of macOS, or of the kernel of Linux.
    public let version: [Int]
    /// Apple's name of the build (`25D125`), or the release of the kernel.
    public let identifier: String
    /// The whole of it, for people; two builds are the same when this is.
    public let description: String

    /// A build of macOS, from `kern.osproductversion` and `kern.osversion`.
    public static func macOS(version: String, build: String) -> SystemBuild {
        SystemBuild(
            system: .macos, version: numbers(of: version), identifier: bounded(build),
            description: bounded("macOS \(version) (\(build))"))
    }

    /// A Linux system, from its `os-release` (os-release(5)) and the release of its kernel (uname(2)).
    ///
    /// A file without the fields it should have leaves the kernel alone to tell builds apart.
    public static func linux(osRelease: String, kernel: String) -> SystemBuild {
        let fields = fields(of: osRelease)
        let release = fields["VERSION"] ?? fields["VERSION_ID"] ?? fields["BUILD_ID"]
        let name = [fields["NAME"] ?? fields["ID"] ?? "Linux", release].compactMap { $0 }.joined(separator: " ")
        return SystemBuild(
            system: .linux, version: numbers(of: kernel), identifier: bounded(kernel),
            description: bounded("\(name), kernel \(kernel)"))
    }

    /// The leading numbers of a version: 6, 18, 44 of `6.18.44-1-amd64`.
    static func numbers(of text: some StringProtocol) -> [Int] {
        let digits = text.prefix { "0"..."9" ~= $0 || $0 == "." }
        return digits.split(separator: ".").prefix(4).compactMap { Int($0) }
    }

    /// The lines `KEY=value` of a file that a shell could read; later ones win, as they would there.
    private static func fields(of text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in text.prefix(1 << 16).split(whereSeparator: \.isNewline) {
            guard let equals = line.firstIndex(of: "=") else { continue }
            var value = line[line.index(after: equals)...]
            if let quote = value.first, quote == "\"" || quote == "'", value.count > 1, value.last == quote {
                value = value.dropFirst().dropLast()
            }
            fields[String(line[..<equals])] = value.isEmpty ? nil : String(value)
        }
        return fields
    }

    /// At most so many characters, and none that a terminal would act on.
    private static func bounded(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(PolicyLimits.systemName.value).filter { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
            default: true
            }
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
