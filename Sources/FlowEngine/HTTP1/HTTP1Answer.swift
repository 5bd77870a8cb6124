// SPDX-License-Identifier: Apache-2.0

// The small responses that Weir gives in its own name.

import FlowModel
import NIOCore

/// A response of Weir itself: a page for people, JSON for programs, and the id of the flow for both.
struct HTTP1Answer: Sendable {
    /// An HTTP status; one that is not listed below is sent as 502.
    let status: Int
    /// Stable, for example `rule` or `both-lengths`.
    let code: String
    /// One sentence that says what happened, and what to do where something can be done; never content of the flow.
    let sentence: String
    let flow: FlowID

    init(status: Int, reason: Reason, flow: FlowID) {
        self.status = HTTP1Answer.phrases[status] == nil ? 502 : status
        code = reason.code
        sentence = reason.detail
        self.flow = flow
    }

    /// The answer to a message that broke the rules.
    init(_ refusal: HTTP1Refusal, flow: FlowID) {
        self.init(
            status: refusal.status, reason: Reason(refusal.code.rawValue, refusal.sentence), flow: flow)
    }

    private static let phrases = [
        400: "Bad Request", 403: "Forbidden", 414: "URI Too Long", 417: "Expectation Failed",
        431: "Request Header Fields Too Large", 501: "Not Implemented", 502: "Bad Gateway", 504: "Gateway Timeout",
        505: "HTTP Version Not Supported",
    ]

    /// The bytes to send in answer to `request`, or when no request could be read.
    ///
    /// The connection is to be closed after them.
    func bytes(answering request: HTTP1Head?) -> ByteBuffer {
        let phrase = HTTP1Answer.phrases[status] ?? "Bad Gateway"
        let wantsPage = request.map(HTTP1Answer.acceptsHTML) ?? false
        let body = wantsPage ? page(phrase) : json
        let type = wantsPage ? "text/html; charset=utf-8" : "application/json"
        var buffer = ByteBuffer(
            string: """
                HTTP/1.1 \(status) \(phrase)\r
                Content-Type: \(type)\r
                Content-Length: \(body.utf8.count)\r
                Cache-Control: no-store\r
                Weir-Event: \(flow)\r
                Connection: close\r
                \r\n
                """)
        if request?.method != "HEAD" { buffer.writeString(body) }
        return buffer
    }

    private static func acceptsHTML(_ request: HTTP1Head) -> Bool {
        request.values(of: "accept").contains { request.text($0.valueRange).lowercased().contains("text/html") }
    }

    private var json: String {
        """
        {"error":{"status":\(status),"code":"\(HTTP1Answer.jsonText(code))",\
        "message":"\(HTTP1Answer.jsonText(sentence))","event":"\(flow)"}}

        """
    }

    private func page(_ phrase: String) -> String {
        let title = status == 403 ? "Weir stopped this request" : "Weir could not pass this request on"
        return """
            <!doctype html>
            <html lang="en"><meta charset="utf-8"><title>\(status) \(phrase)</title>
            <style>body{font:1em/1.5 system-ui,sans-serif;max-width:38em;margin:4em auto;padding:0 1em}</style>
            <h1>\(title)</h1>
            <p>\(HTTP1Answer.htmlText(sentence))</p>
            <p>To ask about it, give this number: <code>\(flow)</code> (<code>\(HTTP1Answer.htmlText(code))</code>).</p>
            </html>

            """
    }

    private static func htmlText(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func jsonText(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: escaped += "\\\""
            case 0x5c: escaped += "\\\\"
            // Angle brackets too, so that a browser that guesses types finds no page in it.
            case ..<0x20, 0x3c, 0x3e, 0x7f:
                let digits = String(scalar.value, radix: 16)
                escaped += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
