// SPDX-License-Identifier: Apache-2.0

// Looks for bundles that trap the reader, with and without a signature in the way, or whose files cannot all be found.

@_spi(Fuzzing) import FlowPolicy

/// Reads it past the signature; a crash is how libFuzzer learns of a failing case.
private func check(_ bytes: [UInt8]) {
    guard let bundle = try? PolicyBundle.readUnsigned(bytes) else { return }
    let sizes = bundle.contents.map(\.bytes).reduce(0, +)
    guard sizes < bytes.count else { fatalError("more content than bytes") }
    guard bundle.document.name == bundle.contents.first?.path else { fatalError("the first file is not the document") }
    for (path, size) in bundle.contents {
        // Named from the root, so that the path is the whole way.
        guard let file = try? bundle.files.text(of: path, namedBy: "x"), file.text.utf8.count == size, file.name == path
        else { fatalError("a file that is listed is not there") }
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    // Nothing that libFuzzer makes is signed.
    if (try? PolicyBundle.read(bytes, trusting: [])) != nil { fatalError("taken without a trusted key") }
    check(bytes)
    return 0
}
