// SPDX-License-Identifier: Apache-2.0

// Every number that bounds the engine.

public import FlowModel
import NIOCore

/// The limits of `FlowEngine`.
public enum EngineLimits {
    public static let classifyBytes = Limit(
        "classify.bytes", 24 * 1024, .bytes, metric: "limit_classify_bytes_total",
        "A ClientHello with post-quantum key shares is about 2 KiB; beyond this the flow is not TLS or HTTP to us.")
    public static let classifyWait = Limit(
        "classify.wait", 250, .milliseconds, metric: "limit_classify_wait_total",
        "How long an application may stay silent before the origin is dialled although a name could decide the verdict."
    )
    public static let blockedWait = Limit(
        "classify.blocked-wait", 10_000, .milliseconds, metric: "limit_blocked_wait_total",
        "How long a blocked application, which may wait for a server to speak first, has to show what it would understand."
    )
    public static let heldInput = Limit(
        "http1.held-input", 64 * 1024, .bytes, metric: "limit_held_input_total",
        "Bytes of a next request read while an answer is under way; beyond it the application is not read.")
    public static let candidateWait = Limit(
        "inspect.candidate-wait", 15, .milliseconds, metric: "deadline_releases_total",
        "Silence after which a held candidate is let go, so that an interactive stream does not stall.")
    public static let codedHoldBytes = Limit(
        "inspect.coded-hold", 64 * 1024, .bytes, metric: "limit_coded_hold_bytes_total",
        "A coded body up to this size leaves as its original bytes when clean; a larger one is coded anew throughout.")
    public static let codedHoldPlain = Limit(
        "inspect.coded-hold-plain", 1024 * 1024, .bytes, metric: "limit_coded_hold_plain_total",
        "Decoded bytes held at the same time; beyond it the body is coded anew throughout.")
    public static let codedHoldWait = Limit(
        "inspect.coded-hold-wait", 50, .milliseconds, metric: "limit_coded_hold_wait_total",
        "How long a coded body may be held before it is coded anew throughout.")
    public static let lingerWait = Limit(
        "close.linger", 2_000, .milliseconds, metric: "limit_linger_total",
        "After an answer of ours the rest of the request is read and dropped this long, so that a reset cannot overtake it."
    )
    public static let halfClosedWait = Limit(
        "close.half-closed", 30_000, .milliseconds, metric: "limit_half_closed_total",
        "How long an application may keep its side open after the origin has ended a finished HTTP conversation.")
    public static let flows = Limit(
        "flows", 16_384, .count, metric: "limit_flows_total",
        "Flows at a time; beyond it, or beyond a third of the descriptors, connections wait in the backlog.")

    /// All of them, with those of HTTP/1 and TLS.
    public static let all =
        [
            classifyBytes, classifyWait, blockedWait, heldInput, candidateWait, codedHoldBytes, codedHoldPlain,
            codedHoldWait, lingerWait, halfClosedWait, flows,
        ] + HTTP1Limits.all + TLSLimits.all
}

extension Limit {
    /// The limit as a span of NIO time.
    var timeAmount: TimeAmount {
        unit == .milliseconds ? .milliseconds(Int64(value)) : .seconds(Int64(value))
    }
}
