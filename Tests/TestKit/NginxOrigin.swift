// SPDX-License-Identifier: Apache-2.0

// A real web server that keeps what it receives.

import Foundation

/// One request as nginx saw it.
public struct OriginRequest: Sendable, Decodable {
    public var method, uri, `protocol`, status, host, type, length, encoding, transfer, tag: String
    public var authorization, alpn, sni: String
    /// Equal for requests that came over one connection.
    public var connection: String
    public var bodyFile: String

    /// The body after transfer decoding, content coding untouched.
    public var body: [UInt8] { TemporaryFolder.read(bodyFile) ?? [] }
    public var text: String { String(decoding: body, as: UTF8.self) }
}

/// nginx in a folder of its own, over TLS and in plain, at `192.0.2.10`.
///
/// `/upload` takes any body and keeps it, `/files/…` serves what `publish` wrote, `/gzip/…` the same compressed,
/// `/slow/…` the same at 256 KiB a second, `/empty` answers 204.
public final class NginxOrigin: Sendable {
    public let plainPort: UInt16
    /// TLS with both `h2` and `http/1.1`.
    public let http2Port: UInt16
    private let ports: [CertificateKind: UInt16]
    private let folder: TemporaryFolder
    private let server: RunningProgram

    public init(authority: LocalCA) throws {
        folder = try TemporaryFolder()
        plainPort = try TestNetwork.freePort()
        http2Port = try TestNetwork.freePort()
        var ports: [CertificateKind: UInt16] = [:]
        for kind in CertificateKind.allCases { ports[kind] = try TestNetwork.freePort() }
        self.ports = ports
        for name in ["bodies", "files"] {
            try FileManager.default.createDirectory(atPath: folder(name), withIntermediateDirectories: false)
        }

        var servers = NginxOrigin.server("\(TestNetwork.address):\(plainPort)", "")
        let modern = NginxOrigin.tls(authority, .ec)
        servers += NginxOrigin.server("\(TestNetwork.address):\(http2Port) ssl http2", modern)
        for (kind, port) in ports.sorted(by: { $0.value < $1.value }) {
            servers += NginxOrigin.server("\(TestNetwork.address):\(port) ssl", NginxOrigin.tls(authority, kind))
        }
        let configuration = try folder.write(NginxOrigin.configuration(folder, servers), to: "nginx.conf")
        let arguments = ["-p", folder.path, "-c", configuration, "-e", folder("error.log")]
        server = try Program("nginx", arguments).start()
        let port = plainPort
        let ready = Deadline(seconds: 10).poll { () -> Bool? in
            if server.status != nil { return false }
            return Connection.canConnect(address: TestNetwork.address, port: port) ? true : nil
        }
        guard ready == true else {
            let log = TemporaryFolder.read(folder("error.log")).map { String(decoding: $0, as: UTF8.self) } ?? ""
            stop()
            throw TestKitError("nginx did not start: \(log)")
        }
    }

    public func stop() {
        server.kill()
        folder.remove()
    }

    public func port(_ kind: CertificateKind) -> UInt16 { ports[kind] ?? 0 }

    /// `https://origin.test:…` with HTTP/1.1 and a good certificate, or a bad one of the wanted kind.
    public func secure(_ path: String, _ kind: CertificateKind = .ec) -> String {
        "https://\(TestNetwork.name):\(port(kind))\(path)"
    }
    public func plain(_ path: String) -> String { "http://\(TestNetwork.name):\(plainPort)\(path)" }
    public func http2(_ path: String) -> String { "https://\(TestNetwork.name):\(http2Port)\(path)" }

    /// Puts a file where `/files/NAME` serves it, and returns its path.
    @discardableResult
    public func publish(_ contents: [UInt8], as name: String) throws -> String {
        try folder.write(contents, to: "files/\(name)")
    }

    /// The folder behind `/files/`.
    public var files: String { folder("files") }

    /// All finished requests, once there are at least so many.
    ///
    /// nginx writes its log just after the client has its answer, so a test that has the answer may be early.
    public func requests(atLeast count: Int) throws -> [OriginRequest] {
        let found = try Deadline(seconds: 5).poll { () throws -> [OriginRequest]? in
            let requests = try finishedRequests()
            return requests.count >= count ? requests : nil
        }
        guard let found else {
            throw TestKitError("the origin has seen \(try finishedRequests().count) requests, not \(count)")
        }
        return found
    }

    public func finishedRequests() throws -> [OriginRequest] {
        let lines = (TemporaryFolder.read(folder("access.log")) ?? []).split(separator: UInt8(ascii: "\n"))
        return try lines.map { try JSONDecoder().decode(OriginRequest.self, from: Data($0)) }
    }

    /// Whether the bytes stand in any body, of finished or broken requests, or in the logs.
    public func hasSeen(_ bytes: String) -> Bool {
        let bodies = (try? FileManager.default.subpathsOfDirectory(atPath: folder("bodies"))) ?? []
        let needle = Data(bytes.utf8)
        return (bodies.map { folder("bodies/\($0)") } + [folder("access.log"), folder("error.log")]).contains { file in
            FileManager.default.contents(atPath: file)?.range(of: needle) != nil
        }
    }
}

extension NginxOrigin {
    private static func tls(_ authority: LocalCA, _ kind: CertificateKind) -> String {
        """
        ssl_certificate \(authority.certificate(kind));
        ssl_certificate_key \(authority.key(kind));
        ssl_ciphers DEFAULT:@SECLEVEL=\(kind == .weakKey ? 0 : 2);
        """
    }

    private static func server(_ listen: String, _ directives: String) -> String {
        "server { listen \(listen); \(directives) include locations.conf; }\n"
    }

    private static func configuration(_ folder: TemporaryFolder, _ servers: String) throws -> String {
        let sink = "unix:\(folder("sink"))"
        try folder.write(locations(sink), to: "locations.conf")
        return """
            daemon off;
            user root;
            master_process off;
            pid nginx.pid;
            error_log error.log info;
            events { worker_connections 512; }
            http {
                log_format requests escape=json '{"method":"$request_method","uri":"$request_uri",'
                    '"protocol":"$server_protocol","status":"$status","host":"$http_host","type":"$http_content_type",'
                    '"length":"$http_content_length","encoding":"$http_content_encoding",'
                    '"transfer":"$http_transfer_encoding","tag":"$http_x_tag","authorization":"$http_authorization",'
                    '"alpn":"$ssl_alpn_protocol","sni":"$ssl_server_name","connection":"$connection",'
                    '"bodyFile":"$request_body_file"}';
                access_log access.log requests;
                client_body_temp_path bodies;
                proxy_temp_path proxy;
                fastcgi_temp_path fastcgi;
                uwsgi_temp_path uwsgi;
                scgi_temp_path scgi;
                client_max_body_size 0;
                default_type application/octet-stream;
                types { application/json json; text/html html; text/plain txt; }
                server { listen \(sink); access_log off; return 200 '{"stored":true}\\n'; }
                \(servers)
            }

            """
    }

    // nginx keeps a body only for a location that reads it, so `/upload` asks a second server for the answer.
    private static func locations(_ sink: String) -> String {
        """
        location = /upload {
            client_body_in_file_only on;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header Expect "";
            proxy_set_header Content-Encoding "";
            proxy_pass http://\(sink):/;
        }
        location /files/ { alias files/; index index.html; }
        location /gzip/ { alias files/; gzip on; gzip_min_length 1; gzip_types *; }
        location /slow/ { alias files/; limit_rate 256k; }
        location = /empty { return 204; }

        """
    }
}
