// SPDX-License-Identifier: Apache-2.0

// Who the processes of this machine are, found out by a thread of low priority.

public import CodeIdentity
import Dispatch
public import FlowModel
import Synchronization

/// The programs that run on this machine.
public enum RunningPrograms {
    /// Answers who they are: from memory at once, and for a new one as soon as its files were hashed.
    ///
    /// One thread reads and hashes, first of all the package database (0.1 s), so that it is there when the first
    /// connection comes. Nil on other systems than Linux.
    public static func identities(metrics: any MetricSink = NoSink()) -> LinuxIdentityResolver? {
        #if os(Linux)
        let worker = DispatchQueue(label: "weir.process-identity", qos: .utility)
        let packages = PackagesOnDemand()
        worker.async { packages.read() }
        let timer = DispatchQueue(label: "weir.process-identity-timer")
        return LinuxIdentityResolver(
            reader: LinuxIdentityReader(
                processes: LinuxProcessFiles(), units: LinuxUnitFiles(root: ""), vouching: packages),
            metrics: metrics
        ) { resolver in
            worker.async { resolver.resolvePending { .now } }
            timer.asyncAfter(deadline: .now() + .milliseconds(CodeIdentityLimits.identityWait.value)) {
                resolver.expire(now: .now)
            }
        }
        #else
        return nil
        #endif
    }
}

#if os(Linux)
/// The installed packages, read by whoever comes first; no package on a system whose root folder cannot be read.
private final class PackagesOnDemand: ProgramVouching {
    private let packages = Mutex<InstalledPackages?>(nil)

    func claim(path: String, source: any ByteSource, key: FileKey) -> (claim: PackageClaim?, sha256: [UInt8]?) {
        read()?.claim(path: path, source: source, key: key) ?? (nil, nil)
    }

    func isRootOwnedChain(path: String) -> Bool { read()?.isRootOwnedChain(path: path) ?? false }

    @discardableResult func read() -> InstalledPackages? {
        packages.withLock { packages in
            if packages == nil { packages = try? InstalledPackages() }
            return packages
        }
    }
}
#endif
