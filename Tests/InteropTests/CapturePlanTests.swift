// SPDX-License-Identifier: Apache-2.0

// The capture plan for nftables in a real kernel: what it redirects, what it leaves alone, and what happens when the
// engine falls silent.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct CapturePlans {
        /// The ruleset of the example policy; a test of FlowPolicy keeps it equal to what is printed.
        private static let ruleset = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Vectors/plan/example.nft").path

        @Test("The ruleset is loaded, included and replaced, and it redirects what the plan captures while Weir lives")
        func lives() throws {
            try TestNetwork.require()
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let script = try folder.write(Self.script, to: "probe.py")
            // A namespace of its own, in which every address is reached over a device that swallows what it gets.
            let result = try Program("unshare", ["--net", "python3", script, Self.ruleset]).succeed(within: 120)
            let seen = try JSONDecoder().decode([String: String].self, from: Data(result.output))
            let direct = [
                "silent", "own mark", "rule 1", "rule 1 range", "rule 2", "push", "dns", "udp silent", "udp ntp",
                "udp own mark",
                "udp rule 2", "fell silent", "udp fell silent",
            ]
            for probe in direct { #expect(seen[probe] == "direct", "\(probe): \(seen)") }
            #expect(seen["captured"] == "203.0.113.7:443")
            #expect(seen["captured beside a network"] == "192.0.2.98:80")
            #expect(seen["renewed"] == "203.0.113.7:443")
            #expect(seen["recovered"] == "203.0.113.7:443")
            #expect(seen["udp captured"] == "203.0.113.7:443")
            #expect(seen["udp captured beside a range"] == "203.0.113.8:22")
            // A released socket is not released for good here.
            #expect(seen["udp captured after ntp"] == "203.0.113.9:443")
            if seen["ipv6"] == "yes" {
                #expect(seen["captured 6"] == "[2001:db8:2::7]:443")
                #expect(seen["rule 2 6"] == "direct")
                #expect(seen["udp captured 6"] == "[2001:db8:2::7]:443")
            }
            for counter in [
                "captured tcp", "captured udp", "never core-protocols/ntp", "never core-protocols/apns", "dns",
                "rule 1 'r1'", "rule 2 'r2'",
            ] {
                #expect((seen["packets " + counter].flatMap { Int($0) } ?? 0) > 0, "\(counter): \(seen)")
            }
            #expect(seen["loopback"] == "echo")
        }

        private static let script = #"""
            import contextlib, json, socket, struct, subprocess, sys, threading, time

            ruleset, seen = sys.argv[1], {}

            def run(*words, text=None):
                return subprocess.run(words, input=text, text=True, check=True, capture_output=True).stdout

            for command in ["link set lo up", "link add sink type veth peer name drain", "link set sink arp off", "link set drain up", "address add 198.18.0.1/24 dev sink",
                            "link set sink up", "route add default dev sink",
                            "rule add fwmark 0x57450002 lookup 22341", "route add local default dev lo table 22341"]:
                run("ip", *command.split())
            try:
                for command in ["address add 2001:db8:f::1/64 dev sink nodad", "route add default dev sink",
                                "rule add fwmark 0x57450002 lookup 22341", "route add local default dev lo table 22341"]:
                    run("ip", "-6", *command.split())
                seen["ipv6"] = "yes"
            except subprocess.CalledProcessError:
                seen["ipv6"] = "no"

            run("nft", "-c", "-f", ruleset)
            run("nft", "-f", ruleset)
            run("nft", "-f", "-", text=f'include "{ruleset}"\ninclude "{ruleset}"\n')

            def beat(seconds):
                add = f"add element inet weir alive {{ tcp timeout {seconds}, udp timeout {seconds} }}\n"
                run("nft", "-f", "-", text=add + "delete element inet weir alive { tcp, udp }\n" + add)

            def say(address):
                host, port = address[:2]
                return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

            def original(raw):
                if len(raw) < 28:
                    return say((socket.inet_ntop(socket.AF_INET, raw[4:8]), struct.unpack("!H", raw[2:4])[0]))
                return say((socket.inet_ntop(socket.AF_INET6, raw[8:24]), struct.unpack("!H", raw[2:4])[0]))

            # The engine: over TCP it says where the client wanted to go, over UDP it notes it.
            six = socket.socket(socket.AF_INET6, socket.SOCK_STREAM) if seen["ipv6"] == "yes" else None
            four = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            four.bind(("127.0.0.1", 15001))
            if six: six.bind(("::1", 15001))
            def answer(listener, level):
                while True:
                    client, _ = listener.accept()
                    client.sendall(original(client.getsockopt(level, 80, 28 if level == 41 else 16)).encode())
                    client.close()
            for listener, level in [(four, 0), (six, 41)]:
                if listener:
                    listener.listen(64)
                    threading.Thread(target=answer, args=(listener, level), daemon=True).start()

            echo = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            echo.bind(("127.0.0.1", 8443))
            echo.listen(1)
            def answer_echo():
                client, _ = echo.accept()
                client.sendall(b"echo")
                client.close()
            threading.Thread(target=answer_echo, daemon=True).start()

            datagrams = {}
            def note(receiver):
                while True:
                    data, ancillary, _, _ = receiver.recvmsg(512, 512)
                    datagrams[data.decode()] = original(ancillary[0][2])
            for family, level, transparent, wanted in [(socket.AF_INET, 0, 19, 20), (socket.AF_INET6, 41, 75, 74)]:
                if family == socket.AF_INET6 and not six: continue
                receiver = socket.socket(family, socket.SOCK_DGRAM)
                if level == 41: receiver.setsockopt(41, socket.IPV6_V6ONLY, 1)
                receiver.setsockopt(level, transparent, 1)
                receiver.setsockopt(level, wanted, 1)
                receiver.bind(("", 15002))
                threading.Thread(target=note, args=(receiver,), daemon=True).start()

            def tcp(probe, host, port, mark=None, wait=0.4):
                with contextlib.closing(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)) as client:
                    if mark: client.setsockopt(socket.SOL_SOCKET, 36, mark)
                    client.settimeout(wait)
                    try:
                        client.connect((host, port))
                    except socket.timeout:
                        seen[probe] = "direct"
                        return
                    client.settimeout(10)
                    seen[probe] = client.recv(100).decode()

            def udp(probe, host, port, mark=None, sender=None):
                client = sender or socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
                if mark: client.setsockopt(socket.SOL_SOCKET, 36, mark)
                client.sendto(probe.encode(), (host, port))
                if not sender: client.close()

            tcp("silent", "203.0.113.7", 443)
            udp("udp silent", "203.0.113.7", 443)
            beat("60s")
            tcp("captured", "203.0.113.7", 443, wait=10)
            tcp("captured beside a network", "192.0.2.98", 80, wait=10)
            tcp("loopback", "127.0.0.1", 8443, wait=10)
            tcp("own mark", "203.0.113.7", 443, mark=0x57450001)
            tcp("rule 1", "203.0.113.7", 22)
            tcp("rule 1 range", "203.0.113.7", 8005)
            tcp("rule 2", "192.0.2.99", 443)
            tcp("push", "17.1.2.3", 5223)
            tcp("dns", "203.0.113.7", 53)
            udp("udp captured", "203.0.113.7", 443)
            udp("udp captured beside a range", "203.0.113.8", 22)
            udp("udp own mark", "203.0.113.7", 443, mark=0x57450001)
            udp("udp rule 2", "198.51.100.200", 443)
            socket_of_many = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp("udp ntp", "203.0.113.9", 123, sender=socket_of_many)
            udp("udp captured after ntp", "203.0.113.9", 443, sender=socket_of_many)
            if six:
                tcp("captured 6", "2001:db8:2::7", 443, wait=10)
                tcp("rule 2 6", "2001:db8:1::7", 443)
                udp("udp captured 6", "2001:db8:2::7", 443)

            # A sign of life every 0.3 s outlasts its three seconds; without one it ends.
            end = time.monotonic() + 5
            while time.monotonic() < end:
                beat("3s")
                time.sleep(0.3)
            tcp("renewed", "203.0.113.7", 443, wait=2)
            time.sleep(4)
            tcp("fell silent", "203.0.113.7", 443)
            udp("udp fell silent", "203.0.113.7", 443)
            beat("60s")
            tcp("recovered", "203.0.113.7", 443, wait=10)
            end = time.monotonic() + 5
            while ("udp captured 6" if six else "udp captured after ntp") not in datagrams and time.monotonic() < end:
                time.sleep(0.05)

            for probe in ["udp silent", "udp captured", "udp captured beside a range", "udp own mark", "udp rule 2", "udp ntp",
                          "udp captured after ntp", "udp fell silent"] + (["udp captured 6"] if six else []):
                seen[probe] = datagrams.get(probe, "direct")
            for item in json.loads(run("nft", "-j", "list", "table", "inet", "weir"))["nftables"]:
                rule = item.get("rule", {})
                for part in rule.get("expr", []):
                    if "counter" in part and "comment" in rule:
                        name = "packets " + rule["comment"]
                        seen[name] = str(int(seen.get(name, "0")) + part["counter"]["packets"])
            print(json.dumps(seen))
            """#
    }
}
