// SPDX-License-Identifier: Apache-2.0

// curl as a client, with and without Weir.

import Foundation

/// How a client reaches Weir.
public enum Route: String, Sendable, CaseIterable {
    /// An HTTP proxy: CONNECT for https, absolute form for http.
    case http
    /// SOCKS5 with the name sent to Weir.
    case socks5h
    /// SOCKS5 with the address looked up by the client.
    case socks5
    /// Not through Weir.
    case direct

    func options(_ port: UInt16) -> [String] {
        switch self {
        case .http: return ["--proxy", "http://127.0.0.1:\(port)"]
        case .socks5h: return ["--proxy", "socks5h://127.0.0.1:\(port)"]
        case .socks5: return ["--proxy", "socks5://127.0.0.1:\(port)"]
        case .direct: return ["--noproxy", "*"]
        }
    }
}

/// What curl had to say.
public struct CurlResult: Sendable {
    /// curl's own exit status.
    public var exit: Int
    /// The last status of HTTP; 0 when there was none.
    public var status: Int
    /// The status of the proxy's answer to CONNECT; 0 when there was none.
    public var connectStatus: Int
    public var body: [UInt8]
    /// All header blocks as they came.
    public var headers: String
    public var errors: String
    /// How many connections curl made.
    public var connections: Int

    public var text: String { String(decoding: body, as: UTF8.self) }
}

/// Runs curl quietly, with the given trust.
public func curl(
    _ arguments: [String], route: Route, port: UInt16 = 0, trust: String, input: [UInt8] = [],
    within seconds: Double = 60
) throws -> CurlResult {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let marker = "\n--curl--"
    let report = "%{stderr}\(marker) %{http_code} %{http_connect} %{num_connects}"
    let fixed = ["--disable", "--silent", "--show-error", "--max-time", "\(Int(seconds))", "--cacert", trust]
    let files = ["--dump-header", folder("headers"), "--write-out", report]
    let result = try Program("curl", fixed + route.options(port) + files + arguments)
        .run(input: input, within: seconds + 5)
    // A report for each URL; the sum of the connections and the last statuses count.
    let reports = result.errors.components(separatedBy: marker).dropFirst()
        .map { $0.split(whereSeparator: \.isWhitespace).prefix(3).map { Int($0) ?? 0 } }
        .filter { $0.count == 3 }
    return CurlResult(
        exit: result.status,
        status: reports.last?[0] ?? 0,
        connectStatus: reports.map { $0[1] }.max() ?? 0,
        body: result.output,
        headers: String(decoding: TemporaryFolder.read(folder("headers")) ?? [], as: UTF8.self),
        errors: result.errors.components(separatedBy: marker).first ?? "",
        connections: reports.reduce(0) { $0 + $1[2] })
}
