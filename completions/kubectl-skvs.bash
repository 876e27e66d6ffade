# bash completion for kubectl-skvs called by this name: source it, or put it into bash-completion's folder.
# For `kubectl skvs`, kubectl's own completion calls kubectl_complete-skvs instead.

_kubectl_skvs() {
    local line=${COMP_LINE:0:COMP_POINT} piece space current prefix out directive value i n=-1
    local -a words=()
    # readline splits at = and : too. What stands together in the line is put together again.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        piece=${COMP_WORDS[i]}
        space=${line%%[![:space:]]*}
        if ((n < 0)) || [[ -n $space ]]; then
            ((n += 1))
            words[n]=
        fi
        line=${line#"$space"}
        piece=${piece:0:${#line}}
        words[n]+=$piece
        line=${line#"$piece"}
    done

    COMPREPLY=()
    out=$("${words[0]/#\~/$HOME}" __complete "${words[@]:1}" 2>/dev/null </dev/null) || return
    directive=${out##*:}
    # An answer that was cut off ends in something else, and arithmetic would evaluate it.
    [[ $directive == [0-9] ]] || return
    current=${words[n]}
    prefix=${current%"${current##*[=:]}"}
    while IFS= read -r line; do
        value=${line%%$'\t'*}
        [[ -n $value ]] && COMPREPLY+=("${value#"$prefix"}")
    done <<<"${out%:*}"
    if ((directive & 2)); then
        compopt -o nospace 2>/dev/null
    fi
    if ((${#COMPREPLY[@]} == 0 && !(directive & 4))); then
        compopt -o default 2>/dev/null
    fi
}

complete -F _kubectl_skvs kubectl-skvs
