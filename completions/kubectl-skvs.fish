# fish completion for kubectl-skvs called by this name: put it into a folder of fish_complete_path.
# For `kubectl skvs`, kubectl's own completion calls kubectl_complete-skvs instead.

function __kubectl_skvs_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (command $words[1] __complete $words[2..-1] "$current" 2>/dev/null </dev/null)
    set -l directive (string replace ':' '' -- $lines[-1])
    if test (count $lines) -gt 1
        printf '%s\n' $lines[1..-2]
    else if test "$directive" = 0
        __fish_complete_path "$current"
    end
end

complete -c kubectl-skvs -f -a '(__kubectl_skvs_complete)'
