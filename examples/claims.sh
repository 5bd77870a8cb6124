# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# How a demonstration speaks: source it, make claims, end with `conclude NAME`.

failed=0
bold='' green='' red='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'; fi

title() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
say() { printf '   %s\n' "$1"; }

# claim TEXT COMMAND...: the text is true when the command succeeds.
claim() {
    local text=$1
    shift
    if "$@"; then
        printf '   %sok%s    %s\n' "$green" "$plain" "$text"
    else
        printf '   %sFALSE%s %s\n' "$red" "$plain" "$text"
        failed=$((failed + 1))
    fi
}
# beside SENT RECEIVED: two files in two columns; lines that differ are marked.
beside() {
    local width=110
    if [ -t 1 ]; then width=$(tput cols 2> /dev/null || echo 110); fi
    paste <(tr -d '\r' < "$1") <(tr -d '\r' < "$2") | awk -F '\t' -v width="$width" -v red="$red" \
        -v green="$green" -v plain="$plain" '
        BEGIN {
            half = int((width - 8) / 2); if (half < 30) half = 30; if (half > 64) half = 64
            line("what the client sent", "what the origin received", 0)
            dashes = sprintf("%" half "s", ""); gsub(/ /, "-", dashes); line(dashes, dashes, 0)
        }
        function line(left, right, differ) {
            printf "   %s%s%s%s %s %s%s%s\n", differ ? red : "", left, differ ? plain : "",
                sprintf("%" (half - length(left)) "s", ""), differ ? ">" : "|", differ ? green : "", right, differ ? plain : ""
        }
        {
            left = $1; right = $2
            do {  # long lines are cut into pieces of the column'\''s width
                a = substr(left, 1, half); b = substr(right, 1, half)
                line(a, b, a != b)
                left = substr(left, half + 1); right = substr(right, half + 1)
            } while (left != "" || right != "")
        }'
}

lacks() { [ -s "$2" ] && ! grep -aqF -- "$1" "$2"; }
has() { grep -aqF -- "$1" "$2"; }
same_size() { [ "$(wc -c < "$1")" = "$(wc -c < "$2")" ]; }

# conclude NAME: the last line, and the exit status.
conclude() {
    echo
    if [ "$failed" = 0 ]; then
        echo "$1: every claim is so"
    else
        echo "$1: $failed claims are not so" >&2
        exit 1
    fi
}
