// SPDX-License-Identifier: Apache-2.0

// Every number that bounds the life of the provider.

public import FlowModel

extension AppleIntakeLimits {
    public static let servicesWait = Limit(
        "apple.provider.services-wait", 20_000, .milliseconds, metric: "limit_provider_services_wait_total",
        "Making what the provider works with; after it the start fails, and what comes later is freed.")
    public static let rulesWait = Limit(
        "apple.provider.rules-wait", 10_000, .milliseconds, metric: "limit_provider_rules_wait_total",
        "The system's answer to new rules; after it a start fails, and later the rules before count as in force.")
    public static let endWait = Limit(
        "apple.provider.end-wait", 2_000, .milliseconds, metric: "limit_provider_end_wait_total",
        "Ending flows and freeing what they used: the system wants to hear soon that the provider has stopped.")
    public static let messageBytes = Limit(
        "apple.provider.message", 4096, .bytes, metric: "limit_provider_message_total",
        "An app message; requests have less than a hundred bytes, and a larger one is refused unread.")
    public static let messagesAtOnce = Limit(
        "apple.provider.messages", 16, .count, metric: "limit_provider_messages_total",
        "App messages that are being answered; one more is told to ask again.")

    static let provider: [Limit] = [servicesWait, rulesWait, endWait, messageBytes, messagesAtOnce]
}

/// How long the provider waits for others; tests choose shorter.
struct ProviderWaits: Sendable {
    var services = Duration.milliseconds(AppleIntakeLimits.servicesWait.value)
    var rules = Duration.milliseconds(AppleIntakeLimits.rulesWait.value)
    var end = Duration.milliseconds(AppleIntakeLimits.endWait.value)
}
