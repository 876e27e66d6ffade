# A session: one request after the other, each a line on stdin: METHOD PATH LENGTH ACCEPT TYPE. LENGTH bytes of body of this TYPE follow;
# with `-` there is none. ACCEPT is the type of the answer to one with a body, and the encoding of that to one without; `-` is any.
# `GETS PATH PATH…` asks for several, each of which must succeed, with one curl: the answers follow each other, and an empty one ends them
# whose exit code holds for all of them; after a refusal none is asked for. Without curl it is 22, as after a refusal.
# `PUTS DATABASE LENGTH TYPE LENGTH PATH LENGTH PATH…` sends so many bytes to each path, all of one TYPE and LENGTH together, over a few
# connections that stay open. Its answer is empty, and its exit code is 0 when each was a 201 or 202.
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
# A refusal ends it with 22, and the first answer is waited for: nothing is sent on after credentials that are not taken.
puts() {
  command -v bash >/dev/null 2>&1 || return 22
  bash -c 'IFS= read -r credentials <&3
    cr=$(printf "\r") port=$1 kind=$2 sent=0
    shift 2
    answer() {
      local from=${to[$1]} status line length=
      unset "waits[$1]"
      IFS= read -r status <&"$from" || exit 56
      while IFS= read -r line <&"$from" || exit 56; line=${line%"$cr"}; [ -n "$line" ]; do
        case $line in [Cc]ontent-[Ll]ength:*) length=${line#*:} length=${length// /};; esac
      done
      case $status in HTTP/1.1" "20[12]" "*) ;; *) exit 22;; esac
      case $length in ""|*[!0-9]*) exit 56;; esac
      IFS= read -r -N "$length" line <&"$from" || exit 56
    }
    while [ $# -gt 0 ]; do
      lane=$((sent % 16))
      [ -z "${waits[lane]-}" ] || answer "$lane"
      [ -n "${to[lane]-}" ] || { exec {fd}<>"/dev/tcp/127.0.0.1/$port" || exit 7; to[lane]=$fd; }
      printf "PUT %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\nContent-Type: %s\r\nContent-Length: %s\r\n\r\n" "$2" "$credentials" "$kind" "$1" >&"${to[lane]}" || exit 56
      head -c "$1" >&"${to[lane]}" || exit 56
      waits[lane]=1
      [ "$sent" -gt 0 ] || answer 0
      sent=$((sent + 1))
      shift 2
    done
    for lane in "${!waits[@]}"; do answer "$lane"; done' bash "$port" "$@"
}
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
# A path holds no blank; `*` and `?` in it stand for themselves.
set -f
printf '%s ready\n' "$nonce"
while IFS=' ' read -r method path length accept type <&4; do
  case $method in GET|GETS|POST|PUT|PUTS) ;; *) break;; esac
  [ "$accept" != - ] || accept=
  printf '%s ask %s %s\n' "$nonce" "$method" "$path"
  if [ "$method" = GETS ]; then
    credentials | several_$way $path $length $accept $type
    rc=$?
  elif [ "$length" = - ]; then
    credentials | over_$way "$method" "$path" "$accept"
    rc=$?
  else
    credentials | {
      exec 3<&0
      head -c "$length" <&4 | {
        if [ "$method" = PUTS ]; then puts "$accept" $type
        else with_$way "$method" "$path" "$length" "$type" "$accept"; fi
        rc=$?
        cat >/dev/null
        exit "$rc"
      }
    }
    rc=$?
  fi
  printf '\n%s end %s\n' "$nonce" "$rc"
done
printf '%s done\n' "$nonce"
