// SPDX-License-Identifier: Apache-2.0

// The programs and units that never speak for themselves, with the reason for each group.

enum ProgramRoleTable {
    static let byName: [String: KnownProgram] = table { $0.names }
    static let byPackage: [String: KnownProgram] = table { $0.packages }

    private struct Row {
        var role: ProgramRole
        var names: String
        /// Packages all of whose programs have the role, for those with many or changing names.
        var packages = ""
        var grammar: ScriptGrammar?
        var reason: String
    }

    private static func table(_ words: (Row) -> String) -> [String: KnownProgram] {
        var table: [String: KnownProgram] = [:]
        for row in rows {
            for word in words(row).split(separator: " ") {
                table[String(word)] = KnownProgram(role: row.role, reason: row.reason, grammar: row.grammar)
            }
        }
        return table
    }

    private static let script = "it runs the script that its arguments name"

    private static let rows: [Row] = [
        Row(role: .interpreter, names: "python pypy", packages: "python", grammar: .python, reason: script),
        Row(role: .interpreter, names: "perl", packages: "perl-base", grammar: .perl, reason: script),
        Row(role: .interpreter, names: "ruby jruby", grammar: .ruby, reason: script),
        Row(role: .interpreter, names: "node nodejs", packages: "nodejs", grammar: .node, reason: script),
        Row(role: .interpreter, names: "deno bun", reason: script),
        Row(role: .interpreter, names: "php php-cgi php-fpm hhvm", grammar: .php, reason: script),
        Row(role: .interpreter, names: "lua luajit texlua", grammar: .lua, reason: script),
        Row(
            role: .interpreter,
            names: "sh dash bash rbash zsh ksh ksh93 mksh lksh yash tcsh csh fish ash posh static-sh",
            grammar: .shell, reason: "it is a shell and runs the commands that its arguments or input hold"),
        Row(
            role: .interpreter, names: "busybox toybox", packages: "busybox busybox-static toybox",
            grammar: .multicall, reason: "it is many programs in one, a shell and a downloader among them"),
        Row(
            role: .interpreter, names: "awk gawk mawk nawk original-awk", grammar: .awk,
            reason: "it runs the program that its arguments hold; gawk opens connections"),
        Row(
            role: .interpreter, names: "java jshell jrunscript javaw", grammar: .java,
            reason: "it runs the classes that its arguments name"),
        Row(
            role: .interpreter, names: "dotnet mono mono-sgen pwsh powershell", grammar: .plain,
            reason: "it runs the assembly or script that its arguments name"),
        Row(
            role: .interpreter,
            names: "tclsh wish expect guile gjs gjs-console cjs qjs d8 R Rscript octave julia groovy scala",
            grammar: .plain, reason: script),
        Row(
            role: .interpreter,
            names: "beam.smp beam erl escript iex racket sbcl clisp ecl swipl gforth ocaml ghci runghc",
            reason: "it runs code that is loaded into it"),
        Row(
            role: .interpreter, names: "gdb gdbserver lldb lldb-server strace ltrace valgrind perf rr bpftrace",
            reason: "it runs or controls the program that its arguments name"),
        Row(
            role: .interpreter, names: "vim vi nvim emacs emacs-gtk emacs-nox emacs-lucid kak",
            packages: "vim vim-tiny vim-nox vim-gtk neovim emacs-bin-common",
            reason: "it is an editor with a language of its own, which opens connections and runs programs"),
        Row(
            role: .interpreter, names: "wine wine64 wine-preloader wine64-preloader wasmtime wasmer firejail bwrap",
            packages: """
                qemu-user qemu-user-static qemu-system-x86 qemu-system-arm qemu-system-mips qemu-system-misc \
                qemu-system-ppc qemu-system-s390x qemu-system-sparc
                """, reason: "it runs a program of another kind or in another place"),
        Row(
            role: .interpreter,
            names: "make gmake ninja cmake ansible puppet chef-client salt-minion salt-call sqlite psql",
            reason: "what it runs stands in files or comes from elsewhere"),

        Row(
            role: .transferTool,
            names: """
                curl wget wget2 aria2c axel lftp ftp tnftp ncftp ncftpput ftpp sftp scp ssh slogin autossh sshfs rsync \
                rclone restic borg duplicity unison croc wormhole syncthing telnet tftp smbclient mosh mosh-client \
                w3m lynx links links2 elinks s3cmd aws gsutil gcloud az mc kubectl helm gh
                """,
            packages: "openssh-client curl wget rsync lftp aria2", reason: "it carries what a user tells it to"),
        Row(
            role: .transferTool,
            names: """
                git git-remote-http git-remote-https git-remote-ftp git-remote-ftps git-daemon git-http-fetch \
                git-http-push git-imap-send git-send-email hg svn svnserve bzr cvs fossil
                """,
            packages: "git", reason: "it carries a user's files to and from repositories"),
        Row(
            role: .transferTool,
            names:
                "nc netcat ncat nc.openbsd nc.traditional socat openssl gnutls-cli websocat corkscrew",
            packages: "netcat-openbsd netcat-traditional ncat socat",
            reason: "it joins its input and output to a connection"),
        Row(
            role: .transferTool,
            names: """
                exim exim4 postfix smtp sendmail msmtp ssmtp nullmailer nullmailer-send qmail-remote opensmtpd smtpd \
                mutt neomutt mail mailx s-nail bsd-mailx swaks fetchmail getmail offlineimap mbsync isync
                """,
            packages: "exim4-daemon-light exim4-daemon-heavy postfix opensmtpd",
            reason: "it carries the mail that users hand it"),
        Row(
            role: .transferTool,
            names: """
                squid tinyproxy privoxy tor polipo danted sockd stunnel stunnel4 haproxy nginx apache2 httpd lighttpd \
                caddy envoy traefik varnishd e2guardian redsocks sslh sshd openvpn ocserv openconnect chisel frpc frps \
                cloudflared ngrok sing-box xray v2ray ss-local gost rinetd systemd-socket-proxyd slirp4netns passt \
                pasta rootlesskit
                """,
            packages: "squid nginx apache2-bin openssh-server",
            reason: "it is a proxy, tunnel or server and carries what others hand it"),
        Row(
            role: .transferTool,
            names:
                "docker dockerd containerd podman buildkitd buildah skopeo nerdctl crio cupsd smbd transmission-daemon",
            reason: "it carries files and images that users hand it"),
    ]

    /// Units that start what users tell them, by the prefix of their name.
    static let carryingUnits: [String: String] = {
        var table: [String: String] = [:]
        let rows: [(names: String, reason: String)] = [
            ("cron crond cronie fcron anacron atd at bcron incron", "it runs the jobs that users write down"),
            ("ssh sshd dropbear telnetd inetd xinetd mosh", "it runs what users who log in tell it to"),
            (
                "getty serial-getty console-getty container-getty autovt kmsconvt emergency rescue debug-shell user",
                "it runs a user's session"
            ),
            ("gdm gdm3 lightdm sddm lxdm xdm slim greetd display-manager ly", "it runs a user's desktop"),
            (
                "docker containerd podman crio kubelet k3s snapd lxd incus libvirtd systemd-nspawn machines",
                "it starts containers, snaps or machines"
            ),
            ("rc-local jenkins gitlab-runner buildkitd actions", "it runs commands that somebody wrote down"),
        ]
        for row in rows {
            for name in row.names.split(separator: " ") { table[String(name)] = row.reason }
        }
        return table
    }()
}
