//! Why the container runtime could not start a container's process: in its own message, or in the last line of the log where the process was
//! begun. The words are those of runc, crun, containerd, CRI-O and Docker, and of a shell.

use crate::model::field::Entries;
use crate::model::pod::{Ended, Pod};
use crate::model::pod_spec::{Environment, Mount};

/// What keeps a container from starting, with what decides where its files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartFailure {
    pub container: String,
    pub fault: Fault,
    /// The image, as the pod has it; empty where that is not known.
    pub image: String,
    pub mounts: Entries<Mount>,
    pub memory_limit: Option<String>,
    pub environment: Option<Environment>,
}

/// What keeps a process from starting. A program is empty where the message does not name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No such file; without a slash, in no folder of PATH.
    NotFound(String),
    /// The file, or what it needs to run, does not exist: the message is the same.
    NothingToRun(String),
    /// Not executable for this user.
    NotExecutable(String),
    /// It is a folder.
    IsFolder(String),
    /// A privilege is lacking that the file demands.
    NotPermitted(String),
    /// Its arguments and variables together, or one of them, are longer than the system allows.
    TooLong(String),
    /// Another CPU architecture, or no program.
    WrongFormat(String),
    /// A volume cannot be mounted there.
    Mount { path: String, why: Obstacle },
    /// The working folder.
    WorkingFolder { path: String, why: Obstacle },
    /// The image does not have the user, or the group.
    NoUser(String),
    /// The memory limit is too low for the runtime itself.
    LowMemory,
    /// Neither the pod nor the image names one.
    NoCommand,
}

/// The system's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// A file is where a folder should be, or a folder where a file should be.
    FileOrFolder,
    ReadOnly,
    Missing,
    Denied,
    Other,
}

/// Statuses with which a shell ends where it did not find a program, or could not run it.
const OF_SHELL: [i64; 2] = [126, 127];

/// Folders in which a program without a slash is looked for.
const PATH: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

impl StartFailure {
    /// By the runtime's message.
    pub fn of_message(pod: &Pod, container: &str, said: &str) -> Option<Self> {
        Some(Self::new(pod, container, Fault::of_message(said)?))
    }

    /// By how the container ended, and by its log.
    pub fn of_end(pod: &Pod, container: &str, ended: &Ended, log: &str) -> Option<Self> {
        let fault = match ended.has_run() {
            false => Fault::of_message(&ended.message)?,
            true => Fault::of_log(log, ended.exit_code)?,
        };
        Some(Self::new(pod, container, fault))
    }

    fn new(pod: &Pod, container: &str, fault: Fault) -> Self {
        Self {
            container: container.to_owned(),
            fault,
            image: pod.image(container).unwrap_or_default().to_owned(),
            mounts: pod.mounts(container),
            memory_limit: pod.memory_limit(container).map(str::to_owned),
            environment: pod.environment(container),
        }
    }

    /// The volume that has this path, or should have it.
    pub fn volume_of(&self, path: &str) -> Option<&Mount> {
        let own = self.mounts.known.iter();
        let own = own.filter(|mount| mount.path == path || is_within(path, &mount.path));
        own.max_by_key(|mount| mount.path.len())
    }

    /// The volume mounted at this very path.
    pub fn mounted_at(&self, path: &str) -> Option<&Mount> {
        self.mounts.known.iter().find(|mount| mount.path == path)
    }

    /// The volume within which this path is mounted.
    pub fn around(&self, path: &str) -> Option<&Mount> {
        let own = self.mounts.known.iter();
        let own = own.filter(|mount| is_within(path, &mount.path));
        own.max_by_key(|mount| mount.path.len())
    }

    /// The volume that hides what the image has in a folder of PATH.
    pub fn over_search_path(&self) -> Option<&Mount> {
        PATH.iter().find_map(|folder| self.volume_of(folder))
    }
}

/// Whether the path is below the folder.
fn is_within(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.starts_with('/') && rest.len() > 1)
}

impl Fault {
    /// By the runtime's message; `None` where it says something else.
    pub fn of_message(said: &str) -> Option<Self> {
        // CRI-O and Docker quote a message within a message, and crun has other quotes.
        let said = said
            .replace("\\\"", "\"")
            .replace(['`', '\u{2018}', '\u{2019}'], "\"");
        // What the node runs to start the container is not the container's program.
        let own = [
            "error running hook",
            "error running prestart hook",
            "exec: \"runc\"",
            "exec: \"crun\"",
            "exec: \"containerd-shim",
            "unable to retrieve OCI runtime error",
        ];
        if own.iter().any(|text| said.contains(text)) {
            return None;
        }
        if said.contains("init was OOM-killed") {
            return Some(Self::LowMemory);
        }
        if said.contains("no command specified") {
            return Some(Self::NoCommand);
        }
        if let Some((path, rest)) = mounted(&said) {
            let why = Obstacle::of(rest);
            return Some(Self::Mount { path, why });
        }
        if let Some((_, rest)) = said.split_once("chdir to ") {
            let (path, rest) = quoted(rest)?;
            let (path, why) = (in_container(path), Obstacle::of(rest));
            return Some(Self::WorkingFolder { path, why });
        }
        no_user(&said).or_else(|| executed(&said))
    }

    /// By the last line of the log of a container that ended with this status; `None` where it says something else.
    pub fn of_log(log: &str, status: i64) -> Option<Self> {
        let mut lines = log.lines().rev().map(str::trim);
        let line = lines.find(|line| !line.is_empty())?;
        let lower = line.to_lowercase();
        if lower.contains("exec format error") {
            let program = line.rsplit(": ").nth(1).unwrap_or_default();
            let program = program.strip_prefix("exec ").unwrap_or(program);
            let program = program.split_whitespace().last().unwrap_or_default();
            return Some(Self::WrongFormat(absolute(program)));
        }
        // The runtime's last words before the process would have begun.
        let own = line
            .strip_prefix("exec ")
            .map(|rest| rest.rsplit_once(": "));
        if let Some((program, answer)) = own
            .flatten()
            .filter(|(program, _)| program.starts_with('/'))
        {
            return Self::of_answer(program.to_owned(), answer);
        }
        if let Some((_, answer)) = line.split_once("exec user process caused") {
            let answer = answer.trim_matches([':', ' ', '"']);
            return Self::of_answer(String::new(), answer);
        }
        if !OF_SHELL.contains(&status) {
            return None;
        }
        if let Some((_, interpreter)) = line
            .rsplit_once(": bad interpreter")
            .map(|(before, _)| before.rsplit_once(": ").unwrap_or((before, "")))
        {
            let program = line.split(": ").find(|part| part.starts_with('/'));
            let program = program.filter(|program| *program != interpreter);
            return Some(Self::NothingToRun(program.unwrap_or_default().to_owned()));
        }
        let (before, answer) = line.rsplit_once(": ")?;
        let before = before.strip_suffix(": cannot execute").unwrap_or(before);
        let program = before.rsplit(": ").next()?;
        let program = program
            .trim_start_matches("can't open ")
            .trim_start_matches("cannot open ")
            .trim_matches(['\'', '"', '\u{2018}', '\u{2019}']);
        let is_path = program.starts_with('/') && !program.contains(' ');
        match answer.to_lowercase().as_str() {
            _ if !is_path => None,
            // A shell that opens it says so; one that runs it does not say whether an interpreter or a loader is missing.
            "not found" | "no such file or directory" | "no such file"
                if before.contains("can't open ") || before.contains("cannot open ") =>
            {
                Some(Self::NotFound(program.to_owned()))
            }
            "not found" | "no such file or directory" | "no such file" => {
                Some(Self::NothingToRun(program.to_owned()))
            }
            "permission denied" => Some(Self::NotExecutable(program.to_owned())),
            "is a directory" => Some(Self::IsFolder(program.to_owned())),
            "required file not found" => Some(Self::NothingToRun(program.to_owned())),
            _ => None,
        }
    }

    /// By the answer to the request to run the program.
    fn of_answer(program: String, answer: &str) -> Option<Self> {
        let answer = answer.to_lowercase();
        let is = |text: &str| answer.contains(text);
        Some(if is("permission denied") {
            Self::NotExecutable(program)
        } else if is("is a directory") {
            Self::IsFolder(program)
        } else if is("exec format error") {
            Self::WrongFormat(program)
        } else if is("operation not permitted") {
            Self::NotPermitted(program)
        } else if is("argument list too long") {
            Self::TooLong(program)
        } else if is("no such file or directory") {
            Self::NothingToRun(program)
        } else {
            return None;
        })
    }
}

impl Obstacle {
    fn of(answer: &str) -> Self {
        let answer = answer.to_lowercase();
        let is = |text: &str| answer.contains(text);
        if is("not a directory") || is("is a directory") || is("directory onto a file") {
            Self::FileOrFolder
        } else if is("read-only file system") {
            Self::ReadOnly
        } else if is("no such file or directory") {
            Self::Missing
        } else if is("permission denied") || is("operation not permitted") {
            Self::Denied
        } else {
            Self::Other
        }
    }
}

/// What is in the next quotes, and what follows them.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once('"')?;
    rest.split_once('"')
}

/// Empty for what is not an absolute path.
fn absolute(program: &str) -> String {
    let program = program.trim_matches(['\'', '"']);
    match program.starts_with('/') {
        true => program.to_owned(),
        false => String::new(),
    }
}

/// A path as the container has it: messages may have it below the root of its file system on the node, or without the first slash.
fn in_container(path: &str) -> String {
    const ROOTS: [&str; 3] = ["/rootfs/", "/merged/", "/diff/"];
    let is_of_node = path.starts_with("/var/lib/") || path.starts_with("/run/");
    let root = ROOTS.iter().filter(|_| is_of_node);
    let own = root
        .filter_map(|root| Some(&path[path.find(root)? + root.len()..]))
        .next();
    format!("/{}", own.unwrap_or(path).trim_matches('/'))
}

/// Where a volume could not be mounted, and the rest of the message.
fn mounted(said: &str) -> Option<(String, &str)> {
    // runc: mounting "SOURCE" to rootfs at "PATH"…; crun: mount "SOURCE" to "PATH": …
    let (of_runc, lead) = match (said.find("mounting \""), said.find("mount \"")) {
        (Some(at), _) => (true, at + "mounting ".len()),
        (None, Some(at)) => (false, at + "mount ".len()),
        (None, None) => return None,
    };
    let (_, rest) = quoted(&said[lead..])?;
    let rest = match of_runc {
        true => rest.split_once(" at \"").map(|(_, rest)| rest)?,
        false => rest.strip_prefix(" to \"")?,
    };
    let (path, rest) = rest.split_once('"')?;
    Some((in_container(path), rest))
}

fn no_user(said: &str) -> Option<Fault> {
    const LEADS: [&str; 4] = [
        "unable to find user ",
        "unable to find group ",
        "can't find uid for user ",
        "can't find gid for group ",
    ];
    let named = LEADS.iter().find_map(|lead| {
        let (_, rest) = said.split_once(lead)?;
        rest.split([':', ' ']).next()
    });
    let is_meant =
        said.contains("no matching entries in passwd file") || said.contains("no users found");
    match named {
        Some(user) => Some(Fault::NoUser(user.trim_matches('"').to_owned())),
        None => is_meant.then(|| Fault::NoUser(String::new())),
    }
}

fn executed(said: &str) -> Option<Fault> {
    if let Some((_, rest)) = said.split_once("executable file \"") {
        let (program, rest) = rest.split_once('"')?;
        let is_missing = rest.trim_start().starts_with("not found");
        return is_missing.then(|| Fault::NotFound(program.to_owned()));
    }
    if let Some((_, rest)) = said.split_once("open executable: ") {
        return Fault::of_answer(String::new(), rest);
    }
    if let Some((_, rest)) = said.split_once("exec container process ") {
        let (program, rest) = quoted(rest)?;
        return Fault::of_answer(program.to_owned(), rest);
    }
    let Some((_, rest)) = said.split_once("exec: \"") else {
        let (_, answer) = said.split_once("exec user process caused")?;
        return Fault::of_answer(String::new(), answer);
    };
    let (program, answer) = rest.split_once('"')?;
    let program = program.to_owned();
    // The runtime looks for the file before it runs it.
    let is_looked_for = answer.contains(": stat ");
    let is_lacking = ["no such file or directory", "not a directory"];
    let is_lacking = is_lacking.iter().any(|text| answer.contains(text));
    if answer.contains("executable file not found in $PATH") || (is_looked_for && is_lacking) {
        return Some(Fault::NotFound(program));
    }
    Fault::of_answer(program, answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const RUNC: &str = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ";

    #[test]
    fn what_the_node_runs_is_not_the_container_s_program() {
        for said in [
            r#"unable to retrieve OCI runtime error (open log.json: no such file or directory): exec: "runc": executable file not found in $PATH"#,
            r#"failed to start shim: start failed: exec: "containerd-shim-runc-v2": executable file not found in $PATH"#,
            r#"error running hook #0: error running hook: exec: "/usr/bin/nvidia-hook": stat /usr/bin/nvidia-hook: no such file or directory"#,
        ] {
            assert_eq!(Fault::of_message(said), None, "{said}");
        }
    }

    fn program(fault: fn(String) -> Fault, name: &str) -> Option<Fault> {
        Some(fault(name.to_owned()))
    }

    fn mount(path: &str, why: Obstacle) -> Option<Fault> {
        let path = path.to_owned();
        Some(Fault::Mount { path, why })
    }

    #[test]
    fn each_runtime_s_words_are_read() {
        let runc = |said: &str| Fault::of_message(&format!("{RUNC}{said}: unknown"));
        for said in [
            r#"error during container init: exec: "/opt/run": stat /opt/run: no such file or directory"#,
            r#"exec: "/opt/run": stat /opt/run: no such file or directory"#,
            r#"exec: "/opt/run": stat /opt/run: not a directory"#,
        ] {
            assert_eq!(runc(said), program(Fault::NotFound, "/opt/run"), "{said}");
        }
        let not_in_path = program(Fault::NotFound, "run");
        assert_eq!(
            runc(r#"exec: "run": executable file not found in $PATH"#),
            not_in_path
        );
        let denied = program(Fault::NotExecutable, "/opt/run");
        assert_eq!(runc(r#"exec: "/opt/run": permission denied"#), denied);
        let folder = program(Fault::IsFolder, "/opt/run");
        assert_eq!(runc(r#"exec: "/opt/run": is a directory"#), folder);
        let either = program(Fault::NothingToRun, "/opt/run");
        assert_eq!(
            runc(r#"exec: "/opt/run": no such file or directory"#),
            either
        );
        let format = program(Fault::WrongFormat, "/opt/run");
        assert_eq!(runc(r#"exec: "/opt/run": exec format error"#), format);
        assert_eq!(
            runc("container init was OOM-killed (memory limit too low?)"),
            Some(Fault::LowMemory)
        );
        // Docker, and CRI-O with runc.
        let docker = r#"OCI runtime create failed: container_linux.go:348: starting container process caused "exec: \"/opt/run\": permission denied": unknown"#;
        assert_eq!(Fault::of_message(docker), denied);
        let crio = r#"container create failed: time="2026-11-27T04:40:12Z" level=error msg="runc create failed: unable to start container process: exec: \"/opt/run\": stat /opt/run: no such file or directory""#;
        assert_eq!(
            Fault::of_message(crio),
            program(Fault::NotFound, "/opt/run")
        );
        // CRI-O with crun.
        for (said, found) in [
            (
                "executable file `run` not found in $PATH: No such file or directory",
                not_in_path,
            ),
            (
                "executable file `/opt/run` not found: No such file or directory",
                program(Fault::NotFound, "/opt/run"),
            ),
            (
                "open executable: Permission denied",
                program(Fault::NotExecutable, ""),
            ),
            (
                "exec container process `/opt/run`: Exec format error",
                format,
            ),
            (
                "exec container process (missing dynamic library?) `/opt/run`: No such file or directory",
                either,
            ),
        ] {
            assert_eq!(
                Fault::of_message(&format!("container create failed: {said}")),
                found,
                "{said}"
            );
        }
        for said in [
            "Back-off restarting failed container",
            "secret \"a\" not found",
            "",
            "exec: \"",
        ] {
            assert_eq!(Fault::of_message(said), None, "{said}");
        }
    }

    #[test]
    fn a_mount_is_named_by_its_place_in_the_container() {
        let of = |said: &str| Fault::of_message(said);
        let volume = "/var/lib/kubelet/pods/1/volume-subpaths/work/create/1";
        let runc = |answer: &str| {
            of(&format!(
                r#"{RUNC}error during container init: error mounting "{volume}" to rootfs at "/etc/a/b": mount {volume}:/etc/a/b (via /proc/self/fd/6), flags: 0x5001: {answer}"#
            ))
        };
        for (answer, why) in [
            ("not a directory", Obstacle::FileOrFolder),
            (
                "not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)?",
                Obstacle::FileOrFolder,
            ),
            ("no such file or directory", Obstacle::Missing),
            ("permission denied", Obstacle::Denied),
            ("invalid argument", Obstacle::Other),
        ] {
            assert_eq!(runc(answer), mount("/etc/a/b", why), "{answer}");
        }
        let read_only = r#"error mounting "/x" to rootfs at "/etc/a/b": create mountpoint for /etc/a/b mount: make mountpoint "/etc/a/b": openat2 /run/containerd/io.containerd.runtime.v2.task/k8s.io/1/rootfs/etc/a/b: read-only file system"#;
        assert_eq!(of(read_only), mount("/etc/a/b", Obstacle::ReadOnly));
        let docker = r#"container init caused \"rootfs_linux.go:58: mounting \\\"/x\\\" to rootfs \\\"/var/lib/docker/overlay2/1/merged\\\" at \\\"/var/lib/docker/overlay2/1/merged/etc/a/b\\\" caused \\\"not a directory\\\"\""#;
        assert_eq!(
            of(&docker.replace("\\\\", "")),
            mount("/etc/a/b", Obstacle::FileOrFolder)
        );
        let crun = format!("mount `{volume}` to `etc/a/b`: Is a directory");
        assert_eq!(of(&crun), mount("/etc/a/b", Obstacle::FileOrFolder));
    }

    #[test]
    fn a_working_folder_a_user_and_a_command_that_lack_are_named() {
        let folder = |why| {
            let path = "/srv/app".to_owned();
            Some(Fault::WorkingFolder { path, why })
        };
        let of = |answer: &str| {
            Fault::of_message(&format!(
                "{RUNC}error during container init: chdir to cwd (\"/srv/app\") set in config.json failed: {answer}: unknown"
            ))
        };
        assert_eq!(of("no such file or directory"), folder(Obstacle::Missing));
        assert_eq!(of("permission denied"), folder(Obstacle::Denied));
        for (said, user) in [
            (
                "linux spec user: unable to find user couch: no matching entries in passwd file",
                "couch",
            ),
            (
                "unable to find group couch: no matching entries in group file",
                "couch",
            ),
            (
                "failed to create containerd container: mount callback failed on /tmp/1: no users found",
                "",
            ),
        ] {
            assert_eq!(
                Fault::of_message(said),
                program(Fault::NoUser, user),
                "{said}"
            );
        }
        let none = "failed to generate container \"1\" spec: failed to generate spec: no command specified";
        assert_eq!(Fault::of_message(none), Some(Fault::NoCommand));
    }

    #[test]
    fn the_last_line_of_the_log_counts_where_a_process_was_begun() {
        let of = |line: &str, status: i64| Fault::of_log(&format!("first\n{line}\n\n"), status);
        for (line, found) in [
            (
                "exec /opt/run: exec format error",
                program(Fault::WrongFormat, "/opt/run"),
            ),
            (
                "standard_init_linux.go:228: exec user process caused: exec format error",
                program(Fault::WrongFormat, ""),
            ),
            (
                "/bin/sh: 1: /opt/run: Exec format error",
                program(Fault::WrongFormat, "/opt/run"),
            ),
            (
                "exec /opt/run: no such file or directory",
                program(Fault::NothingToRun, "/opt/run"),
            ),
            (
                "exec /opt/run: argument list too long",
                program(Fault::TooLong, "/opt/run"),
            ),
            (
                "exec /opt/run: operation not permitted",
                program(Fault::NotPermitted, "/opt/run"),
            ),
            (
                "standard_init_linux.go:228: exec user process caused \"no such file or directory\"",
                program(Fault::NothingToRun, ""),
            ),
        ] {
            assert_eq!(of(line, 255), found, "{line}");
        }
        for (line, found) in [
            (
                "sh: /opt/run: not found",
                program(Fault::NothingToRun, "/opt/run"),
            ),
            (
                "/bin/sh: 1: /opt/run: not found",
                program(Fault::NothingToRun, "/opt/run"),
            ),
            (
                "bash: line 1: /opt/run: No such file or directory",
                program(Fault::NothingToRun, "/opt/run"),
            ),
            (
                "sh: can't open '/opt/run': No such file or directory",
                program(Fault::NotFound, "/opt/run"),
            ),
            (
                "/bin/sh: 0: cannot open /opt/run: No such file",
                program(Fault::NotFound, "/opt/run"),
            ),
            (
                "sh: /opt/run: Permission denied",
                program(Fault::NotExecutable, "/opt/run"),
            ),
            (
                "bash: /opt/run: /usr/bin/ruby: bad interpreter: No such file or directory",
                program(Fault::NothingToRun, "/opt/run"),
            ),
            (
                "bash: /opt/run: cannot execute: required file not found",
                program(Fault::NothingToRun, "/opt/run"),
            ),
        ] {
            assert_eq!(of(line, 127), found, "{line}");
            assert_eq!(of(line, 1), None, "{line}");
        }
        for line in [
            "curl: not found",
            "cat: /etc/x: No such file or directory: later",
            "{\"error\": \"/x: not found\"}",
        ] {
            assert_eq!(of(line, 127), None, "{line}");
        }
        assert_eq!(
            Fault::of_log("exec /opt/run: exec format error\nlater", 255),
            None
        );
    }

    #[test]
    fn the_volume_above_a_path_is_found() {
        let pod = Pod::from_value(&json!({"spec": {
            "containers": [{"name": "c", "image": "i:1", "volumeMounts": [
                {"name": "all", "mountPath": "/srv/"}, {"name": "conf", "mountPath": "/srv/app"}, {"name": "conf", "mountPath": "/srv/app/file", "subPath": "file"},
                {"name": "tmp", "mountPath": "/usr/local"}]}],
            "volumes": [{"name": "all", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "conf", "configMap": {"name": "settings"}}, {"name": "tmp", "emptyDir": {}}]}}));
        let failure =
            StartFailure::of_message(&pod, "c", "exec: \"/srv/app/run\": permission denied")
                .unwrap();
        let named = |mount: Option<&Mount>| mount.map(|mount| mount.source.to_string());
        let is =
            |mount: Option<&Mount>, name: &str| assert_eq!(named(mount).as_deref(), Some(name));
        is(failure.volume_of("/srv/app/run"), "ConfigMap settings");
        is(
            failure.volume_of("/srv/apple"),
            "PersistentVolumeClaim data",
        );
        is(failure.around("/srv/app"), "PersistentVolumeClaim data");
        is(failure.mounted_at("/srv/app/file"), "ConfigMap settings");
        is(failure.over_search_path(), "volume tmp");
        assert_eq!(failure.volume_of("/opt/run"), None);
        assert!(failure.mounts.all && failure.image == "i:1");
    }

    #[test]
    fn a_mount_that_cannot_be_read_is_not_none() {
        let all = |mount: Value| {
            let pod = json!({"spec": {"containers": [{"name": "c", "volumeMounts": [mount]}], "volumes": [{"name": "v", "configMap": {"name": "m"}}]}});
            Pod::from_value(&pod).mounts("c").all
        };
        assert!(all(json!({"name": "v", "mountPath": "/x"})));
        for odd in [
            json!(7),
            json!({"name": "v"}),
            json!({"name": "w", "mountPath": "/x"}),
            json!({"name": "v", "mountPath": "/x", "subPath": 7}),
        ] {
            assert!(!all(odd.clone()), "{odd}");
        }
        assert!(!Pod::from_value(&json!({})).mounts("c").all);
    }

    proptest! {
        #[test]
        fn no_message_panics(said in r#"((mounting|mount|exec:|exec|chdir to|executable file|unable to find user) )?(["`\\: /a]{0,9}(rootfs|at|to|not found|: bad interpreter|caused)?){0,4}"#, status in 126..129_i64) {
            let _ = (Fault::of_message(&said), Fault::of_log(&said, status));
        }
    }
}
