// SPDX-License-Identifier: Apache-2.0

// One question over plain HTTP, as captive networks and revocation servers are asked.

import FlowModel

enum PlainProbe {
    struct Answer {
        let status: Int
        let body: [UInt8]
    }

    /// Asks in HTTP/1.0, so that the answer ends with the connection; reads `doctor.answer` bytes at most.
    static func ask(
        _ method: String, _ target: String, of endpoint: Endpoint, until deadline: ProbeDeadline
    ) throws(ProbeProblem) -> Answer {
        let socket = try ProbeSocket(to: endpoint, .tcp, until: deadline)
        let host = endpoint.port == 80 ? endpoint.host.description : endpoint.description
        let head = "\(method) \(target) HTTP/1.0\r\nHost: \(host)\r\nConnection: close\r\n\r\n"
        try socket.send(Array(head.utf8), until: deadline)
        var bytes: [UInt8] = []
        while bytes.count < DoctorLimits.answer.value {
            do throws(ProbeProblem) {
                let more = try socket.receive(atMost: 16 * 1024, until: deadline)
                if more.isEmpty { break }
                bytes += more
            } catch {
                // Some servers do not end the connection; what they have said counts.
                if bytes.isEmpty { throw error }
                break
            }
        }
        return try read(bytes)
    }

    /// Reads an answer: `HTTP/1.x NNN`, fields, an empty line, the body.
    private static func read(_ bytes: [UInt8]) throws(ProbeProblem) -> Answer {
        let line = bytes.prefix { $0 != 0x0d && $0 != 0x0a }
        let words = line.split(separator: 0x20, maxSplits: 2)
        guard line.starts(with: "HTTP/1.".utf8), words.count >= 2, words[1].count == 3,
            let status = Int(String(decoding: words[1], as: UTF8.self))
        else { throw ProbeProblem(text: bytes.isEmpty ? "an end instead of an answer" : "no answer of HTTP/1") }
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0a) {
            let field = rest[..<end]
            rest = rest[(end + 1)...]
            if field.isEmpty || field.elementsEqual([0x0d]) { return Answer(status: status, body: Array(rest)) }
        }
        return Answer(status: status, body: [])
    }
}
