// SPDX-License-Identifier: Apache-2.0

// The program's counters: kept in memory, printed when somebody asks with SIGUSR1.

internal import Dispatch
internal import FlowModel
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Counts by name.
///
/// Names are few, all of them constants of the code, so the table is bounded; a flow counts a handful of times.
package final class Counters: MetricSink {
    private let values = Mutex<[String: Int]>([:])

    package init() {}

    package func add(_ counter: StaticString, _ amount: Int) {
        values.withLock { $0["\(counter)", default: 0] &+= amount }
    }

    /// One counter a line, in the text format of Prometheus.
    package var text: String {
        values.withLock { $0 }.sorted { $0.key < $1.key }.map { "weir_\($0.key) \($0.value)\n" }.joined()
    }

    /// Prints the counters to standard error at each SIGUSR1, until the process ends.
    package func printOnSignal() {
        signal(SIGUSR1, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGUSR1)
        source.setEventHandler {
            _ = source
            FileDescriptorText.standardError(self.text)
        }
        source.resume()
    }
}
