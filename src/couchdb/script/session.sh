# A session: one request after the other, each a line on stdin: METHOD PATH LENGTH ACCEPT TYPE. LENGTH bytes of body of this TYPE follow;
# with `-` there is none. ACCEPT is the type of the answer to one with a body, and the encoding of that to one without; `-` is any.
# `GETS PATH PATH…` asks for several, each of which must succeed, with one curl: the answers follow each other, and an empty one ends them
# whose exit code holds for all of them; after a refusal none is asked for. Without curl it is 22, as after a refusal.
# Any other word ends it. Argument: seconds without a byte after which curl gives up.
# Answers are handed on as they come, never kept in a variable: they hold any byte. What a request left unread of its body is passed
# over, so that the next line is a request again.
idle=$1
command -v head >/dev/null 2>&1 || exit 92
exec 4<&0
over_curl() {
  curl -q -sS -i -H @- ${3:+-H} ${3:+"Accept-Encoding: $3"} -H 'Expect:' --noproxy '*' --globoff --connect-timeout 5 --speed-limit 1 --speed-time "$idle" \
    -X "$1" -- "http://127.0.0.1:$port$2"
}
several_curl() {
  for path do
    set -- "$@" "http://127.0.0.1:$port$path"
    shift
  done
  curl -q -sS -i --fail --fail-early -H @- --noproxy '*' --globoff --connect-timeout 5 --speed-limit 1 --speed-time "$idle" \
    -w "\n$nonce end 0\n$nonce ask GET\n" -- "$@"
}
several_bash() { return 22; }
with_curl() {
  curl -q -sS -i -H @/dev/fd/3 -H "Content-Type: $4" ${5:+-H} ${5:+"Accept: $5"} -H "Content-Length: $3" -H 'Transfer-Encoding:' -H 'Expect:' \
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
    printf "%s %s HTTP/1.0\r\nHost: 127.0.0.1\r\n%s\r\nContent-Type: %s\r\nContent-Length: %s\r\n${6:+Accept: $6\r\n}\r\n" "$2" "$3" "$credentials" "$5" "$4" >&5
    cat >&5
    cat <&5 || exit 56' bash "$port" "$1" "$2" "$3" "$4" "$5"
}
printf '%s ready\n' "$nonce"
while IFS=' ' read -r method path length accept type <&4; do
  case $method in GET|GETS|POST|PUT) ;; *) break;; esac
  [ "$accept" != - ] || accept=
  printf '%s ask %s %s\n' "$nonce" "$method" "$path"
  if [ "$method" = GETS ]; then
    # A path holds no blank; `*` and `?` in it stand for themselves.
    set -f
    credentials | several_$way $path $length $accept $type
    rc=$?
  elif [ "$length" = - ]; then
    credentials | over_$way "$method" "$path" "$accept"
    rc=$?
  else
    credentials | {
      exec 3<&0
      head -c "$length" <&4 | { with_$way "$method" "$path" "$length" "$type" "$accept"; rc=$?; cat >/dev/null; exit "$rc"; }
    }
    rc=$?
  fi
  printf '\n%s end %s\n' "$nonce" "$rc"
done
printf '%s done\n' "$nonce"
