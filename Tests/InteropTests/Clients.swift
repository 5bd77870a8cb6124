// SPDX-License-Identifier: Apache-2.0

// Small programs in other languages that tests run as clients.

enum Clients {
    /// node SCRIPT PROXY-PORT HOST PORT FILE: an upload by HTTP/2 alone, through CONNECT.
    static let http2OverConnect = """
        const [, , proxyPort, host, port, file] = process.argv;
        const http = require('http'), http2 = require('http2'), tls = require('tls'), fs = require('fs');
        const fail = (error) => { console.error(error); process.exit(1); };
        const connect = http.request({host: '127.0.0.1', port: proxyPort, method: 'CONNECT', path: `${host}:${port}`});
        connect.on('error', fail).on('connect', (answer, socket) => {
          if (answer.statusCode !== 200) fail(`CONNECT: ${answer.statusCode}`);
          const secure = tls.connect({socket, servername: host, ALPNProtocols: ['h2']});
          secure.on('error', fail).on('secureConnect', () => {
            const session = http2.connect(`https://${host}:${port}`, {createConnection: () => secure});
            session.on('error', fail);
            const request = session.request({':method': 'POST', ':path': '/upload'});
            let status, text = '';
            request.on('response', (headers) => { status = headers[':status']; });
            request.on('data', (piece) => { text += piece; });
            request.on('end', () => { console.log(status, text); session.close(); });
            request.on('error', fail).end(fs.readFileSync(file));
          });
        });
        connect.end();
        setTimeout(() => fail('no answer in 20 s'), 20000).unref();

        """

    /// python SCRIPT URL FILE: two uploads on one session, by the requests library.
    static let pythonRequests = """
        import sys, requests
        session = requests.Session()
        for _ in range(2):
            with open(sys.argv[2], 'rb') as body:
                answer = session.post(sys.argv[1], data=body, headers={'Content-Type': 'application/json'}, timeout=20)
            print(answer.status_code, answer.text.strip())

        """

    /// python3 SCRIPT URL: a download by the standard library.
    static let pythonGet = """
        import sys, urllib.request
        urllib.request.urlopen(sys.argv[1], timeout=20).read()

        """

    /// node SCRIPT URL FILE: an upload by fetch.
    static let nodeFetch = """
        const [, , url, file] = process.argv;
        fetch(url, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: require('fs').readFileSync(file)})
          .then(async (answer) => console.log(answer.status, await answer.text()))
          .catch((error) => { console.error(error); process.exit(1); });

        """

    /// python SCRIPT FOLDER: writes an index with one wheel, as pip wants it.
    static let packageIndex = """
        import hashlib, os, sys, zipfile
        folder = os.path.join(sys.argv[1], 'simple', 'weirdemo')
        os.makedirs(folder)
        wheel = os.path.join(folder, 'weirdemo-1.0-py3-none-any.whl')
        with zipfile.ZipFile(wheel, 'w') as archive:
            archive.writestr('weirdemo.py', 'answer = 42\\n')
            archive.writestr('weirdemo-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: weirdemo\\nVersion: 1.0\\n')
            archive.writestr('weirdemo-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
            archive.writestr('weirdemo-1.0.dist-info/RECORD', '')
        digest = hashlib.sha256(open(wheel, 'rb').read()).hexdigest()
        with open(os.path.join(folder, 'index.html'), 'w') as page:
            page.write(f'<a href="weirdemo-1.0-py3-none-any.whl#sha256={digest}">weirdemo-1.0-py3-none-any.whl</a>')

        """
}
