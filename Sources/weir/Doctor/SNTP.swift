// SPDX-License-Identifier: Apache-2.0

// How far this clock is from a time server's (SNTP, RFC 4330).

import FlowModel
import Foundation

enum SNTP {
    /// Seconds from 1900, where NTP begins, to 1970.
    private static let epoch = 2_208_988_800.0

    /// Seconds that this clock is behind the server's; negative when it is ahead.
    static func offset(from server: Endpoint, until deadline: ProbeDeadline) throws(ProbeProblem) -> Double {
        let socket = try ProbeSocket(to: server, .udp, until: deadline)
        // The server gives back what we call our time: a number that nobody off the path can guess.
        let cookie = UInt64.random(in: 1 ... .max)
        var packet = [UInt8](repeating: 0, count: 48)
        packet[0] = 4 << 3 | 3  // version 4, client
        packet.replaceSubrange(40..<48, with: bytes(cookie))
        let sent = Date().timeIntervalSince1970
        try socket.send(packet, until: deadline)
        while true {
            let answer = try socket.receive(atMost: 512, until: deadline)
            let received = Date().timeIntervalSince1970
            guard answer.count >= 48, number(answer, 24) == cookie else { continue }
            guard answer[0] & 7 == 4, answer[0] >> 6 != 3, (1...15).contains(answer[1]), number(answer, 40) != 0 else {
                throw ProbeProblem(text: "the server does not know the time itself")
            }
            return (seconds(answer, 32, near: sent) - sent + seconds(answer, 40, near: received) - received) / 2
        }
    }

    /// A time of the packet, in seconds since 1970; of the eras of 136 years, the one nearest to our time.
    private static func seconds(_ packet: [UInt8], _ offset: Int, near time: Double) -> Double {
        let era = 4_294_967_296.0
        let value = Double(number(packet, offset)) / era - epoch
        return value + ((time - value) / era).rounded() * era
    }

    private static func number(_ packet: [UInt8], _ offset: Int) -> UInt64 {
        packet.dropFirst(offset).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
    }
}
