// SPDX-License-Identifier: Apache-2.0

// What a system calls itself.

/// The name of a release, from `os-release` (os-release(5)) or `SystemVersion.plist`.
enum ReleaseName {
    static func read(_ files: VouchedTree) -> String {
        if let list = try? files.definition("/System/Library/CoreServices/SystemVersion.plist"),
            let version = try? PropertyList.read(list.bytes), let name = version["ProductName"]?.string
        {
            let number = version["ProductVersion"]?.string.map { " \($0)" } ?? ""
            let build = version["ProductBuildVersion"]?.string.map { " (\($0))" } ?? ""
            return (name + number + build).boundedForInventory.text
        }
        for path in ["/etc/os-release", "/usr/lib/os-release"] {
            if let file = try? files.definition(path), let name = prettyName(file.bytes) {
                return name.boundedForInventory.text
            }
        }
        return "a system without a name"
    }

    private static func prettyName(_ file: [UInt8]) -> String? {
        for line in file.split(separator: 0x0a) where line.starts(with: "PRETTY_NAME=".utf8) {
            let value = String(decoding: line.dropFirst("PRETTY_NAME=".utf8.count), as: UTF8.self)
            return String(value.drop { "\"'".contains($0) }.prefix { !"\"'".contains($0) })
        }
        return nil
    }
}
