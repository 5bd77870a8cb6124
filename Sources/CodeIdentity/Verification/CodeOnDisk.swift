// SPDX-License-Identifier: Apache-2.0

// Examines code by its path: a file, or a bundle with all that is sealed in it.

import FlowModel

extension CodeExaminer {
    /// Examines the code at a path: a Mach-O file, or a bundle by its main executable.
    ///
    /// Symbolic links are followed first. A file that is the main executable of a bundle is examined with the bundle's
    /// Info.plist and seal. With `deep` every sealed resource is compared and all nested code examined and held to the
    /// seal's requirement, as `codesign --verify --deep` does.
    ///
    /// Throws `notMachO` for other files, `bundleLayout` for a folder that is no bundle, `changed` when the file was
    /// written meanwhile, and what reading throws.
    public func examine(
        path: String, deep: Bool = false, detached: DetachedSignature? = nil
    ) throws(CodeProblem) -> CodeReport {
        let path = try FileBytes.resolved(path)
        let tree = try FolderTree("/") { descriptor throws(CodeProblem) in try FileBytes(descriptor: descriptor) }
        return try examine(String(path.dropFirst()), in: tree, deep: deep ? 1 : 0, detached)
    }

    /// `deep` is the level of nesting, 0 for none at all.
    private func examine(
        _ place: String, in tree: FolderTree, deep level: Int, _ detached: DetachedSignature?
    ) throws(CodeProblem) -> CodeReport {
        var executable = place
        let bundle: CodeBundle?
        if try tree.kind(place) == .folder {
            let found = try CodeBundle(place, in: tree)
            guard let main = found.executable else {
                throw found.problems.first ?? CodeProblem(.bundleExecutable, "\(place) has no main executable")
            }
            executable = main
            bundle = found
        } else {
            bundle = try CodeBundle.enclosing(place, in: tree)
        }
        var report = try examine(tree.open(executable), bundle: bundle, detached: detached)
        if let bundle, level > 0 {
            // A seal that no signature covers is anybody's.
            let isSealed = report.slices.allSatisfy { $0.slots[.codeResources] == .ok }
            report.seal = check(isSealed ? bundle.sealBytes : nil, of: bundle, in: tree, level)
        }
        return report
    }

    private func check(_ seal: [UInt8]?, of bundle: CodeBundle, in tree: FolderTree, _ level: Int) -> SealReport {
        var report: SealReport
        do throws(CodeProblem) {
            guard let seal else {
                throw CodeProblem(.sealMalformed, "/\(bundle.root) has no resource seal that its signature covers")
            }
            report = try ResourceSeal(seal).check(bundle, in: tree)
        } catch {
            report = SealReport()
            report.problems = [error]
            return report
        }
        guard level <= CodeIdentityLimits.nestedLevels.value else {
            let limit = CodeIdentityLimits.nestedLevels
            report.problems.append(CodeProblem(.limit, "\(limit.name): bundles more than \(limit.value) deep"))
            return report
        }
        for nested in report.nestedCode {
            do throws(CodeProblem) {
                let inner = try examine(nested.path, in: tree, deep: level + 1, nil)
                let requirement = try CompiledRequirement(Requirement(text: nested.requirement).expression)
                let fault = inner.problems.first ?? inner.slices.lazy.compactMap(\.problems.first).first
                if let fault = fault ?? inner.seal?.problems.first {
                    throw CodeProblem(.nestedCode, "/\(nested.path): \(fault)")
                }
                switch inner.evaluate(requirement).result {
                case .true: break
                case .false: throw CodeProblem(.nestedCode, "/\(nested.path) is not what the seal asks for")
                case .error(let problem): throw CodeProblem(.nestedCode, "/\(nested.path): \(problem)")
                }
            } catch {
                report.problems.append(error)
            }
        }
        return report
    }
}
