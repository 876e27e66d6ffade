//! Why the kubelet evicted a pod, by its message: a limit of the pod's own, or what its node ran short of.

/// Why a pod was evicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Eviction<'a> {
    /// It wrote more to its node's disk than a limit of its own allows.
    OwnLimit { of: Limited<'a>, limit: &'a str },
    /// Its node ran short of something.
    Pressure {
        resource: &'a str,
        /// The containers for which it was chosen.
        uses: Vec<Use<'a>>,
    },
}

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limited<'a> {
    /// That of all containers together.
    Pod,
    Container(&'a str),
    /// An emptyDir's.
    Volume(&'a str),
}

/// What a container used, and what it requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use<'a> {
    pub container: &'a str,
    pub used: &'a str,
    pub request: &'a str,
}

impl Use<'_> {
    /// It requests nothing of what the node ran short of.
    pub fn is_without_request(&self) -> bool {
        self.request == "0"
    }
}

/// Reads it; `None` where it says neither.
pub fn eviction(said: &str) -> Option<Eviction<'_>> {
    pod_limit(said)
        .or_else(|| container_limit(said))
        .or_else(|| volume_limit(said))
        .or_else(|| pressure(said))
}

/// `Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. `
fn pod_limit(said: &str) -> Option<Eviction<'_>> {
    let (_, rest) = said.split_once("storage usage exceeds the total limit of containers")?;
    let limit = word(rest);
    let of = Limited::Pod;
    Some(Eviction::OwnLimit { of, limit })
}

/// `Container create exceeded its local ephemeral storage limit "10Mi". `
fn container_limit(said: &str) -> Option<Eviction<'_>> {
    let (before, rest) = said.split_once(" exceeded its local ephemeral storage limit")?;
    let of = Limited::Container(before.rsplit(' ').next()?);
    let limit = word(rest);
    Some(Eviction::OwnLimit { of, limit })
}

/// `Usage of EmptyDir volume "tmp" exceeds the limit "10Mi". `
fn volume_limit(said: &str) -> Option<Eviction<'_>> {
    let (_, rest) = said.split_once("EmptyDir volume ")?;
    let (volume, rest) = rest.split_once(" exceeds the ")?;
    let (_, rest) = rest.split_once("limit")?;
    let of = Limited::Volume(volume.trim_matches('"'));
    let limit = word(rest);
    Some(Eviction::OwnLimit { of, limit })
}

/// `The node was low on resource: memory. Container a was using 1Gi, which exceeds its request of 0. `
fn pressure(said: &str) -> Option<Eviction<'_>> {
    let (_, rest) = said
        .split_once("low on resource: ")
        .or_else(|| said.split_once("The node had condition: "))?;
    let resource = rest.split(". ").next().unwrap_or(rest);
    let resource = resource.trim_matches(['[', ']', '.', ' ']);
    let uses = rest.split("Container ").skip(1).filter_map(|text| {
        let (container, rest) = text.split_once(" was using ")?;
        let (used, rest) = rest.split_once(", ")?;
        let request = ["request is ", "exceeds its request of "];
        let request = request
            .iter()
            .find_map(|lead| Some(word(rest.split_once(lead)?.1)))?;
        Some(Use {
            container,
            used,
            request,
        })
    });
    Some(Eviction::Pressure {
        resource,
        uses: uses.collect(),
    })
}

/// The next word, without its quotes and what ends a sentence.
fn word(text: &str) -> &str {
    let word = text.split_whitespace().next().unwrap_or_default();
    word.trim_end_matches(['.', ',']).trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_limit_of_the_pod_s_own_is_not_the_node_s_pressure() {
        let own = |of| Some(Eviction::OwnLimit { of, limit: "10Mi" });
        for (said, found) in [
            (
                "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ",
                own(Limited::Pod),
            ),
            (
                "Container create exceeded its local ephemeral storage limit \"10Mi\". ",
                own(Limited::Container("create")),
            ),
            (
                "Usage of EmptyDir volume \"tmp\" exceeds the limit \"10Mi\". ",
                own(Limited::Volume("tmp")),
            ),
            (
                "Usage of EmptyDir volume \"tmp\" exceeds the total limit \"10Mi\". ",
                own(Limited::Volume("tmp")),
            ),
            ("Preempted in order to admit critical pod", None),
            ("", None),
        ] {
            assert_eq!(eviction(said), found, "{said}");
        }
    }

    #[test]
    fn what_the_node_lacked_and_what_the_pod_used_are_read() {
        let of = |said: &'static str| match eviction(said) {
            Some(Eviction::Pressure { resource, uses }) => {
                let uses = uses.iter().map(|u| {
                    format!(
                        "{} {}/{} {}",
                        u.container,
                        u.used,
                        u.request,
                        u.is_without_request()
                    )
                });
                format!("{resource}: {}", uses.collect::<Vec<_>>().join(", "))
            }
            other => panic!("{other:?}"),
        };
        let new = of(
            "The node was low on resource: ephemeral-storage. Threshold quantity: 8251490800, available: 7810332Ki. Container create was using 36Ki, request is 0, has larger consumption of ephemeral-storage. ",
        );
        assert_eq!(new, "ephemeral-storage: create 36Ki/0 true");
        let old = of(
            "The node was low on resource: memory. Container a was using 1Gi, which exceeds its request of 100Mi. Container b was using 2Gi, which exceeds its request of 0. ",
        );
        assert_eq!(old, "memory: a 1Gi/100Mi false, b 2Gi/0 true");
        assert_eq!(
            of("The node was low on resource: [DiskPressure]. "),
            "DiskPressure: "
        );
        assert_eq!(
            of("Pod was rejected: The node had condition: [MemoryPressure]. "),
            "MemoryPressure: "
        );
    }

    proptest! {
        #[test]
        fn no_message_panics(said in r#"(low on resource: |Container a| was using |, request is |exceeds the | limit|EmptyDir volume |\[|\. |"|1Mi){0,8}"#) {
            let _ = eviction(&said);
        }
    }
}
