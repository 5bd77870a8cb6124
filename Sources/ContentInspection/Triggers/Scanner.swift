// SPDX-License-Identifier: Apache-2.0

// Walks a stream from trigger to trigger and asks confirmers; keeps what an open question needs.

import FlowModel

/// One walk over a stream with some of the detectors.
///
/// There is a single cursor: all before it is decided, and a match moves it behind its end, so matches ascend and never
/// overlap. At an undecided candidate it stops and waits for more bytes.
struct Scanner {
    private let kinds: TriggerKinds
    private let isJSON: Bool
    /// The first byte that is not decided.
    private var cursor: Int
    /// Where the latest match ends, or the field began.
    private var floor: Int
    private var swallow: KeySwallow?
    /// The last bytes of the stream: from the cursor on, and `lookBehind` before it.
    private var kept: [UInt8] = []
    /// The first byte of a live candidate.
    private(set) var candidate: Int?

    init(_ kinds: TriggerKinds, from offset: Int, isJSON: Bool) {
        self.kinds = kinds
        self.isJSON = isJSON
        cursor = offset
        floor = offset
    }

    var isSwallowing: Bool { swallow != nil }

    /// Takes the bytes at `border`, where the last call ended; with `isLast` all is decided and a new field begins.
    mutating func feed(
        _ fresh: UnsafeBufferPointer<UInt8>, at border: Int, isLast: Bool, _ settlement: inout Settlement,
        into step: inout InspectionStep
    ) {
        // Moved out so that the window can borrow it while the cursor moves.
        var held: [UInt8] = []
        swap(&held, &kept)
        held.withUnsafeBufferPointer { held in
            let window = Window(kept: held, fresh: fresh, border: border, isLast: isLast)
            walk(window, &settlement, into: &step)
            candidate = isLast ? nil : openCandidate(window)
        }
        swap(&held, &kept)
        let end = border + fresh.count
        if isLast {
            kept.removeAll(keepingCapacity: true)
            cursor = end
            floor = end
        } else {
            keep(fresh, before: end)
        }
    }

    private mutating func keep(_ fresh: UnsafeBufferPointer<UInt8>, before end: Int) {
        let surplus = kept.count + fresh.count - (end - cursor) - ContentLimits.lookBehind.value
        if surplus >= kept.count {
            kept.removeAll(keepingCapacity: true)
            kept.append(contentsOf: fresh.suffix(end - cursor + ContentLimits.lookBehind.value))
        } else {
            if surplus > 0 { kept.removeFirst(surplus) }
            kept.append(contentsOf: fresh)
        }
    }

    /// The first byte that an undecided match could cover.
    private func openCandidate(_ window: Window) -> Int? {
        let undecided = cursor < window.end ? cursor : nil
        guard kinds.contains(.at), swallow == nil else { return undecided }
        // The local part of an address comes before its trigger.
        let isAt = undecided.flatMap { window.behind($0) }.map { $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "%") }
        let trigger = isAt == true ? cursor : window.end
        let local = EmailAddress.openLocalPart(before: trigger, floor: floor, in: window)
        return [undecided, local].compactMap { $0 }.min()
    }

    private mutating func walk(_ window: Window, _ settlement: inout Settlement, into step: inout InspectionStep) {
        while cursor < window.end || (swallow != nil && window.isLast) {
            if swallow != nil {
                guard swallowMore(window, &settlement, into: &step) else { return }
            } else if cursor >= window.border, window.end - cursor > TriggerKinds.unscanned {
                let base = cursor
                var isOpen = true
                let unseen = UnsafeBufferPointer(rebasing: window.fresh[(base - window.border)...])
                let scanned = kinds.scan(unseen) { offset in
                    guard base + offset >= cursor else { return true }
                    cursor = base + offset
                    isOpen = visit(window, &settlement, into: &step)
                    return isOpen && swallow == nil
                }
                guard isOpen else { return }
                if swallow == nil { cursor = max(cursor, base + scanned) }
            } else {
                guard visit(window, &settlement, into: &step) else { return }
            }
        }
    }

    /// Asks the confirmers about the cursor and moves it; false when they need more bytes.
    private mutating func visit(
        _ window: Window, _ settlement: inout Settlement, into step: inout InspectionStep
    ) -> Bool {
        do throws(Undecided) {
            if kinds.contains(.dashes), window.behind(cursor) == UInt8(ascii: "-") {
                if let key = try PrivateKey.confirm(at: cursor, in: window) {
                    let begun = KeySwallow(key, digestKey: settlement.plan.key)
                    settlement.begin(begun)
                    swallow = begun
                    cursor = key.body
                    return true
                }
            } else if let match = try match(window) {
                settlement.settle(match, into: &step)
                cursor = match.range.upperBound
                floor = cursor
                return true
            }
            cursor += 1
            return true
        } catch {
            return false
        }
    }

    private func match(_ window: Window) throws(Undecided) -> Match? {
        guard let byte = window.behind(cursor) else { return nil }
        if byte.isDigit {
            return kinds.contains(.digitRun) ? try PaymentCard.confirm(at: cursor, in: window, isJSON: isJSON) : nil
        }
        if byte == UInt8(ascii: "@") || byte == UInt8(ascii: "%") {
            return kinds.contains(.at) ? try EmailAddress.confirm(at: cursor, floor: floor, in: window) : nil
        }
        guard byte.isLetter else { return nil }
        if byte == UInt8(ascii: "g"), kinds.contains(.gh), let token = try GitHubToken.confirm(at: cursor, in: window) {
            return token
        }
        guard !kinds.isDisjoint(with: [.upperPair, .otherPair]), window.isBoundary(before: cursor),
            let next = try window.byte(cursor + 1),
            kinds.contains(byte.isUpper && next.isUpper ? .upperPair : .otherPair)
        else { return nil }
        return try IBAN.confirm(at: cursor, in: window)
    }

    /// Goes on in a private key; false when all that has come is swallowed.
    private mutating func swallowMore(
        _ window: Window, _ settlement: inout Settlement, into step: inout InspectionStep
    ) -> Bool {
        guard var key = swallow else { return true }
        var masked: [UInt8] = []
        let from = key.position
        let progress = key.advance(in: window, into: &masked)
        settlement.pass(from..<from + masked.count, masked: masked, into: &step)
        cursor = key.position
        swallow = key
        if progress == .more { return false }
        settlement.end(key, isComplete: progress == .complete, into: &step)
        swallow = nil
        floor = cursor
        return true
    }
}
