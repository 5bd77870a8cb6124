// SPDX-License-Identifier: Apache-2.0

// ASN.1 taken apart and put together again, so that one part of a real signature can be changed, added or taken out.

@testable import CodeIdentity

/// A value of BER, written as DER.
indirect enum DERTree: Equatable {
    case primitive(UInt8, [UInt8])
    case constructed(UInt8, [DERTree])

    /// Reads the one value that `bytes` is; nil for anything else, such as a tag of more than one byte.
    init?(_ bytes: some Collection<UInt8>) {
        var rest = Array(bytes)[...]
        guard let value = Self.read(&rest), rest.isEmpty else { return nil }
        self = value
    }

    private static func read(_ rest: inout ArraySlice<UInt8>) -> DERTree? {
        guard let tag = rest.popFirst(), tag & 0x1f != 0x1f, let first = rest.popFirst() else { return nil }
        if first == 0x80 {
            var children: [DERTree] = []
            while !rest.starts(with: [0, 0]) {
                guard let child = read(&rest) else { return nil }
                children.append(child)
            }
            rest = rest.dropFirst(2)
            return .constructed(tag, children)
        }
        var count = Int(first)
        if first > 0x80 {
            guard first < 0x85, rest.count >= Int(first) - 0x80 else { return nil }
            count = rest.prefix(Int(first) - 0x80).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(Int(first) - 0x80)
        }
        guard count <= rest.count else { return nil }
        var content = rest.prefix(count)
        rest = rest.dropFirst(count)
        guard tag & 0x20 != 0 else { return .primitive(tag, Array(content)) }
        var children: [DERTree] = []
        while !content.isEmpty {
            guard let child = read(&content) else { return nil }
            children.append(child)
        }
        return .constructed(tag, children)
    }

    var encoded: [UInt8] {
        switch self {
        case .primitive(let tag, let content): DERWriter.value(tag, content)
        case .constructed(let tag, let children): DERWriter.value(tag, children.flatMap(\.encoded))
        }
    }

    var children: [DERTree] {
        get { if case .constructed(_, let children) = self { children } else { [] } }
        set { if case .constructed(let tag, _) = self { self = .constructed(tag, newValue) } }
    }

    /// The octets of a primitive value.
    var content: [UInt8] {
        get { if case .primitive(_, let content) = self { content } else { [] } }
        set { if case .primitive(let tag, _) = self { self = .primitive(tag, newValue) } }
    }

    var tag: UInt8 {
        switch self {
        case .primitive(let tag, _), .constructed(let tag, _): tag
        }
    }

    subscript(_ path: Int...) -> DERTree {
        get { path.reduce(self) { $0.children[$1] } }
        set { replace(path[...], newValue) }
    }

    private mutating func replace(_ path: ArraySlice<Int>, _ value: DERTree) {
        guard let first = path.first else {
            self = value
            return
        }
        children[first].replace(path.dropFirst(), value)
    }
}

/// A SignedData taken apart (RFC 5652 5.1).
struct CMSTree {
    var root: DERTree

    init?(_ bytes: some Collection<UInt8>) {
        guard let root = DERTree(bytes) else { return nil }
        self.root = root
    }

    /// In the order of the SET.
    var certificates: [DERTree] {
        get { root[1, 0, 3].children }
        set { root[1, 0, 3].children = newValue }
    }

    /// version, sid, digestAlgorithm, [0] attributes, signatureAlgorithm, signature, [1] unsigned attributes.
    var signer: DERTree {
        get { root[1, 0, root[1, 0].children.count - 1, 0] }
        set { root[1, 0, root[1, 0].children.count - 1, 0] = newValue }
    }

    var signedAttributes: [DERTree] {
        get { signer[3].children }
        set { signer[3].children = newValue }
    }

    var signature: [UInt8] {
        get { signer[5].content }
        set { signer[5].content = newValue }
    }

    /// Those that no signature covers.
    var unsignedAttributes: [DERTree] {
        get { signer.children.count > 6 ? signer[6].children : [] }
        set {
            signer.children = Array(signer.children.prefix(6))
            if !newValue.isEmpty { signer.children.append(.constructed(0xa1, newValue)) }
        }
    }

    /// The place of a signed attribute.
    func attribute(_ type: [UInt8]) -> Int? { signedAttributes.firstIndex { $0[0].content == type } }

    /// The timestamp's own SignedData.
    var timestamp: CMSTree? {
        get {
            unsignedAttributes.first { $0[0].content == ObjectIdentifiers.timestampToken }
                .flatMap { CMSTree($0[1, 0].encoded) }
        }
        set {
            guard let newValue else {
                unsignedAttributes.removeAll { $0[0].content == ObjectIdentifiers.timestampToken }
                return
            }
            for index in unsignedAttributes.indices
            where unsignedAttributes[index][0].content == ObjectIdentifiers.timestampToken {
                unsignedAttributes[index][1, 0] = newValue.root
            }
        }
    }
}
