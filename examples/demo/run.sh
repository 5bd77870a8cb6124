#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Shows what Weir does: real curl, real nginx over TLS, the preset `redact` between them. `make demo` builds and runs it.
#
# Every claim it prints is checked, and it exits 1 when one is not so. It runs in a network of its own (.ci/own-network):
# nothing leaves the machine, and whatever it starts ends with it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
[ "${WEIR_OWN_NETWORK:-}" = 1 ] || exec "$here/../../.ci/own-network" "$here/run.sh" "$@"

weir=${WEIR_BINARY:?set WEIR_BINARY to the weir program, or say make demo}
work=$(mktemp -d)
name=origin.test
secure=https://$name:8443
. "$here/../claims.sh"

give_up() {
    printf 'demo: %s\n' "$1" >&2
    if [ -s "$work/weir.log" ]; then tail -n 20 "$work/weir.log" >&2; fi
    exit 1
}

nothing_stored() { ! grep -rlaqF -- "$1" "$work/bodies" "$work/requests.log"; }
status() { [ "$(tail -n 1 "$work/status")" = "$1" ]; }
received() {  # the body of the newest request, once nginx has written its log
    local count=$1 tries
    for tries in $(seq 100); do
        if [ "$(wc -l < "$work/requests.log")" -ge "$count" ]; then
            tail -n 1 "$work/requests.log" | cut -d ' ' -f 1 | sed 's|^-$|/dev/null|'   # - is an empty body
            return
        fi
        sleep 0.05
    done
    echo /dev/null
}
curl_options=(--disable -sS --max-time 20 -o "$work/answer" -w '%{http_code}\n')
through() { curl "${curl_options[@]}" --cacert "$state/ca.pem" "$@" > "$work/status" || true; }

title 'Setting the scene'
for tool in nginx openssl curl gzip nc; do
    command -v "$tool" > /dev/null || give_up "$tool is not installed, run \`make deps\`"
done
cd "$work"
mkdir bodies
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -keyout root.key -out root.pem \
    -subj '/CN=Demonstration root' 2> /dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -out leaf.csr \
    -subj "/CN=$name" 2> /dev/null
printf 'subjectAltName=DNS:%s\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n' "$name" > leaf.ext
openssl x509 -req -in leaf.csr -CA root.pem -CAkey root.key -CAcreateserial -days 30 -extfile leaf.ext -out leaf.pem 2> /dev/null
cat > nginx.conf << CONFIGURATION
user root; daemon off; master_process off; pid nginx.pid; error_log error.log;
events {}
http {
    log_format body '\$request_body_file \$request_method \$status';
    access_log requests.log body;
    client_body_temp_path bodies; proxy_temp_path t1; fastcgi_temp_path t2; uwsgi_temp_path t3; scgi_temp_path t4;
    server { listen unix:$work/sink; access_log off; return 200 "stored\\n"; }
    server {
        listen 192.0.2.10:8443 ssl; ssl_certificate leaf.pem; ssl_certificate_key leaf.key;
        location / {
            client_body_in_file_only on; proxy_pass_request_body off;
            proxy_set_header Content-Length ""; proxy_set_header Content-Encoding ""; proxy_pass http://unix:$work/sink:/;
        }
    }
}
CONFIGURATION
nginx -p "$work" -c nginx.conf -e error.log 2> /dev/null &
nginx=$!
state=$work/state
"$weir" proxy --listen 127.0.0.1:0 --state "$state" --policy redact --upstream-ca root.pem 2> weir.log &
proxy=$!
trap 'kill $nginx $proxy 2> /dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 200); do
    port=$(sed -nE 's/^weir: listening on .*:([0-9]+)$/\1/p' weir.log | head -n 1)
    if [ -n "$port" ] && nc -z 192.0.2.10 8443; then break; fi
    kill -0 "$proxy" 2> /dev/null || give_up 'weir proxy did not start'
    kill -0 "$nginx" 2> /dev/null || give_up "nginx did not start: $(cat error.log)"
    sleep 0.05
done
[ -n "$port" ] || give_up 'weir proxy is not listening'
say "client   $(curl --version | head -n 1 | cut -d ' ' -f 1,2)"
say "origin   $(nginx -v 2>&1 | sed 's/.*: //'), over TLS, at $secure"
say "between  weir proxy --listen 127.0.0.1:$port --policy redact"

card='4111 1111 1111 1111' iban=DE89370400440532013000
token=ghp''_Q7mZx2Lr9TbV4nKc8PfWd3HyJs6GaU0DG1fG # in two parts, so that no scanner takes it for a leak
email=ada.lovelace@example.com

title '1  JSON, through the HTTP proxy'
printf '{\n "order":   1017,\n "card":    "%s",\n "refund":  "%s",\n "token":   "%s",\n "contact": "%s"\n}\n' \
    "$card" "$iban" "$token" "$email" > order.json
through -x "http://127.0.0.1:$port" -H 'Content-Type: application/json' --data-binary @order.json "$secure/orders"
arrived=$(received 1)
beside order.json "$arrived"
claim 'the origin took it (200)' status 200
claim "not a byte longer or shorter: $(wc -c < order.json) bytes" same_size order.json "$arrived"
claim 'the card number did not arrive' lacks "$card" "$arrived"
claim 'the IBAN did not arrive' lacks "$iban" "$arrived"
claim 'the access token did not arrive' lacks "$token" "$arrived"
claim 'the e-mail address did, for the policy only reports those' has "$email" "$arrived"

title '2  A form with a file, through SOCKS5'
printf 'Dear all,\nplease pay to %s\nor charge %s.\n' "$iban" "$card" > letter.txt
through --socks5-hostname "127.0.0.1:$port" -F 'note=call me' -F 'file=@letter.txt;type=text/plain' "$secure/form"
arrived=$(received 2)
boundary=$(head -n 1 "$arrived" | tr -d '\r')   # curl invents one; the rest of what it sends is known
{
    printf '%s\r\nContent-Disposition: form-data; name="note"\r\n\r\ncall me\r\n' "$boundary"
    printf '%s\r\nContent-Disposition: form-data; name="file"; filename="letter.txt"\r\n' "$boundary"
    printf 'Content-Type: text/plain\r\n\r\n'
    cat letter.txt
    printf '\r\n%s--\r\n' "$boundary"
} > form
beside form "$arrived"
claim 'the origin took it (200)' status 200
claim 'the form kept its shape' same_size form "$arrived"
claim 'the IBAN did not arrive' lacks "$iban" "$arrived"
claim 'the card number did not arrive' lacks "$card" "$arrived"

title '3  A compressed body, by `weir exec` with no proxy set anywhere'
gzip -c letter.txt > letter.gz
"$weir" exec --state "$state" --policy redact --upstream-ca root.pem -- \
    curl "${curl_options[@]}" -H 'Content-Encoding: gzip' -H 'Content-Type: text/plain' \
    --data-binary @letter.gz "$secure/letters" > status || true
arrived=$(received 3)
gzip -dc < "$arrived" > unpacked 2> /dev/null || true
beside letter.txt unpacked
claim 'the origin took it (200)' status 200
claim 'what arrived is still gzip' gzip -t < "$arrived"
claim 'the text inside kept its length' same_size letter.txt unpacked
claim 'the IBAN did not arrive' lacks "$iban" unpacked
claim 'the card number did not arrive' lacks "$card" unpacked

title '4  A private key'
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out secret.pem 2> /dev/null
secret=$(sed -n 2p secret.pem)
through -x "http://127.0.0.1:$port" -H 'Content-Type: text/plain' --data-binary @secret.pem "$secure/keys"
say "the client is answered $(cat status):"
head -c 1200 answer | fold -s -w 100 | sed 's/^/      /'
echo
claim 'the client is told no (403)' status 403
claim 'nothing of the key reached the origin' nothing_stored "$secret"

title '5  A protocol that Weir does not know, whose server speaks first'
{ printf '220 ready\r\n'; head -c 300000 /dev/urandom; } > server.bin
{ printf '\001\002 %s ' "$card"; head -c 300000 /dev/urandom; } > client.bin
nc -l -N 192.0.2.10 7000 < server.bin > from-client &
listener=$!
for _ in $(seq 100); do nc_ready=$(ss -Htln 'sport = :7000'); [ -n "$nc_ready" ] && break; sleep 0.05; done
timeout 20 nc -N -X connect -x "127.0.0.1:$port" 192.0.2.10 7000 < client.bin > from-server || true
wait "$listener" || true
for file in client.bin from-client server.bin from-server; do
    say "$(printf '%-12s' "$file") $(sha256sum < "$file" | cut -c 1-32)  $(wc -c < "$file") bytes"
done
claim 'what the client sent arrived bit for bit' cmp -s client.bin from-client
claim 'what the server sent arrived bit for bit' cmp -s server.bin from-server

title '6  What Weir wrote down'
kill -TERM "$proxy"
ended=0
wait "$proxy" || ended=$?
claim 'weir ended in order' [ "$ended" = 0 ]
"$weir" events list --state "$state" > events.txt || true
cat events.txt
"$weir" events list --state "$state" --format json > events.json || true
claim 'there are findings in it' grep -Eq '"kind" ?: ?"finding"' events.json
for what in "$card" "$iban" "$token" "$email" "$secret"; do
    claim "but not ${what:0:4}... itself, in any file of its state" bash -c '! grep -rlaqF -- "$1" "$2" events.txt' - "$what" "$state"
done

conclude demo
