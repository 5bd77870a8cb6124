// SPDX-License-Identifier: Apache-2.0

// Every number that bounds what app and extension say to each other.

public import FlowModel

/// The limits of the control channel.
public enum MacControlLimits {
    public static let message = Limit(
        "control.message", 256 * 1024, .bytes, metric: "limit_control_message_total",
        "A request or an answer; a longer request is refused unread, a longer answer carries fewer events.")
    public static let events = Limit(
        "control.events", 200, .count, metric: "limit_control_events_total",
        "Events in one answer; the next page is asked for with the time of the last.")
    public static let reasons = Limit(
        "control.reasons", 100, .count, metric: "limit_control_reasons_total",
        "Reasons of bypasses in one answer, those that count most.")
    public static let text = Limit(
        "control.text", 512, .bytes, metric: "limit_control_text_total",
        "A text in an answer; the rest is cut off. Of a request no text comes back longer than this.")
    public static let wait = Limit(
        "control.wait", 5_000, .milliseconds, metric: "limit_control_wait_total",
        "How long the app waits for an answer; then the extension counts as hung.")
    public static let pause = Limit(
        "control.pause", 24 * 60 * 60, .seconds, metric: "limit_control_pause_total",
        "The longest pause; a pause until some day is an off, and needs to be said so.")
    public static let requests = Limit(
        "control.requests", 16, .count, metric: "limit_control_requests_total",
        "Requests that are answered at a time, of all peers; one more is told to come again.")

    public static let all = [message, events, reasons, text, wait, pause, requests]
}
