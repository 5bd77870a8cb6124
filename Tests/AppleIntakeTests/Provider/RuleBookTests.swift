// SPDX-License-Identifier: Apache-2.0

// Rules one after the other: every event in every state.

import FlowPolicy
import Testing

@testable import AppleIntake

@Suite("The book of rules")
struct RuleBookTests {
    /// A book that expectations can look at.
    final class Book {
        private var book = RuleBook<String>()
        var inForce: RuleLists? { book.inForce }
        var isCertain: Bool { book.isCertain }
        func awaits(_ order: Int) -> Bool { book.awaits(order) }
        @discardableResult func want(_ lists: RuleLists, _ waiter: String) -> RuleBook<String>.Action {
            book.want(lists, waiter)
        }
        @discardableResult func answered(_ order: Int, _ failure: ProviderFailure?) -> RuleBook<String>.Action {
            book.answered(order, failure)
        }
    }

    /// Rules that take one port.
    static func lists(_ port: UInt16) throws -> RuleLists {
        try RuleLists(included: [NetworkRule(address: "0.0.0.0", port: port, transport: .tcp)], excluded: [])
    }

    /// An action in words: `set 443`, `answer a,b: rules`.
    static func words(_ action: RuleBook<String>.Action) -> String {
        switch action {
        case .nothing: "–"
        case .set(let order):
            order.lists == .everythingExcluded
                ? "set everything excluded" : "set " + order.lists.included.map { "\($0.port)" }.joined()
        case .answer(let waiters, let failure):
            "answer \(waiters.joined(separator: ",")): \(failure?.code.rawValue ?? "in force")"
        }
    }

    private let refused = ProviderFailure(.rules, "")
    private let overdue = ProviderFailure(.rulesOverdue, "")

    @Test("Rules are set once, and whoever wants the same meanwhile joins")
    func joins() throws {
        let book = Book()
        #expect(Self.words(book.want(try Self.lists(443), "a")) == "set 443")
        #expect(Self.words(book.want(try Self.lists(443), "b")) == "–")
        #expect(Self.words(book.answered(1, nil)) == "answer a,b: in force")
        #expect(book.inForce == (try Self.lists(443)))
        #expect(Self.words(book.want(try Self.lists(443), "c")) == "answer c: in force")
    }

    @Test("While the system answers nothing more is set; then the latest, and what it overtook never is")
    func latestWins() throws {
        let book = Book()
        book.want(try Self.lists(1), "a")
        #expect(Self.words(book.want(try Self.lists(2), "b")) == "–")
        #expect(Self.words(book.want(try Self.lists(3), "c")) == "–")
        #expect(book.inForce == nil)
        #expect(Self.words(book.answered(1, nil)) == "set 3")
        #expect(book.inForce == (try Self.lists(1)))
        #expect(Self.words(book.answered(2, nil)) == "answer a,b,c: in force")
        #expect(book.inForce == (try Self.lists(3)))
    }

    @Test("Who comes back to what is being set needs no second setting")
    func backAgain() throws {
        let book = Book()
        book.want(try Self.lists(1), "a")
        book.want(try Self.lists(2), "b")
        book.want(try Self.lists(1), "c")
        #expect(Self.words(book.answered(1, nil)) == "answer a,b,c: in force")
    }

    @Test("Refused rules leave those before in force, and the next are set all the same")
    func refusal() throws {
        let book = Book()
        book.want(try Self.lists(1), "a")
        book.answered(1, nil)
        book.want(try Self.lists(2), "b")
        #expect(Self.words(book.answered(2, refused)) == "answer b: rules")
        #expect(book.inForce == (try Self.lists(1)))
        book.want(try Self.lists(2), "c")
        book.want(try Self.lists(3), "d")
        #expect(Self.words(book.answered(3, refused)) == "set 3")
        #expect(Self.words(book.answered(4, nil)) == "answer c,d: in force")
    }

    @Test("Where an empty list is refused everything is excluded, and that is as good as empty")
    func emptyRefused() throws {
        let book = Book()
        #expect(Self.words(book.want(.nothing, "a")) == "set ")
        #expect(Self.words(book.answered(1, refused)) == "set everything excluded")
        #expect(Self.words(book.want(.nothing, "b")) == "–")
        #expect(Self.words(book.answered(2, nil)) == "answer a,b: in force")
        #expect(Self.words(book.want(.nothing, "c")) == "answer c: in force")
        #expect(Self.words(book.want(try Self.lists(1), "d")) == "set 1")
    }

    @Test("Where even that is refused, whoever waits is told")
    func everythingRefused() {
        let book = Book()
        book.want(.nothing, "a")
        book.answered(1, refused)
        #expect(Self.words(book.answered(2, refused)) == "answer a: rules")
    }

    @Test("An answer that comes after its time changes nothing, and the next rules are set even if they are in force")
    func late() throws {
        let book = Book()
        book.want(try Self.lists(1), "a")
        book.answered(1, nil)
        book.want(try Self.lists(2), "b")
        #expect(Self.words(book.answered(2, overdue)) == "answer b: rules-overdue")
        #expect(!book.isCertain)
        #expect(!book.awaits(2))
        #expect(Self.words(book.answered(2, nil)) == "–")
        #expect(book.inForce == (try Self.lists(1)))
        #expect(Self.words(book.want(try Self.lists(1), "c")) == "set 1")
        #expect(Self.words(book.answered(2, refused)) == "–")
        #expect(Self.words(book.answered(3, nil)) == "answer c: in force")
        #expect(book.isCertain)
    }
}
