// SPDX-License-Identifier: Apache-2.0

// Facts of which not all can be true.

internal import FlowModel

extension IdentitySummary {
    /// Why what is said of the program cannot all be true; nil when it can.
    ///
    /// Few things count, each impossible by the definition of its words: nobody vouches for unsigned code, so it has no
    /// proved name, and a row of the never set counts for proved names only. A merely surprising mix is no contradiction.
    var contradiction: String? {
        guard case .known(.unsigned) = codeClass else { return nil }
        if provedName != nil { return "nobody vouches for the code, and yet its name is said to be proved" }
        if neverRow != nil {
            return "nobody vouches for the code, and yet it is said to be a program that is never taken"
        }
        return nil
    }
}

extension FlowFacts {
    /// The facts with everything left out that a contradictory identity claims for itself.
    var distrusted: FlowFacts {
        var facts = self
        facts.identity.codeClass = .unknown(.contradictory)
        facts.identity.provedName = nil
        facts.identity.neverRow = nil
        facts.identity.requirements = nil
        return facts
    }
}
