// SPDX-License-Identifier: Apache-2.0

// The checks that ask the network: names, time, push, certificate status, captive portals.

import FlowModel
import FlowPolicy
import Foundation

extension DoctorCheck {
    /// Names resolve, and names that do not exist do not.
    static func names(_ target: DoctorTargets.Target<[String]>) -> DoctorCheck {
        DoctorCheck(name: "names", isRequired: target.isRequired) { _ in
            var good: [String] = []
            var bad: [String] = []
            for name in target.value {
                do throws(ProbeProblem) {
                    let addresses = try ProbeAddress.lookup(name, port: 0)
                    good.append("\(name) is \(addresses.first?.text ?? "nothing")")
                } catch {
                    bad.append("\(name): \(error.text)")
                }
            }
            let advice = "ask the resolver by hand: getent hosts \(target.value.first ?? "")"
            let seen = (good + bad).joined(separator: ", ")
            if good.isEmpty { return .fail(seen, advice, isRequired: target.isRequired) }
            if !bad.isEmpty { return .warn(seen, advice) }
            // RFC 6761 section 6.4: nothing is ever called so.
            if let address = try? ProbeAddress.lookup("weir-doctor.invalid", port: 0).first {
                return .warn(
                    "\(seen), and the resolver answers for a name that cannot exist with \(address.text)",
                    "take a resolver that tells the truth: this one leads mistyped names to itself")
            }
            return .ok(seen)
        }
    }

    /// The clock is not before the data of this program, and near a server's.
    static func time(_ target: DoctorTargets.Target<[Endpoint]>) -> DoctorCheck {
        DoctorCheck(name: "time", isRequired: target.isRequired) { deadline in
            let mend = "set the clock: certificates are judged by it"
            let edition = Catalogues.shipped.edition
            let format = ISO8601DateFormatter()
            format.formatOptions = [.withFullDate]
            if let date = format.date(from: edition), Date() < date {
                return .fail("the clock says \(format.string(from: Date())), but this program knows \(edition)", mend)
            }
            let (found, problems) = firstAnswer(of: target.value, deadline) { server, deadline throws(ProbeProblem) in
                try SNTP.offset(from: server, until: deadline)
            }
            guard let found else {
                return .fail(
                    problems, "let UDP to port 123 out, or name the site's own server under `time`",
                    isRequired: target.isRequired)
            }
            let size = String(format: "%.3f s", abs(found.value))
            let seen = "the clock is \(size) \(found.value < 0 ? "ahead of" : "behind") \(found.server)"
            if abs(found.value) >= Double(DoctorLimits.clockFailure.value) { return .fail(seen, mend) }
            if abs(found.value) >= Double(DoctorLimits.clockWarning.value) {
                return .warn(seen, "look whether the system's time service runs")
            }
            return .ok(seen)
        }
    }

    /// The push service can be reached; by a second way only, is worth a word.
    static func push(_ target: DoctorTargets.Target<[Endpoint]>) -> DoctorCheck {
        DoctorCheck(name: "push", isRequired: target.isRequired) { deadline in
            let (found, problems) = firstAnswer(of: target.value, deadline) { server, deadline throws(ProbeProblem) in
                try ProbeSocket(to: server, .tcp, until: deadline).peer
            }
            guard let found else {
                return .fail(
                    problems,
                    "let TCP to ports 5223 and 443 of 17.0.0.0/8 out: without it Macs and iPhones get no push",
                    isRequired: target.isRequired)
            }
            let seen = "\(found.server) takes connections (\(found.value))"
            if problems.isEmpty { return .ok(seen) }
            return .warn("\(problems), but \(seen)", "let TCP to port 5223 of 17.0.0.0/8 out: 443 is a fallback")
        }
    }

    /// Whoever answers for certificates can be reached in plain HTTP; what the answer is does not matter.
    static func certificateStatus(_ target: DoctorTargets.Target<[Endpoint]>) -> DoctorCheck {
        DoctorCheck(name: "certificate-status", isRequired: target.isRequired) { deadline in
            let (found, problems) = firstAnswer(of: target.value, deadline) { server, deadline throws(ProbeProblem) in
                try PlainProbe.ask("HEAD", "/", of: server, until: deadline).status
            }
            guard let found else {
                return .fail(
                    problems,
                    "let plain HTTP to port 80 out: without OCSP and CRLs revoked certificates count as good",
                    isRequired: target.isRequired)
            }
            return .ok("\(found.server) answers (status \(found.value))")
        }
    }

    /// Nobody answers in the place of a server whose answer is known.
    static func captivePortal(_ target: DoctorTargets.Target<DoctorTargets.Portal?>) -> DoctorCheck {
        DoctorCheck(name: "captive-portal", isRequired: target.isRequired) { deadline in
            guard let portal = target.value else { return .warn("no URL to ask", "name one under `captive-portal`") }
            do throws(ProbeProblem) {
                let answer = try PlainProbe.ask("GET", portal.path, of: portal.server, until: deadline)
                let body = String(decoding: answer.body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
                if answer.status == 200, body == portal.expected { return .ok("\(portal.url) answers as it should") }
                return .fail(
                    "\(portal.url) answers with status \(answer.status) and "
                        + "\(body == portal.expected ? "the right" : "another") body",
                    "sign in to this network, or find out who answers in the place of \(portal.server.host)",
                    isRequired: target.isRequired)
            } catch {
                return .fail(
                    "\(portal.url): \(error.text)",
                    "let plain HTTP to it out, or name another under `captive-portal`", isRequired: target.isRequired)
            }
        }
    }

    /// Asks servers one after another until one answers; gives that answer, and what was wrong with those before.
    private static func firstAnswer<Value>(
        of servers: [Endpoint], _ deadline: ProbeDeadline,
        ask: (Endpoint, ProbeDeadline) throws(ProbeProblem) -> Value
    ) -> (found: (server: Endpoint, value: Value)?, problems: String) {
        var problems: [String] = []
        for (index, server) in servers.enumerated() {
            do throws(ProbeProblem) {
                let value = try ask(server, deadline.share(of: servers.count - index))
                return ((server, value), problems.joined(separator: ", "))
            } catch {
                problems.append("\(server): \(error.text)")
            }
        }
        return (nil, problems.joined(separator: ", "))
    }
}
