# A session: one request after the other, each a line on stdin: METHOD PATH LENGTH TYPE. LENGTH bytes of body follow; with `-` there is
# none, and TYPE, where it is there, is the encoding in which the answer may come.
# Any other word ends it. Argument: seconds without a byte after which curl gives up.
# Answers are handed on as they come, never kept in a variable: they hold any byte. What a request left unread of its body is passed
# over, so that the next line is a request again.
idle=$1
command -v head >/dev/null 2>&1 || exit 92
exec 4<&0
over_curl() {
  curl -q -sS -i --no-buffer -H @- ${3:+-H} ${3:+"Accept-Encoding: $3"} -H 'Expect:' --noproxy '*' --globoff --connect-timeout 5 --speed-limit 1 --speed-time "$idle" \
    -X "$1" -- "http://127.0.0.1:$port$2"
}
with_curl() {
  curl -q -sS -i --no-buffer -H @/dev/fd/3 -H "Content-Type: $4" -H "Content-Length: $3" -H 'Transfer-Encoding:' -H 'Expect:' \
    --noproxy '*' --globoff --connect-timeout 5 --speed-limit 1 --speed-time "$idle" \
    -X "$1" --upload-file - -- "http://127.0.0.1:$port$2"
}
over_bash() {
  bash -c 'IFS= read -r credentials
    exec 5<>"/dev/tcp/127.0.0.1/$1" || exit 7
    printf "%s %s HTTP/1.0\r\nHost: 127.0.0.1\r\n%s\r\n${4:+Accept-Encoding: $4\r\n}\r\n" "$2" "$3" "$credentials" >&5
    cat <&5 || exit 56' bash "$port" "$1" "$2" "$3"
}
with_bash() {
  bash -c 'IFS= read -r credentials <&3
    exec 5<>"/dev/tcp/127.0.0.1/$1" || exit 7
    printf "%s %s HTTP/1.0\r\nHost: 127.0.0.1\r\n%s\r\nContent-Type: %s\r\nContent-Length: %s\r\n\r\n" "$2" "$3" "$credentials" "$5" "$4" >&5
    cat >&5
    cat <&5 || exit 56' bash "$port" "$1" "$2" "$3" "$4"
}
printf '%s ready\n' "$nonce"
while IFS=' ' read -r method path length type <&4; do
  case $method in GET|POST|PUT) ;; *) break;; esac
  printf '%s ask %s %s\n' "$nonce" "$method" "$path"
  if [ "$length" = - ]; then
    credentials | over_$way "$method" "$path" "$type"
    rc=$?
  else
    credentials | {
      exec 3<&0
      head -c "$length" <&4 | { with_$way "$method" "$path" "$length" "$type"; rc=$?; cat >/dev/null; exit "$rc"; }
    }
    rc=$?
  fi
  printf '\n%s end %s\n' "$nonce" "$rc"
done
printf '%s done\n' "$nonce"
