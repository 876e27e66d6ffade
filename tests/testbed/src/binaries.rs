//! Where each program of the control plane is: an envtest folder, a prebuilt folder, or built here.

use std::{
    collections::HashMap,
    env,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use crate::{
    error::{Error, Result},
    recipe::RECIPES,
    toolchain,
};

/// Names a folder of prebuilt binaries; nothing is then built.
pub const PREBUILT: &str = "SKVS_TESTBED_BIN";
/// The usual variable of envtest. It comes first for the three binaries that its folder may hold.
pub const ENVTEST: &str = "KUBEBUILDER_ASSETS";
const ENVTEST_HOLDS: [&str; 3] = ["etcd", "kube-apiserver", "kubectl"];

/// Finds binaries and remembers what has been built.
#[derive(Debug, Default)]
pub struct Binaries {
    prebuilt: Option<PathBuf>,
    envtest: Option<PathBuf>,
    built: Mutex<HashMap<&'static str, PathBuf>>,
}

impl Binaries {
    /// Reads the two variables.
    pub fn from_env() -> Self {
        let folder = |variable| {
            env::var_os(variable)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Self {
            prebuilt: folder(PREBUILT),
            envtest: folder(ENVTEST),
            built: Mutex::default(),
        }
    }

    /// Fails at once where a build would.
    pub(crate) fn check(&self) -> Result<()> {
        match self.prebuilt {
            Some(_) => Ok(()),
            None => toolchain::check(),
        }
    }

    /// The path of one binary (`kubectl`, `helm`, `etcd`, `krew` …), building it first where needed.
    pub fn path(&self, name: &str) -> Result<PathBuf> {
        let (recipe, program) = RECIPES
            .iter()
            .flat_map(|recipe| recipe.programs.iter().map(move |program| (recipe, program)))
            .find(|(_, program)| program.name == name)
            .ok_or_else(|| Error::Other(format!("no module of the testbed builds {name}")))?;
        let envtest = self
            .envtest
            .iter()
            .filter(|_| ENVTEST_HOLDS.contains(&name))
            .map(|folder| folder.join(name))
            .find(|path| path.is_file());
        if let Some(path) = envtest {
            return Ok(path);
        }
        if let Some(folder) = &self.prebuilt {
            return [name, program.built_as()]
                .map(|name| folder.join(name))
                .into_iter()
                .find(|path| path.is_file())
                .ok_or_else(|| Error::MissingBinary {
                    variable: PREBUILT,
                    folder: folder.clone(),
                    binary: name.to_owned(),
                });
        }
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = built.get(recipe.name) {
            return Ok(folder.join(name));
        }
        let folder = toolchain::ensure(recipe)?;
        let path = folder.join(name);
        built.insert(recipe.name, folder);
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(prebuilt: Option<PathBuf>, envtest: Option<PathBuf>) -> Binaries {
        Binaries {
            prebuilt,
            envtest,
            built: Mutex::default(),
        }
    }

    #[test]
    fn a_prebuilt_folder_answers_and_names_what_it_lacks() {
        let run = crate::RunDir::create().unwrap();
        run.write("bin/server", "").unwrap();
        let folder = run.path().join("bin");
        let binaries = with(Some(folder.clone()), None);
        assert_eq!(binaries.path("etcd").unwrap(), folder.join("server"));
        let error = binaries.path("helm").unwrap_err().to_string();
        assert!(error.starts_with("SKVS_TESTBED_BIN="), "{error}");
        assert!(error.contains(" has no helm\n"), "{error}");
    }

    #[test]
    fn an_envtest_folder_comes_first_for_what_it_holds() {
        let run = crate::RunDir::create().unwrap();
        for file in [
            "assets/kubectl",
            "assets/helm",
            "bin/kubectl",
            "bin/etcd",
            "bin/helm",
        ] {
            run.write(file, "").unwrap();
        }
        let (assets, bin) = (run.path().join("assets"), run.path().join("bin"));
        let binaries = with(Some(bin.clone()), Some(assets.clone()));
        assert_eq!(binaries.path("kubectl").unwrap(), assets.join("kubectl"));
        // Not there, and not one of the three.
        assert_eq!(binaries.path("etcd").unwrap(), bin.join("etcd"));
        assert_eq!(binaries.path("helm").unwrap(), bin.join("helm"));
        let alone = with(None, Some(assets.clone()));
        assert_eq!(alone.path("kubectl").unwrap(), assets.join("kubectl"));
    }

    #[test]
    fn an_unknown_name_is_told() {
        assert_eq!(
            with(None, None).path("docker").unwrap_err().to_string(),
            "no module of the testbed builds docker"
        );
    }
}
