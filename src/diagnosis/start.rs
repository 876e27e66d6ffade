//! Why a container could not be started, in sentences, and the step that fits: the program, its image, or a volume over it.

use crate::model::field::Field;
use crate::model::kubelet::{Fault, Obstacle, StartFailure};
use crate::model::pod_spec::{Mount, VolumeSource};
use crate::text::few;

/// Where the container is defined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Defined {
    /// The creation Job's, by the chart of onboardings and its values.
    ByChart,
    /// Anywhere else.
    Elsewhere,
}

impl Defined {
    /// What has to change where no value or image does it.
    fn change(self) -> &'static str {
        match self {
            Self::ByChart => "Change the chart's template, not the values",
            Self::Elsewhere => "Change the workload's template",
        }
    }

    fn template(self) -> &'static str {
        match self {
            Self::ByChart => "the chart's template",
            Self::Elsewhere => "the workload's template",
        }
    }

    /// After a change that the template needs.
    fn until_then(self) -> &'static str {
        match self {
            Self::ByChart => "; until then go back to the chart version before",
            Self::Elsewhere => "",
        }
    }

    /// After a change of the image.
    fn image(self) -> &'static str {
        match self {
            Self::ByChart => " (values.databaseCreationJob.image)",
            Self::Elsewhere => "",
        }
    }
}

/// Sentences on why it could not be started, the first of which says it.
pub(super) fn whys(failure: &StartFailure) -> Vec<String> {
    let image = image(failure);
    let mut all = match &failure.fault {
        Fault::NotFound(program) if program.starts_with('/') => not_found(failure, program),
        Fault::NotFound(program) => {
            let mut all = vec![format!("{program} is not in any PATH folder of {image}.")];
            all.extend(failure.over_search_path().map(|mount| {
                format!(
                    "{} is mounted at {}, and hides what the image has there.",
                    capital(&mount.source.to_string()),
                    mount.path
                )
            }));
            all
        }
        Fault::NothingToRun(program) | Fault::WrongFormat(program)
            if script(failure, program).is_some() =>
        {
            let mount = script(failure, program);
            let mount = mount.map_or_else(String::new, |mount| {
                format!("{}, mounted at {}", mount.source, mount.path)
            });
            vec![format!(
                "{program} comes from {mount}, and cannot be run: its first line must name an interpreter that is in the image (#!), and its lines must not end in CRLF."
            )]
        }
        Fault::NothingToRun(program) => vec![format!(
            "Either {} does not exist, or what it needs to run does not: the interpreter that its first line names (also where that line ends in CRLF), or the loader of a program that is linked dynamically. The message is the same for both.",
            named(program)
        )],
        Fault::NotExecutable(program) => not_executable(failure, program),
        Fault::IsFolder(program) => {
            let mut all = vec![format!("{program} is a folder, not a program.")];
            all.extend(failure.mounted_at(program).map(mounted));
            all
        }
        Fault::NotPermitted(program) => vec![format!(
            "{} demands privileges (capabilities of its file) that the container's securityContext does not grant.",
            capital(&named(program))
        )],
        Fault::WrongFormat(program) => vec![format!(
            "{} in {image} is for another CPU architecture than the node's, or is a script without a first line that names its interpreter (#!).",
            capital(&named(program))
        )],
        Fault::TooLong(program) => too_long(failure, program),
        Fault::Mount { path, why } => not_mounted(failure, path, *why),
        Fault::WorkingFolder { path, why } => {
            let what = match why {
                Obstacle::Denied => "is not accessible for the user that the container runs as",
                Obstacle::FileOrFolder => "is not a folder",
                Obstacle::ReadOnly | Obstacle::Missing | Obstacle::Other => {
                    "does not exist, or cannot be used"
                }
            };
            let mut all = vec![format!("The working folder {path} {what}.")];
            all.extend(failure.volume_of(path).map(mounted));
            all
        }
        Fault::NoUser(user) if user.is_empty() => {
            vec![format!("The user or group to run as is not in {image}.")]
        }
        Fault::NoUser(user) => vec![format!("User or group {user} is not in {image}.")],
        Fault::LowMemory => {
            let limit = failure.memory_limit.as_ref();
            let limit = limit.map_or_else(String::new, |limit| format!(" ({limit})"));
            vec![format!(
                "The memory limit of container {}{limit} is too low to start anything in it: the kernel ended the runtime's own process.",
                failure.container
            )]
        }
        Fault::NoCommand => vec![format!("Neither the pod nor {image} names a command.")],
    };
    if !failure.mounts.all && hangs_on_volumes(&failure.fault) {
        all.push("Not all of the container's volumes could be read: whether one of them is at fault is unknown.".to_owned());
    }
    all
}

/// What to do, as one sentence without its end.
pub(super) fn step(failure: &StartFailure, defined: Defined) -> String {
    let of_image = defined.image();
    let (template, change) = (defined.template(), defined.change());
    let until_then = defined.until_then();
    match &failure.fault {
        Fault::NotFound(program) => match hiding(failure, program) {
            Some(mount) => {
                let file = program.rsplit('/').next().unwrap_or_default();
                let add = match &mount.source {
                    VolumeSource::ConfigMap(_) | VolumeSource::Secret(_) => {
                        format!(
                            ", or add the key {file} to it if the program is to come from there"
                        )
                    }
                    _ => String::new(),
                };
                format!(
                    "{change}: mount {} at another path than {}, or only its single files (subPath){add}{until_then}",
                    mount.source, mount.path
                )
            }
            None => format!(
                "Correct the command, or use an image that has {program}{of_image}; go back to the tag that worked if there is one"
            ),
        },
        Fault::NothingToRun(program) | Fault::WrongFormat(program)
            if script(failure, program).is_some() =>
        {
            let source =
                script(failure, program).map_or_else(String::new, |mount| mount.source.to_string());
            format!("Correct the first line (#!) and the line ends (LF) of {program} in {source}")
        }
        Fault::NothingToRun(program) => format!(
            "Have the image built with {} and what it needs, or go back to the tag that worked{of_image}",
            named(program)
        ),
        Fault::NotExecutable(program) => match failure.volume_of(program) {
            Some(mount) if mount.source.is_of_objects() => format!(
                "{change}: set defaultMode 0555 for {}, or run the file by its interpreter (such as sh {program}){until_then}",
                mount.source
            ),
            Some(mount) => format!(
                "Make {program} in {} executable (chmod +x), or run it from the image",
                mount.source
            ),
            None => {
                let chmod = match program.as_str() {
                    "" => "chmod +x".to_owned(),
                    program => format!("chmod +x {program}"),
                };
                format!(
                    "Have the image built with the execute permission ({chmod}), or go back to the tag that worked{of_image}"
                )
            }
        },
        Fault::IsFolder(program) => match failure.mounted_at(program) {
            Some(mount) => format!(
                "{change}: mount {} at another path than {program}{until_then}",
                mount.source
            ),
            None => format!("Correct the command or the image{of_image}"),
        },
        Fault::NotPermitted(_) => {
            format!(
                "Grant the capabilities in {template} (securityContext), or use an image without them{of_image}"
            )
        }
        Fault::WrongFormat(_) => format!(
            "Use an image for the node's CPU architecture, or a node of the image's{of_image}"
        ),
        Fault::TooLong(_) => too_long_step(failure, defined),
        Fault::Mount { path, why } => mount_step(failure, path, *why, defined),
        Fault::WorkingFolder { .. } => {
            format!("Correct workingDir in {template}, or the image{of_image}")
        }
        Fault::NoUser(_) => format!(
            "Use an image that has the user{of_image}, or set securityContext.runAsUser to a number in {template}"
        ),
        Fault::LowMemory => format!("Raise the memory limit of container {}", failure.container),
        Fault::NoCommand => {
            format!("Use an image with a command{of_image}, or set one in {template}")
        }
    }
}

/// Variables that are named at most.
const VARIABLES: usize = 3;

/// Why arguments and variables can be too long.
fn too_long(failure: &StartFailure, program: &str) -> Vec<String> {
    let mut all = vec![format!(
        "Linux does not start {}: its arguments and environment variables together (about 2 MiB), or one of them (128 KiB), are too long.",
        named(program)
    )];
    let Some(environment) = &failure.environment else {
        all.push("The container's variables could not be read.".to_owned());
        return all;
    };
    let objects = few(&environment.of_unknown_length, ", ", VARIABLES);
    let of_services = "Kubernetes adds several variables for each Service of the pod's namespace (enableServiceLinks), which is too much where there are thousands";
    all.push(match (&environment.too_long[..], &environment.service_links) {
        ([_, ..], _) => format!(
            "Too long is {}.",
            few(&environment.too_long, ", ", VARIABLES)
        ),
        ([], Field::Set(false)) if objects.is_empty() => {
            "It does not have the variables of Services (enableServiceLinks: false).".to_owned()
        }
        ([], Field::Set(false)) => format!(
            "It does not have the variables of Services (enableServiceLinks: false). Variables whose length is not known: {objects}."
        ),
        ([], _) if objects.is_empty() => format!("{of_services}."),
        ([], _) => format!(
            "{of_services}. Variables whose length is not known: {objects}."
        ),
    });
    all
}

fn too_long_step(failure: &StartFailure, defined: Defined) -> String {
    let (change, until_then) = (defined.change(), defined.until_then());
    let own = failure
        .environment
        .as_ref()
        .filter(|own| !own.too_long.is_empty() || own.service_links == Field::Set(false));
    match own {
        Some(_) => format!(
            "{change}: mount what is long as a file in place of a variable or an argument, or shorten it{until_then}"
        ),
        None => format!(
            "{change}: set enableServiceLinks: false for the pod if its namespace has thousands of Services; otherwise mount what is long as a file in place of a variable{until_then}"
        ),
    }
}

fn image(failure: &StartFailure) -> String {
    match failure.image.as_str() {
        "" => "its image".to_owned(),
        image => format!("image {image}"),
    }
}

/// `/opt/run`
fn named(program: &str) -> String {
    match program {
        "" => "the program".to_owned(),
        program => program.to_owned(),
    }
}

/// The text at the beginning of a sentence. A path or a name stays as it is.
fn capital(text: &str) -> String {
    let words = [("the ", "The "), ("a ", "A "), ("volume ", "Volume ")];
    let found = words
        .iter()
        .find_map(|(word, begin)| Some(format!("{begin}{}", text.strip_prefix(word)?)));
    found.unwrap_or_else(|| text.to_owned())
}

fn mounted(mount: &Mount) -> String {
    let source = capital(&mount.source.to_string());
    format!("{source} is mounted at {}.", mount.path)
}

/// What a volume shows or hides may decide it.
fn hangs_on_volumes(fault: &Fault) -> bool {
    match fault {
        Fault::NotFound(_)
        | Fault::NotExecutable(_)
        | Fault::NothingToRun(_)
        | Fault::WrongFormat(_)
        | Fault::IsFolder(_)
        | Fault::Mount { .. }
        | Fault::WorkingFolder { .. } => true,
        Fault::NotPermitted(_)
        | Fault::TooLong(_)
        | Fault::NoUser(_)
        | Fault::LowMemory
        | Fault::NoCommand => false,
    }
}

/// The volume of objects that the program comes from: a script.
fn script<'f>(failure: &'f StartFailure, program: &str) -> Option<&'f Mount> {
    let mount = failure.volume_of(program)?;
    mount.source.is_of_objects().then_some(mount)
}

/// The volume over the folder of a program that was not found.
fn hiding<'f>(failure: &'f StartFailure, program: &str) -> Option<&'f Mount> {
    match program.starts_with('/') {
        true => failure.around(program),
        false => failure.over_search_path(),
    }
}

fn not_found(failure: &StartFailure, program: &str) -> Vec<String> {
    let Some(mount) = failure.around(program) else {
        return vec![format!("{program} does not exist in {}.", image(failure))];
    };
    vec![
        format!("{program} does not exist in the container."),
        format!(
            "{} is mounted at {}, and hides everything that the image has there: the image and the command may be right.",
            capital(&mount.source.to_string()),
            mount.path
        ),
    ]
}

fn not_executable(failure: &StartFailure, program: &str) -> Vec<String> {
    match failure.volume_of(program) {
        Some(mount) if mount.source.is_of_objects() => vec![format!(
            "{program} comes from {}, mounted at {}. Its files may only be read, unless the volume's defaultMode says otherwise.",
            mount.source, mount.path
        )],
        Some(mount) => vec![format!(
            "{program} may not be executed. It comes from {}, mounted at {}, not from the image.",
            mount.source, mount.path
        )],
        None => vec![
            format!(
                "{} in {} may not be executed: the file is there, and the user that the container runs as has no execute permission.",
                capital(&named(program)),
                image(failure)
            ),
            "This is about the file's mode, not about rights in Kubernetes or CouchDB.".to_owned(),
        ],
    }
}

fn not_mounted(failure: &StartFailure, path: &str, why: Obstacle) -> Vec<String> {
    let answer = match why {
        Obstacle::FileOrFolder => "one of the two is a file, and the other a folder",
        Obstacle::ReadOnly => {
            "the place for it cannot be made, since the file system there is read-only"
        }
        Obstacle::Missing => "what is to be mounted, or the place for it, does not exist",
        Obstacle::Denied => "the node does not permit it",
        Obstacle::Other => "the node gives the reason",
    };
    let what = failure
        .mounted_at(path)
        .map(|mount| match mount.sub_path.as_str() {
            "" => format!("{} ", mount.source),
            part => format!("{part} of {} ", mount.source),
        });
    let what = what.unwrap_or_default();
    let mut all = vec![format!(
        "The runtime cannot mount {what}at {path}: {answer}."
    )];
    if let Some(around) = enclosing(failure, path) {
        all.push(format!(
            "{} is mounted at {} as a whole folder, which is read-only and replaced as one: nothing else can be mounted into it.",
            capital(&around.source.to_string()),
            around.path
        ));
    } else if let Some(mount) = lacking_key(failure, path, why) {
        all.push(format!(
            "The kubelet mounts an empty folder in the place of a key that {} does not have.",
            mount.source
        ));
    }
    all
}

/// The volume of a ConfigMap or the like into which another one is mounted.
fn enclosing<'f>(failure: &'f StartFailure, path: &str) -> Option<&'f Mount> {
    let around = failure.around(path)?;
    around.source.is_of_objects().then_some(around)
}

/// A mount of one key, where a folder came instead.
fn lacking_key<'f>(failure: &'f StartFailure, path: &str, why: Obstacle) -> Option<&'f Mount> {
    let mount = failure.mounted_at(path)?;
    let is_key = !mount.sub_path.is_empty() && mount.source.is_of_objects();
    (is_key && why == Obstacle::FileOrFolder).then_some(mount)
}

fn mount_step(failure: &StartFailure, path: &str, why: Obstacle, defined: Defined) -> String {
    let (template, change) = (defined.template(), defined.change());
    let until_then = defined.until_then();
    if let Some(around) = enclosing(failure, path) {
        return format!(
            "{change}: mount {path} outside {}, put both into one projected volume, or mount each file of {} by its own subPath{until_then}",
            around.path, around.source
        );
    }
    if let Some(mount) = lacking_key(failure, path, why) {
        return format!(
            "Check that {} has the key {}; otherwise change its mount in {template}{until_then}",
            mount.source, mount.sub_path
        );
    }
    match failure.mounted_at(path) {
        Some(_) => format!("Change the mount at {path} in {template}: its path, its subPath or its volume{until_then}"),
        None => "The pod names no volume for that path, as far as it could be read: check the node's container runtime".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pod::Pod;
    use serde_json::{Value, json};

    /// What is said of a container with these mounts, in the runtime's words.
    fn told(mounts: &Value, message: &str, defined: Defined) -> String {
        let pod = Pod::from_value(&json!({"spec": {
            "containers": [{"name": "c", "image": "registry.example/create:2", "volumeMounts": mounts, "resources": {"limits": {"memory": "4Mi"}}}],
            "volumes": [{"name": "conf", "configMap": {"name": "settings"}}, {"name": "data", "persistentVolumeClaim": {"claimName": "dumps"}},
                {"name": "all", "projected": {"sources": []}}, {"name": "tmp", "emptyDir": {}}]}}));
        let failure = StartFailure::of_message(&pod, "c", message).unwrap();
        let mut all = whys(&failure);
        all.push(format!("-> {}", step(&failure, defined)));
        all.join("\n")
    }

    fn job(mounts: &Value, message: &str) -> String {
        told(mounts, message, Defined::ByChart)
    }

    #[test]
    fn a_program_that_may_not_be_executed_is_the_images_or_the_volumes() {
        let denied = "exec: \"/srv/run\": permission denied";
        insta::assert_snapshot!(job(&json!([{"name": "conf", "mountPath": "/etc/a"}]), denied), @"
        /srv/run in image registry.example/create:2 may not be executed: the file is there, and the user that the container runs as has no execute permission.
        This is about the file's mode, not about rights in Kubernetes or CouchDB.
        -> Have the image built with the execute permission (chmod +x /srv/run), or go back to the tag that worked (values.databaseCreationJob.image)
        ");
        insta::assert_snapshot!(told(&json!([]), denied, Defined::Elsewhere), @"
        /srv/run in image registry.example/create:2 may not be executed: the file is there, and the user that the container runs as has no execute permission.
        This is about the file's mode, not about rights in Kubernetes or CouchDB.
        -> Have the image built with the execute permission (chmod +x /srv/run), or go back to the tag that worked
        ");
        insta::assert_snapshot!(job(&json!([{"name": "conf", "mountPath": "/srv"}]), denied), @"
        /srv/run comes from ConfigMap settings, mounted at /srv. Its files may only be read, unless the volume's defaultMode says otherwise.
        -> Change the chart's template, not the values: set defaultMode 0555 for ConfigMap settings, or run the file by its interpreter (such as sh /srv/run); until then go back to the chart version before
        ");
        insta::assert_snapshot!(job(&json!([{"name": "data", "mountPath": "/srv"}]), denied), @"
        /srv/run may not be executed. It comes from PersistentVolumeClaim dumps, mounted at /srv, not from the image.
        -> Make /srv/run in PersistentVolumeClaim dumps executable (chmod +x), or run it from the image
        ");
        insta::assert_snapshot!(job(&json!([]), "open executable: Permission denied"), @"
        The program in image registry.example/create:2 may not be executed: the file is there, and the user that the container runs as has no execute permission.
        This is about the file's mode, not about rights in Kubernetes or CouchDB.
        -> Have the image built with the execute permission (chmod +x), or go back to the tag that worked (values.databaseCreationJob.image)
        ");
    }

    #[test]
    fn a_program_that_is_not_found_is_the_images_or_hidden() {
        let lacking = "exec: \"/srv/run\": stat /srv/run: no such file or directory";
        insta::assert_snapshot!(job(&json!([{"name": "conf", "mountPath": "/srv/other"}]), lacking), @"
        /srv/run does not exist in image registry.example/create:2.
        -> Correct the command, or use an image that has /srv/run (values.databaseCreationJob.image); go back to the tag that worked if there is one
        ");
        insta::assert_snapshot!(job(&json!([{"name": "conf", "mountPath": "/srv"}]), lacking), @"
        /srv/run does not exist in the container.
        ConfigMap settings is mounted at /srv, and hides everything that the image has there: the image and the command may be right.
        -> Change the chart's template, not the values: mount ConfigMap settings at another path than /srv, or only its single files (subPath), or add the key run to it if the program is to come from there; until then go back to the chart version before
        ");
        insta::assert_snapshot!(told(&json!([{"name": "tmp", "mountPath": "/srv"}]), lacking, Defined::Elsewhere), @"
        /srv/run does not exist in the container.
        Volume tmp is mounted at /srv, and hides everything that the image has there: the image and the command may be right.
        -> Change the workload's template: mount volume tmp at another path than /srv, or only its single files (subPath)
        ");
        let in_path = "exec: \"run\": executable file not found in $PATH";
        insta::assert_snapshot!(job(&json!([{"name": "all", "mountPath": "/usr/local"}]), in_path), @"
        run is not in any PATH folder of image registry.example/create:2.
        A projected volume is mounted at /usr/local, and hides what the image has there.
        -> Change the chart's template, not the values: mount a projected volume at another path than /usr/local, or only its single files (subPath); until then go back to the chart version before
        ");
        insta::assert_snapshot!(job(&json!([]), in_path), @"
        run is not in any PATH folder of image registry.example/create:2.
        -> Correct the command, or use an image that has run (values.databaseCreationJob.image); go back to the tag that worked if there is one
        ");
        // One that cannot be read may hide it.
        insta::assert_snapshot!(job(&json!([7]), lacking), @"
        /srv/run does not exist in image registry.example/create:2.
        Not all of the container's volumes could be read: whether one of them is at fault is unknown.
        -> Correct the command, or use an image that has /srv/run (values.databaseCreationJob.image); go back to the tag that worked if there is one
        ");
    }

    #[test]
    fn a_volume_that_cannot_be_mounted_is_named_with_the_one_around_it() {
        let of =
            |answer: &str| format!("error mounting \"/x\" to rootfs at \"/etc/a/b\": {answer}");
        let own = json!({"name": "tmp", "mountPath": "/etc/a/b", "subPath": "b"});
        let within = json!([{"name": "conf", "mountPath": "/etc/a"}, own]);
        insta::assert_snapshot!(job(&within, &of("not a directory")), @"
        The runtime cannot mount b of volume tmp at /etc/a/b: one of the two is a file, and the other a folder.
        ConfigMap settings is mounted at /etc/a as a whole folder, which is read-only and replaced as one: nothing else can be mounted into it.
        -> Change the chart's template, not the values: mount /etc/a/b outside /etc/a, put both into one projected volume, or mount each file of ConfigMap settings by its own subPath; until then go back to the chart version before
        ");
        insta::assert_snapshot!(told(&within, &of("read-only file system"), Defined::Elsewhere), @"
        The runtime cannot mount b of volume tmp at /etc/a/b: the place for it cannot be made, since the file system there is read-only.
        ConfigMap settings is mounted at /etc/a as a whole folder, which is read-only and replaced as one: nothing else can be mounted into it.
        -> Change the workload's template: mount /etc/a/b outside /etc/a, put both into one projected volume, or mount each file of ConfigMap settings by its own subPath
        ");
        let key = json!([{"name": "conf", "mountPath": "/etc/a/b", "subPath": "b"}]);
        insta::assert_snapshot!(job(&key, &of("not a directory")), @"
        The runtime cannot mount b of ConfigMap settings at /etc/a/b: one of the two is a file, and the other a folder.
        The kubelet mounts an empty folder in the place of a key that ConfigMap settings does not have.
        -> Check that ConfigMap settings has the key b; otherwise change its mount in the chart's template; until then go back to the chart version before
        ");
        insta::assert_snapshot!(job(&json!([own]), &of("no such file or directory")), @"
        The runtime cannot mount b of volume tmp at /etc/a/b: what is to be mounted, or the place for it, does not exist.
        -> Change the mount at /etc/a/b in the chart's template: its path, its subPath or its volume; until then go back to the chart version before
        ");
        insta::assert_snapshot!(job(&json!([]), &of("permission denied")), @"
        The runtime cannot mount at /etc/a/b: the node does not permit it.
        -> The pod names no volume for that path, as far as it could be read: check the node's container runtime
        ");
    }

    #[test]
    fn each_other_fault_has_its_sentence_and_its_step() {
        let none = json!([]);
        let all = [
            "exec: \"/srv/run\": no such file or directory",
            "exec: \"/srv/run\": is a directory",
            "exec: \"/srv/run\": operation not permitted",
            "exec: \"/srv/run\": exec format error",
            "chdir to cwd (\"/srv\") set in config.json failed: no such file or directory",
            "unable to find user couch: no matching entries in passwd file",
            "container init was OOM-killed (memory limit too low?)",
            "no command specified",
        ];
        let all = all.map(|message| job(&none, message));
        insta::assert_snapshot!(all.join("\n\n"), @"
        Either /srv/run does not exist, or what it needs to run does not: the interpreter that its first line names (also where that line ends in CRLF), or the loader of a program that is linked dynamically. The message is the same for both.
        -> Have the image built with /srv/run and what it needs, or go back to the tag that worked (values.databaseCreationJob.image)

        /srv/run is a folder, not a program.
        -> Correct the command or the image (values.databaseCreationJob.image)

        /srv/run demands privileges (capabilities of its file) that the container's securityContext does not grant.
        -> Grant the capabilities in the chart's template (securityContext), or use an image without them (values.databaseCreationJob.image)

        /srv/run in image registry.example/create:2 is for another CPU architecture than the node's, or is a script without a first line that names its interpreter (#!).
        -> Use an image for the node's CPU architecture, or a node of the image's (values.databaseCreationJob.image)

        The working folder /srv does not exist, or cannot be used.
        -> Correct workingDir in the chart's template, or the image (values.databaseCreationJob.image)

        User or group couch is not in image registry.example/create:2.
        -> Use an image that has the user (values.databaseCreationJob.image), or set securityContext.runAsUser to a number in the chart's template

        The memory limit of container c (4Mi) is too low to start anything in it: the kernel ended the runtime's own process.
        -> Raise the memory limit of container c

        Neither the pod nor image registry.example/create:2 names a command.
        -> Use an image with a command (values.databaseCreationJob.image), or set one in the chart's template
        ");
    }

    #[test]
    fn a_script_of_a_volume_is_corrected_there() {
        let message = "exec: \"/srv/run\": no such file or directory";
        let all = [
            job(&json!([{"name": "conf", "mountPath": "/srv"}]), message),
            job(&json!([{"name": "data", "mountPath": "/srv"}]), message),
        ];
        insta::assert_snapshot!(all.join("\n\n"), @"
        /srv/run comes from ConfigMap settings, mounted at /srv, and cannot be run: its first line must name an interpreter that is in the image (#!), and its lines must not end in CRLF.
        -> Correct the first line (#!) and the line ends (LF) of /srv/run in ConfigMap settings

        Either /srv/run does not exist, or what it needs to run does not: the interpreter that its first line names (also where that line ends in CRLF), or the loader of a program that is linked dynamically. The message is the same for both.
        -> Have the image built with /srv/run and what it needs, or go back to the tag that worked (values.databaseCreationJob.image)
        ");
    }

    #[test]
    fn what_is_too_long_for_a_program_is_a_variable_of_services_or_its_own() {
        let told = |service_links: &Value, container: Value| {
            let mut container = container;
            container["name"] = json!("c");
            let pod = Pod::from_value(
                &json!({"spec": {"enableServiceLinks": service_links, "containers": [container]}}),
            );
            let message = "exec: \"/srv/run\": argument list too long";
            let failure = StartFailure::of_message(&pod, "c", message).unwrap();
            let all = whys(&failure).into_iter().skip(1);
            let all = all.chain([format!("-> {}", step(&failure, Defined::ByChart))]);
            all.collect::<Vec<_>>().join("\n")
        };
        let env = json!({"env": [
            {"name": "CLIENTS", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}},
            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "couchdb", "key": "a"}}},
            {"name": "PORT", "value": "5984"},
        ], "envFrom": [{"configMapRef": {"name": "all"}}]});
        let long = json!({"env": [{"name": "LONG", "value": "x".repeat(128 * 1024)}]});
        let all = [
            told(&json!(null), json!({})),
            told(&json!(true), env.clone()),
            told(&json!(false), env),
            told(&json!(false), json!({})),
            told(&json!("no"), json!({})),
            told(&json!(null), long),
        ];
        insta::assert_snapshot!(all.join("\n\n"), @"
        Kubernetes adds several variables for each Service of the pod's namespace (enableServiceLinks), which is too much where there are thousands.
        -> Change the chart's template, not the values: set enableServiceLinks: false for the pod if its namespace has thousands of Services; otherwise mount what is long as a file in place of a variable; until then go back to the chart version before

        Kubernetes adds several variables for each Service of the pod's namespace (enableServiceLinks), which is too much where there are thousands. Variables whose length is not known: CLIENTS (ConfigMap settings), KEY (Secret couchdb), ConfigMap all.
        -> Change the chart's template, not the values: set enableServiceLinks: false for the pod if its namespace has thousands of Services; otherwise mount what is long as a file in place of a variable; until then go back to the chart version before

        It does not have the variables of Services (enableServiceLinks: false). Variables whose length is not known: CLIENTS (ConfigMap settings), KEY (Secret couchdb), ConfigMap all.
        -> Change the chart's template, not the values: mount what is long as a file in place of a variable or an argument, or shorten it; until then go back to the chart version before

        It does not have the variables of Services (enableServiceLinks: false).
        -> Change the chart's template, not the values: mount what is long as a file in place of a variable or an argument, or shorten it; until then go back to the chart version before

        Kubernetes adds several variables for each Service of the pod's namespace (enableServiceLinks), which is too much where there are thousands.
        -> Change the chart's template, not the values: set enableServiceLinks: false for the pod if its namespace has thousands of Services; otherwise mount what is long as a file in place of a variable; until then go back to the chart version before

        Too long is LONG.
        -> Change the chart's template, not the values: mount what is long as a file in place of a variable or an argument, or shorten it; until then go back to the chart version before
        ");
        let pod = Pod::from_value(&json!({"spec": {"containers": "odd"}}));
        let message = "exec: \"/srv/run\": argument list too long";
        let failure = StartFailure::of_message(&pod, "c", message).unwrap();
        assert_eq!(
            whys(&failure)[1],
            "The container's variables could not be read."
        );
    }

    #[test]
    fn a_volume_in_place_of_a_program_is_named() {
        let over = json!([{"name": "conf", "mountPath": "/srv/run"}]);
        insta::assert_snapshot!(job(&over, "exec: \"/srv/run\": is a directory"), @"
        /srv/run is a folder, not a program.
        ConfigMap settings is mounted at /srv/run.
        -> Change the chart's template, not the values: mount ConfigMap settings at another path than /srv/run; until then go back to the chart version before
        ");
    }
}
