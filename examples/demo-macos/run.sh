#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Shows what Weir's macOS extension does, on Linux: real curl and nginx, and a simulated Mac's kernel between them and the
# real provider. `make demo-macos` builds and runs it; README.md says what is real.
#
# Every claim it prints is checked, and it exits 1 when one is not so. It runs in a network of its own (.ci/own-network):
# nothing leaves the machine, and whatever it starts ends with it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
[ "${WEIR_OWN_NETWORK:-}" = 1 ] || exec "$here/../../.ci/own-network" "$here/run.sh" "$@"

machine=${DEMO_MAC_BINARY:?set DEMO_MAC_BINARY to the program DemoMac, or say make demo-macos}
weir=${WEIR_BINARY:?set WEIR_BINARY to the weir program, or say make demo-macos}
work=$(mktemp -d)
started=()
trap '[ ${#started[@]} = 0 ] || kill "${started[@]}" 2> /dev/null || true; rm -rf "$work"' EXIT
. "$here/../claims.sh"

give_up() {
    printf 'demo-macos: %s\n' "$1" >&2
    if [ -s "$work/mac.log" ]; then tail -n 20 "$work/mac.log" >&2; fi
    exit 1
}

# until_so COMMAND...: waits for it to be so.
until_so() {
    for _ in $(seq 400); do
        if "$@"; then return; fi
        sleep 0.05
    done
    give_up "waited in vain for: $*"
}

# ask WORDS...: gives the machine an order; its reply is in $reply.
ask() {
    printf '%s\n' "$*" >&"${mac[1]}" || give_up 'the machine is gone'
    read -r -t 60 reply <&"${mac[0]}" || give_up "the machine does not answer to $1"
}

# seen EVENT PROGRAM WHERE: how often the kernel noted it.
seen() {
    ask log "$work/kernel.log"
    awk -v event="$1" -v program="$2" -v where="$3" \
        '$1 == event && $2 == program && index($3, where) { count++ } END { print count + 0 }' kernel.log
}
saw() { [ "$(seen "$1" "$2" "$3")" -ge 1 ]; }
never() { [ "$(seen "$1" "$2" "$3")" = 0 ]; }

# errno_of PROGRAM [EVENT]: the last error that the kernel gave it.
errno_of() {
    ask log "$work/kernel.log"
    awk -v program="$1" -v event="${2:-}" \
        '$2 == program && index($1, event) && $4 != "-" { last = $4 } END { print last }' kernel.log
}

# through APP CURL-OPTIONS...: curl as this application of the simulated Mac.
through() {
    local app=$1 fd
    shift
    for fd in "${held[@]}"; do exec {fd}>&-; done
    exec curl --disable -sS --max-time 30 -o /dev/null -w '%{http_code}' \
        --socks5-hostname "127.0.0.1:$door" --proxy-user "$app:none" "$@"
}
declare -A held=() pid=() cell=() url=() authority=() way=()

# upload APP FILE URL AUTHORITY: leaves the HTTP status, or how curl and connect failed, in $outcome.
upload() {
    local code=0
    outcome=$(through "$1" --cacert "$4" -H 'Content-Type: text/plain' --data-binary "@$2" "$3" 2> "$1.err") || code=$?
    [ "$code" = 0 ] || outcome="curl $code $(errno_of "$1")"
}
arrived() { grep -q " $1 " requests.log; }
received() {  # the body of the newest request for this path, once nginx has written its log
    until_so arrived "$1"
    grep " $1 " requests.log | tail -n 1 | cut -d ' ' -f 1
}

title 'Setting the scene'
for tool in nginx openssl curl nc; do
    command -v "$tool" > /dev/null || give_up "$tool is not installed, run \`make deps\`"
done
cd "$work"
mkdir bodies
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -keyout root.key -out root.pem \
    -subj '/CN=Demonstration root' 2> /dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -out leaf.csr \
    -subj '/CN=origin.test' 2> /dev/null
printf 'subjectAltName=DNS:origin.test,DNS:courier.push.apple.com\nextendedKeyUsage=serverAuth\n' > leaf.ext
openssl x509 -req -in leaf.csr -CA root.pem -CAkey root.key -CAcreateserial -days 30 -extfile leaf.ext -out leaf.pem 2> /dev/null
# The organisation's root signs the authority of this Mac, whose key stays in the Mac's state.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -keyout house.key -out house.pem \
    -subj '/CN=Demonstration organisation' -addext basicConstraints=critical,CA:TRUE -addext 'keyUsage=critical,keyCertSign,cRLSign' 2> /dev/null
"$weir" ca csr --state state --name 'this Mac' > mac.csr || give_up 'weir ca csr failed'
printf 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n' > mac.ext
openssl x509 -req -in mac.csr -CA house.pem -CAkey house.key -days 7 -extfile mac.ext -out mac.pem 2> /dev/null
cat house.pem >> mac.pem
"$weir" ca install --state state mac.pem > /dev/null || give_up 'weir ca install failed'
cat > nginx.conf << CONFIGURATION
user root; daemon off; master_process off; pid nginx.pid; error_log error.log;
events {}
http {
    log_format body '\$request_body_file \$uri \$status';
    access_log requests.log body;
    client_body_temp_path bodies; proxy_temp_path t1; fastcgi_temp_path t2; uwsgi_temp_path t3; scgi_temp_path t4;
    server { listen unix:$work/sink; access_log off; return 200 "stored\\n"; }
    server {
        listen 80; listen 443 ssl; listen 5223 ssl; ssl_certificate leaf.pem; ssl_certificate_key leaf.key;
        location / {
            client_body_in_file_only on; proxy_pass_request_body off;
            proxy_set_header Content-Length ""; proxy_pass http://unix:$work/sink:/;
        }
    }
}
CONFIGURATION
nginx -p "$work" -c nginx.conf -e error.log 2> /dev/null &
started+=($!)
nc -klu 127.0.0.1 5300 > datagrams &
started+=($!)
until_so nc -z 192.0.2.10 443
coproc mac { exec "$machine" "$work/state" redact "$work/root.pem" 2> mac.log; }
started+=("$mac_PID")
read -r -t 60 _ door <&"${mac[0]}" || give_up 'the machine did not start'
ours=$work/house.pem theirs=$work/root.pem
say "programs  $(curl --version | head -n 1 | cut -d ' ' -f 1,2), each as an application of a simulated Mac, by port $door"
say 'provider  WeirProvider, installed on that Mac, policy redact'
say "origin    $(nginx -v 2>&1 | sed 's/.*: //')"

card='4111 1111 1111 1111'
printf 'Please charge\n%s\nfor the order.\n' "$card" > letter.txt

title '1  What programs upload: curl by HTTP, an editor by HTTPS'
upload curl letter.txt http://origin.test/curl "$ours"; first=$outcome
upload editor letter.txt https://origin.test/editor "$ours"; second=$outcome
beside letter.txt "$(received /editor)"
claim "both were taken ($first, $second), the HTTPS one under the authority of this Mac" [ "$first $second" = '200 200' ]
for app in curl editor; do
    claim "$app: the card number did not arrive, nor a byte more or less" \
        eval 'lacks "$card" "$(received /$app)" && has "Please charge" "$(received /$app)" && same_size letter.txt "$(received /$app)"'
done

title '2  What is left alone, by the kernel'\''s own log'
upload apsd letter.txt https://courier.push.apple.com:5223/push "$theirs"; push=$outcome
claim "apsd, 5223 to Apple: excluded, never offered; its own TLS reached the origin ($push)" \
    eval '[ "$push" = 200 ] && saw excluded apsd :5223 && never offered apsd :5223'
ask datagram mDNSResponder 224.0.0.251 5353 who-is-there
claim "mDNSResponder, multicast 5353: $reply, never offered" \
    eval '[ "$reply" = excluded ] && never offered mDNSResponder :5353'
ask datagram mDNSResponder 192.0.2.10 53 what-is-origin.test
claim "mDNSResponder, DNS: $reply, and the question reached the server" \
    eval '[ "$reply" = declined ] && never claimed mDNSResponder :53 && until_so has what-is-origin.test datagrams'
upload trustd letter.txt http://ocsp.apple.com/ocsp "$theirs"
claim "trustd, OCSP: declined, and the engine never saw it ($outcome, untouched)" \
    eval '[ "$outcome" = 200 ] && saw declined trustd :80 && never claimed trustd :80 && cmp -s letter.txt "$(received /ocsp)"'

title '3  Who only says to be apsd: the identifier com.apple.apsd, signed by nobody'
for port in 443 5223; do
    upload impostor letter.txt "https://origin.test:$port/impostor-$port" "$ours"
    claim "at port $port: claimed, taken over, and the card number did not arrive ($outcome)" \
        eval '[ "$outcome" = 200 ] && saw claimed impostor :$port && lacks "$card" "$(received /impostor-$port)"'
done

title '4  QUIC'
ask datagram editor 192.0.2.10 443 initial
claim "of the editor: $reply at once, so that it falls back to TCP" [ "$reply" = 'refused ECONNREFUSED' ]
ask datagram apsd 192.0.2.10 443 initial
claim "of apsd: $reply" [ "$reply" = declined ]

# What becomes of applications when the provider dies: a live upload and new ones, each by three ways.
apps=(apsd trustd curl editor)
url=([apsd]=https://courier.push.apple.com:5223 [trustd]=http://ocsp.apple.com [curl]=http://origin.test [editor]=https://origin.test)
authority=([apsd]=$theirs [trustd]=$theirs [curl]=$ours [editor]=$ours)
way=([apsd]=excluded [trustd]=declined [curl]=claimed [editor]=claimed)

# begin APP: begins an upload that goes on until `finish APP`.
begin() {
    local fd
    rm -f "$1.fifo"
    mkfifo "$1.fifo"
    (through "$1" --cacert "${authority[$1]}" -v -T . -H 'Expect: 100-continue' --expect100-timeout 20 "${url[$1]}/live" \
        < "$1.fifo" > "$1.live" 2> "$1.trace") &
    pid[$1]=$!
    exec {fd}> "$1.fifo"
    held[$1]=$fd
    until_so grep -q '100 Continue' "$1.trace"
}
# finish APP: sends the rest, and leaves how it went in $outcome.
finish() {
    local fd=${held[$1]} code=0
    (printf 'and the end' >&"$fd") 2> /dev/null || true   # nobody reads any more where curl was cut
    exec {fd}>&-
    unset "held[$1]"
    wait "${pid[$1]}" || code=$?
    outcome=$(cat "$1.live")
    [ "$code" = 0 ] || outcome="curl $code $(errno_of "$1" aborted)"
}
before() {
    for app in "${apps[@]}"; do
        upload "$app" letter.txt "${url[$app]}/before" "${authority[$app]}"; cell[$app.before]=$outcome
        begin "$app"
    done
}
after() {
    ask start
    for app in "${apps[@]}"; do
        upload "$app" letter.txt "${url[$app]}/after-$1-$app" "${authority[$app]}"; cell[$app.after]=$outcome
    done
}
table() {
    printf '   %-8s %-9s %-22s %-8s %-22s %s\n' '' '' 'live upload' 'before' 'new one meanwhile' 'after the restart'
    for app in "${apps[@]}"; do
        printf '   %-8s %-9s %-22s %-8s %-22s %s\n' "$app" "${way[$app]}" "${cell[$app.live]}" "${cell[$app.before]}" \
            "${cell[$app.during]}" "${cell[$app.after]}"
    done
}
# cells APP LIVE BEFORE DURING AFTER: whether the application saw this; LIVE is a pattern.
cells() { [[ "${cell[$1.live]}|${cell[$1.before]}|${cell[$1.during]}|${cell[$1.after]}" == $2"|$3|$4|$5" ]]; }
# fate ERRNO ROUND: what each class is to see when new connections end so until the restart.
fate() {
    local new="curl 97 $1" cut='curl 5[56] ECONNABORTED' round=$2
    claim 'excluded: noticed nothing' cells apsd 200 200 200 200
    claim 'declined: what was open went on; what was new failed, for the provider has to be asked' \
        cells trustd 200 200 "$new" 200
    claim 'claimed: cut once, and what was new failed' \
        eval 'cells curl "$cut" 200 "$new" 200 && cells editor "$cut" 200 "$new" 200'
    claim 'after the restart it looks again: no card number arrived' \
        eval 'lacks "$card" "$(received /after-$round-curl)" && lacks "$card" "$(received /after-$round-editor)"'
}

title '5  The provider is killed'
before
ask kill
for app in "${apps[@]}"; do
    upload "$app" letter.txt "${url[$app]}/during" "${authority[$app]}"; cell[$app.during]=$outcome
    finish "$app"; cell[$app.live]=$outcome
done
after killed
table
fate EINVAL killed

title '6  The provider hangs inside a callback'
before
ask hang
claim 'its queue stands still' [ "$reply" = hung ]
upload apsd letter.txt "${url[apsd]}/during" "$theirs"; cell[apsd.during]=$outcome
offered_again() { [ "$(seen offered "$app" :)" -gt "$offers" ]; }
for app in trustd curl editor; do
    offers=$(seen offered "$app" :)
    (through "$app" --cacert "${authority[$app]}" --data-binary @letter.txt "${url[$app]}/during" > "$app.out" 2> "$app.err") &
    pid[$app.new]=$!
    until_so offered_again
done
for app in apsd trustd; do finish "$app"; cell[$app.live]=$outcome; done
ask wait
claim 'the watchdog ended it, as its third beat was missed' [ "$reply" = ended ]
for app in trustd curl editor; do
    code=0
    wait "${pid[$app.new]}" || code=$?
    cell[$app.during]="curl $code $(errno_of "$app")"
    [ "$app" = trustd ] || { finish "$app"; cell[$app.live]=$outcome; }
done
after hung
table
fate ECONNABORTED hung

title '7  What Weir wrote down'
exec {mac[1]}>&-
ended=0
wait "$mac_PID" || ended=$?
claim 'the extension ended in order' [ "$ended" = 0 ]
"$weir" events list --state state > events.txt || true
grep -o 'provider-died.*' events.txt | cut -c 1-110 | sed 's/^/   /' || true
claim 'both deaths are told' [ "$(grep -cF provider-died events.txt)" = 2 ]
claim 'the card number is in no file of its state' eval '! grep -rlaqF -- "$card" state events.txt'

conclude demo-macos
