// SPDX-License-Identifier: Apache-2.0

// Open connections as libproc lists them.

#if canImport(Darwin)
public import CodeIdentity
internal import Darwin
public import FlowModel

/// The connections of every process that the caller may ask about; as root, all.
public struct LibprocConnections: OpenConnections {
    public init() {}

    public func list() -> [ProcessSockets] {
        let most = AppleIntakeLimits.gapProcesses.value
        var numbers = [pid_t](repeating: 0, count: most)
        let count = proc_listallpids(&numbers, Int32(most * MemoryLayout<pid_t>.stride))
        return numbers.prefix(min(max(Int(count), 0), most)).compactMap { number in
            let sockets = Self.sockets(of: number)
            guard !sockets.isEmpty else { return nil }
            return ProcessSockets(
                processID: number, token: Self.token(of: number), executable: Self.executable(of: number),
                sockets: sockets)
        }
    }

    private static func sockets(of process: pid_t) -> [OpenSocket] {
        let stride = MemoryLayout<proc_fdinfo>.stride
        let needed = Int(proc_pidinfo(process, PROC_PIDLISTFDS, 0, nil, 0)) / stride
        guard needed > 0 else { return [] }
        var descriptors = [proc_fdinfo](
            repeating: proc_fdinfo(), count: min(needed, AppleIntakeLimits.gapSockets.value))
        let filled = proc_pidinfo(process, PROC_PIDLISTFDS, 0, &descriptors, Int32(descriptors.count * stride))
        return descriptors.prefix(max(Int(filled), 0) / stride).compactMap { descriptor in
            guard descriptor.proc_fdtype == UInt32(PROX_FDTYPE_SOCKET) else { return nil }
            var info = socket_fdinfo()
            let size = Int32(MemoryLayout<socket_fdinfo>.size)
            guard proc_pidfdinfo(process, descriptor.proc_fd, PROC_PIDFDSOCKETINFO, &info, size) == size else {
                return nil
            }
            return socket(info.psi)
        }
    }

    private static func socket(_ info: socket_info) -> OpenSocket? {
        switch Int(info.soi_kind) {
        case SOCKINFO_TCP:
            return OpenSocket(.tcp, info.soi_proto.pri_tcp.tcpsi_ini)
        case SOCKINFO_IN where info.soi_protocol == IPPROTO_UDP:
            return OpenSocket(.udp, info.soi_proto.pri_in)
        default:
            return nil
        }
    }

    private static func executable(of process: pid_t) -> String? {
        var path = [UInt8](repeating: 0, count: 4 * Int(MAXPATHLEN))
        let length = proc_pidpath(process, &path, UInt32(path.count))
        return length > 0 ? String(decoding: path.prefix(Int(length)), as: UTF8.self) : nil
    }

    private static func token(of process: pid_t) -> AuditToken? {
        var task = mach_port_name_t()
        guard task_name_for_pid(mach_task_self_, process, &task) == KERN_SUCCESS else { return nil }
        defer { mach_port_deallocate(mach_task_self_, task) }
        var token = audit_token_t()
        var count = mach_msg_type_number_t(MemoryLayout<audit_token_t>.size / MemoryLayout<natural_t>.size)
        let answer = withUnsafeMutablePointer(to: &token) { token in
            token.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
                task_info(task, task_flavor_t(TASK_AUDIT_TOKEN), $0, &count)
            }
        }
        return answer == KERN_SUCCESS ? withUnsafeBytes(of: token) { AuditToken($0) } : nil
    }
}

extension OpenSocket {
    /// Ports stand in network order in the low half; a destination port of 0 is none, as of a socket that listens.
    fileprivate init?(_ transport: Transport, _ info: in_sockinfo) {
        let local = UInt16(truncatingIfNeeded: info.insi_lport).byteSwapped
        let port = UInt16(truncatingIfNeeded: info.insi_fport).byteSwapped
        var remote: Endpoint?
        if port != 0 {
            var address = info.insi_faddr
            let isV4 = info.insi_vflag & UInt8(INI_IPV4) != 0
            // An IPv4 address stands in the last four of the sixteen bytes.
            let bytes = withUnsafeBytes(of: &address) { [UInt8]($0.prefix(16)) }
            let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + bytes.suffix(4)
            guard let ip = IPAddress(v6Bytes: isV4 ? mapped : bytes) else { return nil }
            remote = Endpoint(host: .address(ip), port: port)
        }
        self.init(transport, localPort: local, remote: remote)
    }
}
#endif
