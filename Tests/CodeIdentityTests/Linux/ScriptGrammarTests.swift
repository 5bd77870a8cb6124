// SPDX-License-Identifier: Apache-2.0

// What arguments say an interpreter runs.

import Testing

@testable import CodeIdentity

@Suite("ScriptGrammar") struct ScriptGrammarTests {
    @Test(
        "The script is found behind the options of each interpreter",
        arguments: [
            ("/usr/bin/python3.11", "-I -W ignore a.py -c x", ScriptArgument.file("a.py")),
            ("/usr/bin/python3.11", "-Wignore -u a.py", .file("a.py")),
            ("/usr/bin/python3.11", "-um http.server", .module("http.server")),
            ("/usr/bin/python3.11", "-Ic pass a.py", .inline), ("/usr/bin/python3.11", "-", .input),
            ("/usr/bin/python3.11", "", .input), ("/usr/bin/python3.11", "-X", .input),
            ("/usr/bin/python3.11", "-- -a.py", .file("-a.py")),
            ("/usr/bin/python3.11", "--check-hash-based-pycs never a.py", .file("a.py")),
            ("/usr/bin/perl", "-w -I lib -Mstrict a.pl", .file("a.pl")), ("/usr/bin/perl", "-lne print a.txt", .inline),
            ("/usr/bin/perl", "-i.bak a.pl", .file("a.pl")),
            ("/usr/bin/bash", "-o pipefail a.sh -c x", .file("a.sh")), ("/usr/bin/dash", "-ec true", .inline),
            ("/usr/bin/bash", "--rcfile x a.sh", .file("a.sh")), ("/usr/bin/bash", "+o posix a.sh", .file("a.sh")),
            ("/usr/bin/node", "-r x --inspect=0 a.js", .file("a.js")), ("/usr/bin/node", "--eval 1", .inline),
            ("/usr/bin/ruby3.1", "-Ilib -r json a.rb", .file("a.rb")),
            ("/usr/bin/php8.2", "-d a=b -f a.php", .file("a.php")),
            ("/usr/bin/php8.2", "-r 1;", .inline), ("/usr/bin/lua5.4", "-l x a.lua", .file("a.lua")),
            ("/usr/bin/mawk", "-F : {print}", .inline), ("/usr/bin/gawk", "-v a=b -f a.awk x", .file("a.awk")),
            ("/usr/bin/java", "-Xmx1g -cp a:b org.Main", .module("org.Main")),
            ("/usr/bin/java", "-jar a.jar", .file("a.jar")),
            ("/usr/bin/java", "A.java", .file("A.java")), ("/usr/bin/java", "--module=a/b", .module("a/b")),
            ("/lib64/ld-linux-x86-64.so.2", "--library-path /x --inhibit-cache /bin/sleep 5", .file("/bin/sleep")),
            ("/usr/bin/busybox", "sh a.sh", .file("a.sh")), ("/usr/bin/busybox", "wget x", .input),
        ])
    func scripts(_ path: String, _ arguments: String, _ wanted: ScriptArgument) throws {
        let grammar = try #require(ProgramRoles.known(path: path, package: nil)?.grammar)
        #expect(grammar.argument(in: [path] + arguments.split(separator: " ").map(String.init)) == wanted)
    }

    @Test("A shell that is busybox is known by the name it was called by")
    func applet() {
        #expect(ScriptGrammar.multicall.argument(in: ["-sh"]) == .input)
        #expect(ScriptGrammar.multicall.argument(in: ["/bin/sh", "a.sh"]) == .file("a.sh"))
        #expect(ScriptGrammar.multicall.argument(in: []) == .input)
    }
}
