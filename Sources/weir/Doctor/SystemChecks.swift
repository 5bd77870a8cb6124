// SPDX-License-Identifier: Apache-2.0

// The checks that ask this machine and this program.

import EngineAssembly
import FlowModel
import FlowPolicy
import Foundation

extension DoctorCheck {
    /// What is known of the present build.
    static func build(_ permit: StartPermit) -> DoctorCheck {
        DoctorCheck(name: "build") { _ in
            let build = permit.facts.build.description
            switch permit.standing {
            case .first: return .ok("\(build), where Weir was never started")
            case .good(let good):
                let date = Date(timeIntervalSince1970: Double(good.at) / 1000)
                let day = date.formatted(.iso8601.year().month().day())
                return .ok("\(build), \(good.by == .doctor ? "tested" : "taken as it was found") on \(day)")
            case .changed(let old):
                return .warn("\(build); it was \(old.build)", "nothing, when all else passes: it then counts as good")
            case .lost:
                return .warn(
                    "\(build); the record of good builds cannot be read",
                    "nothing, when all else passes: the record is then made anew")
            }
        }
    }

    /// Whether this machine is a combination that is known to go wrong.
    static func knownBad(_ permit: StartPermit) -> DoctorCheck {
        DoctorCheck(name: "known-bad") { _ in
            guard !permit.knownBad.isEmpty else {
                return .ok("none of the \(KnownBadTable.shipped.rows.count) known combinations")
            }
            let seen = permit.knownBad.map { "\($0.id) (\($0.kind.rawValue)): \($0.reason)" }
            let advice = permit.knownBad.map(\.remedy).joined(separator: "; ")
            let isHeld = permit.knownBad.contains { $0.cap != nil }
            return .fail(seen.joined(separator: "; "), advice, isRequired: isHeld)
        }
    }

    /// The policy can be read.
    static func policy(_ name: String) -> DoctorCheck {
        DoctorCheck(name: "policy") { _ in
            do {
                let policy = try PolicySource.load(name)
                return .ok("\(name): mode \(policy.mode.rawValue), digest \(policy.digest)")
            } catch {
                let text = (error as? Problem)?.text ?? "\(error)"
                return .fail(
                    text.split(separator: "\n").prefix(3).joined(separator: "; "), "mend it: weir policy check")
            }
        }
    }

    /// The package index is fresh: an old one knows nothing of the latest repairs.
    static func packages() -> DoctorCheck {
        #if os(Linux)
        DoctorCheck(name: "packages", isRequired: false) { _ in
            let lists = "/var/lib/apt/lists"
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: lists) else {
                return Answer(outcome: .notInThisBuild, seen: "only apt's index is read, and there is none", advice: "")
            }
            if let left = try? FileManager.default.contentsOfDirectory(atPath: "/var/lib/dpkg/updates"), !left.isEmpty {
                return .warn("dpkg was interrupted", "finish it: dpkg --configure -a")
            }
            let dates = names.filter { $0.hasSuffix("Release") || $0.hasSuffix("Packages") }.compactMap { name in
                try? FileManager.default.attributesOfItem(atPath: "\(lists)/\(name)")[.modificationDate] as? Date
            }
            guard let newest = dates.max() else { return .warn("apt has no index", "fetch it: apt-get update") }
            let days = Int(-newest.timeIntervalSinceNow / 86_400)
            let seen = "apt's index is \(days == 1 ? "a day" : "\(days) days") old"
            return days >= DoctorLimits.indexAge.value ? .warn(seen, "renew it: apt-get update") : .ok(seen)
        }
        #else
        DoctorCheck(name: "packages") { _ in
            Answer(outcome: .notInThisBuild, seen: "the state of Software Update is not read", advice: "")
        }
        #endif
    }

    /// The hooks of the kernel by which `weir run` will take flows.
    static func kernelHooks() -> DoctorCheck {
        DoctorCheck(name: "kernel-hooks") { _ in
            Answer(
                outcome: .notInThisBuild, seen: "the whole machine cannot be taken yet, so there is no hook to test",
                advice: "")
        }
    }
}
