//! What is built of the Go modules beside this crate, and with which flags; [`crate::toolchain`] builds it.
//!
//! There are as few modules as resolve, because Go compiles a dependency once for each version of it and of all it needs.
//! `controlplane/` has everything that works with the current Kubernetes: its own programs, Flux, Helm, the node and krew.
//! `completion/` stays alone: it needs the cobra of kubectl 1.32, and a module has one version of each dependency.

/// Programs that are built together.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// Their name in the cache.
    pub(crate) name: &'static str,
    /// The folder of their Go module beside `src/`.
    pub(crate) module: &'static str,
    /// What they are, for messages.
    pub(crate) title: &'static str,
    /// How long a first build takes on 2 cores, with those before it in [`RECIPES`] built.
    pub(crate) takes: &'static str,
    pub(crate) programs: &'static [Program],
}

/// One program of a recipe.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// Its package; one that starts with a dot has its sources here.
    pub(crate) package: &'static str,
}

impl Program {
    /// What `go build` names it: by the last folder of its package.
    pub(crate) fn built_as(&self) -> &'static str {
        match self.name {
            "etcd" => "server",
            name => name,
        }
    }
}

const fn program(name: &'static str, package: &'static str) -> Program {
    Program { name, package }
}

/// All of them. Only the tests use those after the node.
pub(crate) const RECIPES: [Recipe; 4] = [
    Recipe {
        name: "controlplane",
        module: "controlplane",
        title: "the control plane (Kubernetes, etcd, Flux, Helm)",
        takes: "5 minutes and 6 GB of Go caches",
        programs: &[
            program("etcd", "go.etcd.io/etcd/server/v3"),
            program("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
            program(
                "kube-controller-manager",
                "k8s.io/kubernetes/cmd/kube-controller-manager",
            ),
            program("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
            program("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
            program("source-controller", "github.com/fluxcd/source-controller"),
            program("helm-controller", "github.com/fluxcd/helm-controller"),
            program("helm", "helm.sh/helm/v4/cmd/helm"),
        ],
    },
    Recipe {
        name: "node",
        module: "controlplane",
        title: "the node",
        takes: "10 seconds",
        programs: &[program("node", "./node")],
    },
    Recipe {
        name: "krew",
        module: "controlplane",
        title: "krew",
        takes: "10 seconds",
        programs: &[
            program("krew", "sigs.k8s.io/krew/cmd/krew"),
            program(
                "validate-krew-manifest",
                "sigs.k8s.io/krew/cmd/validate-krew-manifest",
            ),
        ],
    },
    Recipe {
        name: "completion",
        module: "completion",
        title: "the completion of kubectl 1.32",
        takes: "5 seconds",
        programs: &[program("old-completion", ".")],
    },
];

/// Flags of `go build`. No program's code is compiled for a debugger. Nor is anything inlined, which halves the compiler's work, but in
/// what kubectl's time depends on: docs/speed.md compares it with the plugin.
pub(crate) const FLAGS: [&str; 8] = [
    "-buildvcs=false",
    "-gcflags=all=-l -dwarf=false",
    "-gcflags=std=-dwarf=false",
    "-gcflags=k8s.io/apimachinery/...=-dwarf=false",
    "-gcflags=k8s.io/cli-runtime/...=-dwarf=false",
    "-gcflags=k8s.io/kubectl/...=-dwarf=false",
    "-gcflags=sigs.k8s.io/json/...=-dwarf=false",
    // Versions that the programs report; without them kubectl calls itself v0.0.0.
    "-ldflags=-s -w \
    -X k8s.io/component-base/version.gitVersion=v1.36.3 \
    -X k8s.io/component-base/version.gitMajor=1 \
    -X k8s.io/component-base/version.gitMinor=36",
];

/// The environment of `go build`. cgo is off as in the releases of all these programs. The compiler's own garbage collection costs a third
/// of its time, so it begins only where a process grows large.
pub(crate) const ENVIRONMENT: [(&str, &str); 3] = [
    ("CGO_ENABLED", "0"),
    ("GOGC", "off"),
    ("GOMEMLIMIT", "2GiB"),
];
