//! The stops of the guided tour: every command of the plugin, on the sandbox's onboardings.
//!
//! Data only; `cargo sandbox` runs it. The plugin's own tests compare it with the commands that there are.

/// Stands for the name of the sandbox's context.
pub const CONTEXT: &str = "CONTEXT";

/// Stands for a file in the sandbox's own folder, which goes with it.
pub const BUNDLE: &str = "BUNDLE";
/// The same.
pub const BACKUP: &str = "BACKUP";

/// The placeholder for the example of a GitOps repository.
pub const REPOSITORY: &str = "REPOSITORY";

/// One command of the tour.
#[derive(Debug)]
pub struct Stop {
    /// What it shows.
    pub title: &'static str,
    /// The program and its words.
    pub argv: &'static [&'static str],
    /// The exit code that is right here.
    pub exit: u8,
}

/// All stops, in their order.
pub const STOPS: &[Stop] = &[
    Stop {
        title: "How everything is, on one screen (exit code 3: errors were found)",
        argv: &["kubectl", "skvs", "status"],
        exit: 3,
    },
    Stop {
        title: "All onboardings, with what is wrong in one line",
        argv: &["kubectl", "skvs", "list"],
        exit: 0,
    },
    Stop {
        title: "Everything about one: values, release, conditions, history",
        argv: &[
            "kubectl",
            "skvs",
            "describe",
            "skvs-onboarding-pds--database",
        ],
        exit: 0,
    },
    Stop {
        title: "Why an onboarding fails (exit code 3: errors were found)",
        argv: &[
            "kubectl",
            "skvs",
            "troubleshoot",
            "skvs-onboarding-iota--database",
        ],
        exit: 3,
    },
    Stop {
        title: "Why a team gets \"RBAC: access denied\" (exit code 3: no)",
        argv: &[
            "kubectl",
            "skvs",
            "check-access",
            "golf_sessions",
            "--service-account",
            "papa/papa",
        ],
        exit: 3,
    },
    Stop {
        title: "The same for every onboarding that is not well, one cause once",
        argv: &["kubectl", "skvs", "troubleshoot"],
        exit: 3,
    },
    Stop {
        title: "The release notes, which have the endpoint",
        argv: &["kubectl", "skvs", "notes", "skvs-onboarding-pds--database"],
        exit: 0,
    },
    Stop {
        title: "The message for the team that asked",
        argv: &[
            "kubectl",
            "skvs",
            "notes",
            "skvs-onboarding-pds--database",
            "--share",
        ],
        exit: 0,
    },
    Stop {
        title: "`retry` takes the steps under Then, after a question; here as a dry run, with the cause still there",
        argv: &[
            "kubectl",
            "skvs",
            "retry",
            "skvs-onboarding-kilo--orders",
            "--even-if",
            "SKVS101",
            "--dry-run",
        ],
        exit: 0,
    },
    Stop {
        title: "Flux leaves one alone while something is done, and everybody sees who asked for it",
        argv: &[
            "kubectl",
            "skvs",
            "suspend",
            "skvs-onboarding-golf--sessions",
            "--reason",
            "upgrade",
        ],
        exit: 0,
    },
    Stop {
        title: "And looks at it again",
        argv: &[
            "kubectl",
            "skvs",
            "resume",
            "skvs-onboarding-golf--sessions",
        ],
        exit: 0,
    },
    Stop {
        title: "What a diagnosis means",
        argv: &["kubectl", "skvs", "explain", "SKVS301"],
        exit: 0,
    },
    Stop {
        title: "The manifest of a new onboarding and its place in the list, as a dry run",
        argv: &[
            "kubectl",
            "skvs",
            "onboard",
            "default",
            "invoices",
            "--service-account",
            "default",
            "--repo",
            REPOSITORY,
            "--for-cluster",
            "lab2",
            "--dry-run",
        ],
        exit: 0,
    },
    Stop {
        title: "Mistakes in manifests before they are merged (exit code 3: errors were found)",
        argv: &["kubectl", "skvs", "lint", REPOSITORY],
        exit: 3,
    },
    Stop {
        title: "One more service account in a manifest, rehearsed",
        argv: &[
            "kubectl",
            "skvs",
            "access",
            "juliet_device_state",
            "add",
            "juliet-batch",
            "--repo",
            REPOSITORY,
            "--dry-run",
        ],
        exit: 0,
    },
    Stop {
        title: "All that the checks read of it, in one file",
        argv: &[
            "kubectl",
            "skvs",
            "capture",
            "skvs-onboarding-iota--database",
            "--to",
            BUNDLE,
        ],
        exit: 0,
    },
    Stop {
        title: "The file tells without the cluster what the cluster told",
        argv: &["kubectl", "skvs", "troubleshoot", "-f", BUNDLE],
        exit: 3,
    },
    Stop {
        title: "Databases that no onboarding claims",
        argv: &["kubectl", "skvs", "databases", "--orphans"],
        exit: 0,
    },
    Stop {
        title: "The order in which an onboarding is removed (exit code 3: steps are left)",
        argv: &[
            "kubectl",
            "skvs",
            "offboard",
            "juliet_device_state",
            "--repo",
            REPOSITORY,
            "--for-cluster",
            "prod-east",
        ],
        exit: 3,
    },
    Stop {
        title: "A database that an onboarding claims is not deleted (exit code 4: refused)",
        argv: &[
            "kubectl",
            "skvs",
            "delete-db",
            "pds_database",
            "--context",
            CONTEXT,
            "--confirm",
            "pds_database",
        ],
        exit: 4,
    },
    Stop {
        title: "One database in a local file",
        argv: &["kubectl", "skvs", "backup", "orphan_db", "--to", BACKUP],
        exit: 0,
    },
    Stop {
        title: "One whose onboarding is gone is",
        argv: &[
            "kubectl",
            "skvs",
            "delete-db",
            "orphan_db",
            "--context",
            CONTEXT,
            "--confirm",
            "orphan_db",
        ],
        exit: 0,
    },
    Stop {
        title: "And comes back from its file",
        argv: &[
            "kubectl",
            "skvs",
            "restore",
            BACKUP,
            "--to",
            "orphan_db",
            "--context",
            CONTEXT,
            "--confirm",
            "orphan_db",
        ],
        exit: 0,
    },
    Stop {
        title: "Whether the plugin can do its work here (exit code 3: a chart's source fails)",
        argv: &["kubectl", "skvs", "doctor"],
        exit: 3,
    },
    Stop {
        title: "The settings, and where each comes from",
        argv: &["kubectl", "skvs", "config"],
        exit: 0,
    },
    Stop {
        title: "The versions of the plugin, the server and its HelmRelease API",
        argv: &["kubectl", "skvs", "version"],
        exit: 0,
    },
    Stop {
        title: "The file that lets kubectl complete all of this",
        argv: &["kubectl", "skvs", "completion", "kubectl"],
        exit: 0,
    },
];
