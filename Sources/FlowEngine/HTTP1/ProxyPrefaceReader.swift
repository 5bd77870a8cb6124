// SPDX-License-Identifier: Apache-2.0

// What an HTTP client says to a proxy before a flow can begin: CONNECT, or a request in absolute form.

public import FlowModel
public import NIOCore

/// Reads the first request of a proxy's client, as far as it tells where to go.
///
/// Intakes use it, so that a proxy request is read by the same strict reader as everything after it.
public struct ProxyPrefaceReader: ~Copyable {
    public enum Answer {
        case needMore
        /// CONNECT: its head has been taken from the input.
        case connect(Endpoint)
        /// A request in absolute form; its head is still the front of the input.
        case absolute(Endpoint)
        /// Send these bytes and close.
        case refused(ByteBuffer)
    }

    private var reader = HTTP1HeadReader(.request)

    public init() {}

    /// Looks at `input`; `flow` names the attempt in a refusal.
    public mutating func read(_ input: inout ByteBuffer, flow: FlowID) -> Answer {
        switch reader.feed(&input) {
        case .needMore: return .needMore
        case .refused(let refusal): return .refused(HTTP1Answer(refusal, flow: flow).bytes(answering: nil))
        case .head(let head):
            do throws(HTTP1Refusal) {
                switch try HTTP1Target(head) {
                case .authority(let endpoint):
                    return .connect(endpoint)
                case .absolute(let target):
                    // The engine reads the head again, as the first of the connection's requests.
                    var again = head.raw
                    again.writeImmutableBuffer(input)
                    input = again
                    return .absolute(target.endpoint)
                case .origin, .asterisk:
                    let reason = Reason(
                        "not-a-proxy-request", "This is a proxy: name the origin in full, or use CONNECT.")
                    return .refused(HTTP1Answer(status: 400, reason: reason, flow: flow).bytes(answering: head))
                }
            } catch {
                return .refused(HTTP1Answer(error, flow: flow).bytes(answering: head))
            }
        }
    }

    /// What a proxy answers when a flow cannot be.
    public static func answer(to failure: ConnectFailure, flow: FlowID) -> ByteBuffer {
        let (status, sentence): (Int, String)
        switch failure {
        case .denied: (status, sentence) = (403, "Policy forbids this destination.")
        case .timedOut: (status, sentence) = (504, "The origin did not answer in time.")
        case .nameNotFound: (status, sentence) = (502, "The origin's name could not be resolved.")
        case .refused: (status, sentence) = (502, "The origin refused the connection.")
        case .unavailable: (status, sentence) = (502, "The proxy has no room, or would have called itself.")
        case .hostUnreachable, .networkUnreachable, .reset:
            (status, sentence) = (502, "The origin could not be reached.")
        }
        return HTTP1Answer(status: status, reason: Reason("origin-\(failure.rawValue)", sentence), flow: flow)
            .bytes(answering: nil)
    }
}
