# What every script begins with. Arguments: nonce, port, and where the credentials are: env or stdin.
export LC_ALL=C
nonce=$1 port=$2 source=$3
shift 3
# An exported variable of this name would take the password into the environment of every program that runs here.
unset basic
if [ "$source" = stdin ]; then IFS= read -r basic && [ -n "$basic" ] || exit 91
else [ -n "${COUCHDB_USER-}" ] && [ -n "${COUCHDB_PASSWORD-}" ] || exit 91; fi
for tool in base64 tr cat; do command -v "$tool" >/dev/null 2>&1 || exit 92; done
if command -v curl >/dev/null 2>&1; then way=curl
elif command -v bash >/dev/null 2>&1; then way=bash
else exit 90; fi
[ "$source" = stdin ] || basic=$(printf '%s:%s' "$COUCHDB_USER" "$COUCHDB_PASSWORD" | base64 | tr -d '\n')
credentials() { printf 'Authorization: Basic %s\n' "$basic"; }
