// SPDX-License-Identifier: Apache-2.0

// Real namespaces, real processes. As root; what a plain user can do is tried as user 65534.

import CLinuxFlow
import Foundation
import Glibc
import Testing

@testable import LinuxIntake

private let nobody: uid_t = 65534

extension KernelTests {
    @Suite struct ExecNamespaceTests {
        @Test("The exit code of the command is told", arguments: [nil, nobody])
        func exitCode(user: uid_t?) throws {
            let report = try runForked("exit 7", user: user).report
            #expect(ExecOutcome(report.outcome) == .exited(7))
        }

        @Test("A command ended by a signal is told as that, not as an exit code", arguments: [nil, nobody])
        func signalled(user: uid_t?) throws {
            let outcome = ExecOutcome(try runForked("kill -TERM $$", user: user).report.outcome)
            #expect(outcome == .signalled(SIGTERM))
            #expect(outcome.exitStatus == 143)
        }

        @Test(
            "A program that cannot be run is told with its reason and the status of a shell",
            arguments: [
                ("/nonexistent", ENOENT, 127), ("nonexistent-program", ENOENT, 127), ("/etc/passwd/x", ENOTDIR, 127),
                ("/etc/passwd", EACCES, 126), ("/tmp", EACCES, 126),
            ] as [(String, Int32, Int32)])
        func notStarted(program: String, code: Int32, status: Int32) throws {
            let weir = try ForkedWeir([Array(program.utf8)])
            close(weir.input)
            let report = try #require(weir.finish())
            let outcome = ExecOutcome(report.outcome)
            #expect(outcome == .notStarted(code))
            #expect(outcome.exitStatus == status)
        }

        @Test("Standard streams are the command's own, up to the last byte", arguments: [nil, nobody])
        func streams(user: uid_t?) throws {
            let input = (0..<300_000).map { UInt8($0 % 251) }
            let (output, report) = try runForked("wc -c; echo done", user: user, input: input)
            #expect(output.split(whereSeparator: \.isWhitespace) == ["300000", "done"])
            #expect(ExecOutcome(report.outcome) == .exited(0))
        }

        @Test("A pipe ends when the command closes it, though Weir lives on")
        func pipeEnds() throws {
            var descriptors: [CInt] = [0, 0]
            try #require(pipe(&descriptors) == 0)
            let extra = descriptors[1]
            let weir = try ForkedWeir(["bash", "-c", "exec \(extra)>&-; read wait"].map { Array($0.utf8) })
            close(extra)
            // Weir (the fork) holds the descriptor as any wrapper does; the first process of the namespace may not.
            let holders = { () -> Int in
                let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptors[0])")
                let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
                return all.filter { process in
                    guard Int(process) != nil, Int32(process) != getpid() else { return false }
                    let path = "/proc/\(process)/fd/\(extra)"
                    return (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == link
                }.count
            }
            for _ in 0..<500 where holders() != 1 { usleep(20_000) }
            #expect(holders() == 1)
            close(weir.input)
            _ = weir.finish()
            close(descriptors[0])
        }

        @Test("Arguments and variables reach the command byte for byte")
        func bytes() throws {
            var environment = CommandEnvironment(["PATH=\(CommandEnvironment.current()["PATH"] ?? "")"])
            environment["WEIR_TEST"] = "a b\n\u{fc}"
            let argument: [UInt8] = [0x2d, 0xff, 0xfe, 0x20, 0x27]
            let weir = try ForkedWeir(
                [
                    "sh", "-c", "printf %s \"$1\" | od -An -tx1; printf %s \"$WEIR_TEST\" | od -An -tx1; env | wc -l",
                    "x",
                ]
                .map { Array($0.utf8) } + [argument], environment: environment)
            close(weir.input)
            let lines = weir.read().split(separator: "\n").map { $0.split(separator: " ").joined() }
            #expect(lines.prefix(2) == ["2dfffe2027", "6120620ac3bc"])
            _ = weir.finish()
        }

        @Test(
            "The command has no descriptor that Weir was not given, a signal mask of its own and nohup's dispositions")
        func inheritance() throws {
            let script = "echo $(ls /proc/self/fd); grep -e SigBlk -e SigIgn /proc/self/status; umask"
            let (output, _) = try runForked(script) {
                signal(SIGHUP, SIG_IGN)
                umask(0o27)
            }
            let lines = output.split(separator: "\n").map(String.init)
            let given = (0..<1024).filter { fcntl($0, F_GETFD) & FD_CLOEXEC == 0 }
            let got = try #require(lines.first).split(separator: " ").compactMap { CInt($0) }
            // The one more is the directory that `ls` reads.
            #expect(got.filter { $0 > 2 && !given.contains($0) }.count == 1)
            #expect(lines.contains { $0.hasPrefix("SigBlk:") && $0.hasSuffix("0000000000000000") })
            #expect(lines.contains { $0.hasPrefix("SigIgn:") && $0.hasSuffix("1") })
            #expect(lines.last == "0027")
        }

        @Test("The command sees the processes of its namespace and is itself", arguments: [nil, nobody])
        func processes(user: uid_t?) throws {
            let (output, _) = try runForked(
                "echo $$; readlink /proc/self; id -u; ls -d /proc/[0-9]* | wc -l", user: user)
            let lines = output.split(separator: "\n").map(String.init)
            try #require(lines.count == 4)
            #expect(lines[0] == "2")
            #expect(Int(lines[1]).map { $0 < 10 } == true)
            #expect(lines[2] == String(user ?? 0))
            #expect(Int(lines[3]).map { $0 <= 5 } == true)
        }

        @Test("Orphans are buried by the first process")
        func zombies() throws {
            let script = """
                for i in 1 2 3; do (sh -c 'exit 3' & ) ; done
                for i in $(seq 100); do
                    n=$(grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l)
                    [ $n = 0 ] && exit 0
                    sleep 0.05
                done
                exit 1
                """
            #expect(ExecOutcome(try runForked(script).report.outcome) == .exited(0))
        }

        @Test("What the command leaves running ends with it")
        func leftovers() throws {
            let script = "readlink /proc/self/ns/pid; (setsid sleep 1000 >/dev/null 2>&1 &); sleep 0.1; exit 4"
            let (output, report) = try runForked(script)
            #expect(ExecOutcome(report.outcome) == .exited(4))
            let namespace = output.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(namespace.hasPrefix("pid:["))
            #expect(!isInhabited(namespace))
        }

        @Test("When Weir is killed, nothing of the namespace is left", arguments: [nil, nobody])
        func weirDies(user: uid_t?) async throws {
            let script = "echo $(readlink /proc/self/ns/pid /proc/self/ns/net); (setsid sleep 1000 &); sleep 1000"
            let weir = try ForkedWeir(["sh", "-c", script].map { Array($0.utf8) }, user: user)
            let namespaces = weir.read(line: true).split(separator: " ").map(String.init)
            try #require(namespaces.count == 2)
            #expect(namespaces.allSatisfy(isInhabited))
            kill(weir.pid, SIGKILL)
            #expect(weir.finish() == nil)
            #expect(await eventually { !namespaces.contains(where: isInhabited) })
            close(weir.input)
        }

        @Test("When the first process is killed, the command ends and Weir is told", arguments: [nil, nobody])
        func firstProcessDies(user: uid_t?) async throws {
            let weir = try ForkedWeir(
                ["sh", "-c", "readlink /proc/self/ns/pid; sleep 1000"].map { Array($0.utf8) }, user: user)
            let namespace = weir.read(line: true)
            let children = try String(contentsOfFile: "/proc/\(weir.pid)/task/\(weir.pid)/children", encoding: .utf8)
            let first = try #require(pid_t(children.trimmingCharacters(in: .whitespaces)))
            kill(first, SIGKILL)
            let report = try #require(weir.finish())
            #expect(ExecOutcome(report.outcome) == .lost)
            #expect(!isInhabited(namespace))
            close(weir.input)
        }

        @Test("A signal that somebody sends to Weir reaches the command, which decides", arguments: [nil, nobody])
        func forwarding(user: uid_t?) throws {
            let script = "trap 'exit 9' TERM; echo ready; for i in $(seq 400); do sleep 0.05; done"
            let weir = try ForkedWeir(["sh", "-c", script].map { Array($0.utf8) }, user: user)
            #expect(weir.read(line: true) == "ready")
            kill(weir.pid, SIGTERM)
            let report = try #require(weir.finish())
            #expect(ExecOutcome(report.outcome) == .exited(9))
            close(weir.input)
        }

        @Test("Ctrl-C reaches the command from the terminal, and Weir lives to tell")
        func terminal() throws {
            let terminal = try Terminal()
            let weir = try terminal.fork("trap 'exit 8' INT; echo ready; read line; sleep 0.3; exit 1")
            #expect(weir.read(line: true) == "ready")
            terminal.type("\u{3}go\n")
            #expect(ExecOutcome(try #require(weir.finish()).outcome) == .exited(8))
            close(weir.input)
            terminal.close()
        }

        @Test("Ctrl-C is not sent to the command a second time by Weir")
        func terminalOnce() throws {
            let terminal = try Terminal()
            // In a session of its own the command hears nothing of the terminal's signals: any other would be Weir's.
            let weir = try terminal.fork(
                "exec setsid bash -c \"trap 'exit 8' INT; echo ready; read line; sleep 0.3; exit 1\"")
            #expect(weir.read(line: true) == "ready")
            terminal.type("\u{3}go\n")
            #expect(ExecOutcome(try #require(weir.finish()).outcome) == .exited(1))
            close(weir.input)
            terminal.close()
        }

        @Test("The command cannot undo its network", arguments: [nil, nobody])
        func privileges(user: uid_t?) throws {
            // Deletes the table `weir` as `nft delete table inet weir` does; the answer's errno is the exit code.
            let script = """
                grep -e CapEff -e CapBnd -e NoNewPrivs /proc/self/status
                perl -e 'socket(my $s, 16, 3, 12) or exit 99;
                    my $n = pack("S<S<a8", 9, 1, "weir");
                    my $b = pack("CCn", 0, 0, 10);
                    my $d = pack("CCn", 1, 0, 0) . $n . "\\0" x (-length($n) & 3);
                    my $m = sub { my ($t, $f, $p) = @_; pack("L<S<S<L<L<", 16 + length $p, $t, $f, 1, 0) . $p };
                    send($s, $m->(16, 1, $b) . $m->(0xa02, 5, $d) . $m->(17, 1, $b), 0);
                    recv($s, my $r, 4096, 0);
                    exit -unpack("x16 l<", $r)'
                """
            let (output, report) = try runForked(script, user: user)
            #expect(ExecOutcome(report.outcome) == .exited(EPERM))
            let values = output.split(separator: "\n").compactMap { $0.split(separator: "\t").last.map(String.init) }
            try #require(values.count == 3)
            let lost: UInt64 = user == nil ? 1 << 12 | 1 << 21 : .max
            #expect(values[..<2].allSatisfy { (UInt64($0, radix: 16) ?? .max) & lost == 0 })
            #expect(values[2] == "1")
        }

        @Test("UDP to the world is refused at once, of both versions, except DNS", arguments: [nil, nobody])
        func datagrams(user: uid_t?) throws {
            let script = """
                perl -MSocket=:all -e '
                    for (["1.2.3.4", 443], ["8.8.8.8", 123], ["2606:4700::1", 443]) {
                        my ($h, $p) = @$_; my $v6 = $h =~ /:/;
                        socket(my $s, $v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
                        connect($s, $v6 ? pack_sockaddr_in6($p, inet_pton(AF_INET6, $h)) : pack_sockaddr_in($p, inet_aton($h)));
                        send($s, "x", 0) or exit 50;
                        setsockopt($s, SOL_SOCKET, SO_RCVTIMEO, pack("l!l!", 20, 0));
                        defined recv($s, my $b, 9, 0) and exit 51;
                        $! == \(ECONNREFUSED) or exit 52 }'
                """
            #expect(ExecOutcome(try runForked(script, user: user).report.outcome) == .exited(0))
        }

        @Test("Answers to the command's IPv6 address are never lost to a route that only sends")
        func prefixRoute() throws {
            // One in fifty refusals of early IPv6 packets was, while the kernel's work queue had not made the address local.
            let (output, _) = try runForked("cat /proc/net/ipv6_route")
            let routes = output.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.count == 10 }
            let local: UInt32 = 0x8000_0000
            let covering = routes.filter { $0[0].hasPrefix("fd77") || $0[1] == "00" }
            let sending = covering.filter { (UInt32($0[8], radix: 16) ?? 0) & local == 0 && $0[5] != "ffffffff" }
            #expect(sending.isEmpty)
            #expect(covering.contains { $0[1] == "00" })
        }

        @Test("A command that listens on a port does not hear what it sends to that port of the world")
        func notItself() throws {
            let script = """
                perl -MSocket=:all -e '
                    for (["1.2.3.4", AF_INET, INADDR_ANY], ["2606:4700::1", AF_INET6, IN6ADDR_ANY]) {
                        my ($h, $f, $any) = @$_;
                        my $to = sub { $f == AF_INET ? pack_sockaddr_in(443, $_[0]) : pack_sockaddr_in6(443, $_[0]) };
                        socket(my $l, $f, SOCK_DGRAM, 0); bind($l, $to->($any)) or exit 50;
                        setsockopt($l, SOL_SOCKET, SO_RCVTIMEO, pack("l!l!", 0, 300000));
                        socket(my $s, $f, SOCK_DGRAM, 0); send($s, "x", 0, $to->(inet_pton($f, $h))) or exit 51;
                        defined recv($l, my $b, 9, 0) and exit 52 }'
                """
            #expect(ExecOutcome(try runForked(script).report.outcome) == .exited(0))
        }

        @Test("Loopback inside works as ever, on 127.0.0.1, ::1 and the command's own address")
        func loopback() throws {
            let script = """
                perl -MSocket=:all -e 'alarm 20;
                    for (["127.0.0.1", AF_INET], ["198.18.0.1", AF_INET], ["::1", AF_INET6]) {
                        my ($h, $f) = @$_;
                        my $a = $f == AF_INET ? pack_sockaddr_in(8080, inet_aton($h)) : pack_sockaddr_in6(8080, inet_pton($f, $h));
                        socket(my $l, $f, SOCK_STREAM, 0); bind($l, $a) && listen($l, 1) or exit 50;
                        socket(my $s, $f, SOCK_STREAM, 0); connect($s, $a) or exit 51;
                        accept(my $c, $l) or exit 52; syswrite($s, "hi"); sysread($c, my $b, 2); $b eq "hi" or exit 53;
                        socket(my $u, $f, SOCK_DGRAM, 0); bind($u, $a) or exit 54;
                        socket(my $v, $f, SOCK_DGRAM, 0); send($v, "yo", 0, $a); recv($u, $b, 9, 0); $b eq "yo" or exit 55 }'
                """
            #expect(ExecOutcome(try runForked(script).report.outcome) == .exited(0))
        }

        @Test("A set-up that fails says where and leaves nothing behind")
        func failure() throws {
            let report = try runForked("true") {
                var limit = rlimit(rlim_cur: 10, rlim_max: 10)
                setrlimit(__rlimit_resource_t(7), &limit)
                while dup(0) >= 0 {}
                for descriptor in 6...9 { close(Int32(descriptor)) }
            }.report
            #expect(report.prepared == -1)
            let error = ExecNamespaceError(report.failure)
            #expect(error.code == EMFILE)
            #expect(error.description.contains("ulimit -n"))
        }

        @Test("The object starts a command, waits for it without a thread, and tells its end more than once")
        func object() async throws {
            let namespace = try ExecNamespace()
            try namespace.start(["sh", "-c", "sleep 0.1; exit 5"], environment: .current())
            #expect { try namespace.start(["true"], environment: .current()) } throws: { error in
                (error as? ExecNamespaceError)?.code == EALREADY
            }
            async let first = namespace.outcome()
            async let second = namespace.outcome()
            #expect(await [first, second] == [.exited(5), .exited(5)])
            #expect(throws: ExecNamespaceError.self) { try namespace.start(["true"], environment: .current()) }
            let sockets = try #require(namespace.takeSockets())
            #expect(sockets.tcp.count == 2 && sockets.dns.count == 2)
            #expect(namespace.takeSockets() == nil)
            for descriptor in sockets.tcp + sockets.dns + [sockets.diagnostics] { close(descriptor) }
        }

        @Test("A megabyte of variables arrives whole, and more than a system can take is refused")
        func size() async throws {
            let namespace = try ExecNamespace()
            var environment = CommandEnvironment.current()
            environment["WEIR_TEST"] = nil
            let tooMuch = [String](repeating: String(repeating: "x", count: 100_000), count: 100)
            #expect { try namespace.start(["true"] + tooMuch, environment: environment) } throws: { error in
                (error as? ExecNamespaceError)?.code == E2BIG
            }
            for number in 0..<10 { environment["WEIR_TEST\(number)"] = String(repeating: "x", count: 100_000) }
            let script = "n=$(env | grep ^WEIR_TEST | wc -c); [ $n = 1000120 ] || exit 1"
            try namespace.start(["sh", "-c", script], environment: environment)
            #expect(await namespace.outcome() == .exited(0))
        }

        @Test("An argument with a NUL is refused, and so is a command without a name")
        func badArguments() async throws {
            let namespace = try ExecNamespace()
            #expect(throws: ExecNamespaceError.self) { try namespace.start([[65, 0, 66]], environment: .current()) }
            #expect(throws: ExecNamespaceError.self) { try namespace.start([[UInt8]](), environment: .current()) }
            namespace.kill()
            #expect(await namespace.outcome() == .lost)
        }

        @Test("A namespace that is let go ends, started or not", arguments: [false, true])
        func letGo(started: Bool) async throws {
            var namespace: ExecNamespace? = try ExecNamespace()
            let pid = try #require(namespace?.processID)
            if started { try namespace?.start(["sleep", "1000"], environment: .current()) }
            let path = "/proc/\(pid)"
            #expect(FileManager.default.fileExists(atPath: path))
            namespace = nil
            #expect(await eventually { !FileManager.default.fileExists(atPath: path) })
        }
    }
}
