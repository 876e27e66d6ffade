# One run of reads, or of guards and one DELETE. Arguments: mode, seconds for a read, seconds for the DELETE; then for `read` paths, for
# `delete` pairs of a path and the text that its answer must hold, and last the database's path. bash ends with curl's exit codes.
# A server that does not answer for `/` in time is asked nothing else.
mode=$1 patience=$2 delete_patience=$3
shift 3
over_curl() {
  curl -q -sS -i -H @- --noproxy '*' --globoff --connect-timeout 5 --max-time "$3" -X "$1" -- "http://127.0.0.1:$port$2"
}
over_bash() {
  bash -c 'IFS= read -r credentials
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 7
    printf "%s %s HTTP/1.0\r\nHost: 127.0.0.1\r\n%s\r\n\r\n" "$2" "$3" "$credentials" >&3
    end=$((SECONDS + $4))
    while left=$((end - SECONDS)); [ "$left" -gt 0 ]; do
      IFS= read -r -d "" -t "$left" part <&3
      rc=$?
      printf %s "$part"
      if [ "$rc" -gt 128 ]; then break; elif [ "$rc" -gt 0 ]; then exit 0; fi
    done
    exit 28' bash "$port" "$1" "$2" "$3"
}
ask() {
  raw=$(credentials | over_$way "$1" "$2" "$3")
  rc=$?
  printf '%s ask %s %s\n%s\n%s end %s\n' "$nonce" "$1" "$2" "$raw" "$nonce" "$rc"
}
locked_out() { case $raw in HTTP/?.?' 401'*|HTTP/?.?' 403'*) true;; *) false;; esac; }
holds() {
  case $rc$raw in 0HTTP/?.?' 200'*) ;; *) return 1;; esac
  case $1 in *-) after=;; *) after='[],}]';; esac
  case $(printf '%s' "$raw" | tr -d ' \t\r\n') in *"$1"$after*) true;; *) false;; esac
}
same() {
  last=
  while [ $# -gt 1 ]; do
    if [ "$1" != "$last" ]; then ask GET "$1" "$patience"; last=$1; fi
    if ! holds "$2"; then printf '%s differs %s %s\n' "$nonce" "$1" "$2"; return 1; fi
    shift 2
  done
  path=$1
}
case $mode in
read) for path; do ask GET "$path" "$patience"; if locked_out || [ "$rc$path" = 28/ ]; then break; fi; done;;
delete) if same "$@"; then printf '%s sending\n' "$nonce"; ask DELETE "$path" "$delete_patience"; fi;;
esac
printf '%s done\n' "$nonce"
