//! The `kubectl-skvs` binary: hands argv to the library and its exit code to the shell.

fn main() -> std::process::ExitCode {
    kubectl_skvs::run(std::env::args_os()).into()
}
