//! Files of the user's own: nobody else can read them, and each gets its name only when it is whole.
//!
//! A folder may be shared: a name in it may be somebody else's link. A file is opened once, judged by its
//! descriptor before anything touches it, and published only while its name still means the same file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IntoInnerError, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes a file that was not there, for its owner alone.
///
/// # Errors
/// Something has the name already ([`io::ErrorKind::AlreadyExists`]), or it cannot be made.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    options().create_new(true).open(path)
}

/// Opens a file that is there, for reading and writing. Its content is not touched; nobody but its owner can read it from now on.
///
/// # Errors
/// It is not a regular file of this user's own with this one name, or cannot be opened.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let file = own(path, &options())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Reads a file of this user's own that nobody else can write to, `most` bytes at most.
///
/// # Errors
/// As [`open`]; or others can write to it, or it holds more.
pub(crate) fn read_own(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let file = own(path, options().write(false))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if file.metadata()?.permissions().mode() & 0o022 != 0 {
            return Err(io::Error::other("others can write to it"));
        }
    }
    let mut content = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut content)?;
    match content.len() > most {
        true => Err(io::Error::other("it is too large")),
        false => Ok(content),
    }
}

/// Opens a regular file of this user's own, which has no other name.
fn own(path: &Path, options: &OpenOptions) -> io::Result<File> {
    let link = fs::symlink_metadata(path)?.is_symlink();
    let other = |why: &str| Err(io::Error::other(why.to_owned()));
    if link {
        return other("it is a symbolic link");
    }
    // A link that came to be there since is refused by the system.
    let file = options.open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return other("it is not a regular file");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if found.uid() != rustix::process::geteuid().as_raw() {
            return other("it belongs to another user");
        }
        if found.nlink() != 1 {
            return other("it has another name beside this one (a hard link)");
        }
    }
    Ok(file)
}

/// The plugin's folder below the one that the variable names, or below `usual` in the user's home. As the XDG specification says, a path
/// that is not absolute counts as none.
pub(crate) fn user_folder(variable: &str, usual: &str) -> Option<PathBuf> {
    let given = std::env::var_os(variable).map(PathBuf::from);
    let folder = given
        .filter(|path| path.is_absolute())
        .or_else(|| Some(std::env::home_dir()?.join(usual)))
        .filter(|path| path.is_absolute())?;
    Some(folder.join("kubectl-skvs"))
}

/// Makes a folder for its owner alone, and those above it; one that is there stays as it is.
///
/// # Errors
/// It cannot be made.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path)
}

/// Writes a file under another name in the same folder, for its owner alone, and then gives it its own: a broken run leaves nothing
/// under it.
///
/// # Errors
/// As [`create`] and [`publish`].
pub(crate) fn write(
    path: &Path,
    replace: bool,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = folder(path).join(format!(".{name}.{}.part", std::process::id()));
    let file = create(&part)?;
    let written = || {
        let mut out = BufWriter::new(&file);
        content(&mut out)?;
        out.into_inner().map_err(IntoInnerError::into_error)?;
        file.sync_all()?;
        publish(&file, &part, path, replace)
    };
    let done = written();
    if done.is_err() {
        let _ = fs::remove_file(&part);
    }
    done
}

/// Opens a file of anybody's for reading: a regular one, so that no pipe makes the run wait for ever.
///
/// # Errors
/// It is not, or cannot be opened.
pub(crate) fn read_only(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::other("it is not a regular file"))
}

/// Renames `file` from `from` to `to`. Its content must be on the disk.
///
/// # Errors
/// `from` is not this file any more, or it cannot be renamed; without `replace` also when something has the name `to`
/// ([`io::ErrorKind::AlreadyExists`]).
pub(crate) fn publish(file: &File, from: &Path, to: &Path, replace: bool) -> io::Result<()> {
    is_same(file, from)?;
    if !replace {
        // Unlike a rename, a link never replaces what came to be there since.
        match fs::hard_link(from, to) {
            Ok(()) => {
                is_same(file, to)?;
                fs::remove_file(from)?;
                return sync_folder(to);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            // A file system without links: the name is taken by an empty file, which the rename replaces.
            Err(_) => drop(create(to)?),
        }
    }
    if let Err(error) = fs::rename(from, to) {
        if !replace {
            // The empty file that took the name.
            let _ = fs::remove_file(to);
        }
        return Err(error);
    }
    is_same(file, to)?;
    sync_folder(to)
}

/// Reads a file past the place at which another handle of it stands, and counts what it reads.
#[derive(Debug)]
pub(crate) struct Reader {
    file: File,
    at: u64,
    read: Arc<AtomicU64>,
}

impl Reader {
    /// # Errors
    /// The handle cannot be copied.
    pub(crate) fn new(file: &File, at: u64) -> io::Result<Self> {
        let file = file.try_clone()?;
        let read = Arc::default();
        Ok(Self { file, at, read })
    }

    /// Another one, from the file's beginning, with the same count.
    ///
    /// # Errors
    /// The handle cannot be copied.
    pub(crate) fn again(&self) -> io::Result<Self> {
        Ok(Self {
            read: Arc::clone(&self.read),
            ..Self::new(&self.file, 0)?
        })
    }

    /// How many bytes have been read, while they are.
    pub(crate) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(&self.file, into, self.at)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(&self.file, into, self.at)?;
        self.at += read as u64;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Whether `path` is this very file.
fn is_same(file: &File, path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let (ours, theirs) = (file.metadata()?, fs::symlink_metadata(path)?);
        if (ours.dev(), ours.ino()) != (theirs.dev(), theirs.ino()) {
            let why = format!("{} was replaced by another file", path.display());
            return Err(io::Error::other(why));
        }
    }
    #[cfg(not(unix))]
    let _ = (file, path);
    Ok(())
}

/// For reading and writing, for the owner alone, through no link.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        // Of a named pipe an open without NONBLOCK may wait for ever.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    options
}

/// The folder that a file is in.
pub(crate) fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Has the folder's entries on the disk, so that the name is there after a power failure.
fn sync_folder(file: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder(file))?.sync_all()?;
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_not_a_file_of_our_own_is_refused_and_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("foreign"), "theirs").unwrap();
        fs::set_permissions(at("foreign"), fs::Permissions::from_mode(0o644)).unwrap();
        symlink(at("foreign"), at("link")).unwrap();
        symlink(at("nothing"), at("dangling")).unwrap();
        fs::hard_link(at("foreign"), at("twin")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRUSR).unwrap();
        for (name, why) in [
            ("link", "it is a symbolic link"),
            ("dangling", "it is a symbolic link"),
            ("twin", "it has another name"),
            ("pipe", "it is not a regular file"),
        ] {
            let error = open(&at(name)).unwrap_err().to_string();
            assert!(error.starts_with(why), "{name}: {error}");
            let made = create(&at(name)).unwrap_err();
            assert_eq!(made.kind(), io::ErrorKind::AlreadyExists, "{name}");
        }
        for name in ["pipe", "folder"] {
            assert!(read_only(&at(name)).is_err(), "{name}");
        }
        assert!(read_only(&at("link")).is_ok());
        assert!(open(&at("folder")).is_err());
        assert!(!at("nothing").exists());
        assert_eq!(mode(&at("foreign")), 0o644);
        assert_eq!(fs::read(at("foreign")).unwrap(), b"theirs");
    }

    #[test]
    fn only_a_small_file_that_is_ours_alone_to_write_is_read_as_our_own() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write(&at("ours"), false, |out| out.write_all(b"1234")).unwrap();
        assert_eq!(read_own(&at("ours"), 4).unwrap(), b"1234");
        let why = |name: &str, most| read_own(&at(name), most).unwrap_err().to_string();
        assert_eq!(why("ours", 3), "it is too large");
        symlink(at("ours"), at("link")).unwrap();
        assert_eq!(why("link", 9), "it is a symbolic link");
        fs::set_permissions(at("ours"), fs::Permissions::from_mode(0o620)).unwrap();
        assert_eq!(why("ours", 9), "others can write to it");
        assert_eq!(mode(&at("ours")), 0o620, "it is not touched");
        fs::hard_link(at("ours"), at("twin")).unwrap();
        assert!(why("twin", 9).starts_with("it has another name"));
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/f");
        make_folder(path.parent().unwrap()).unwrap();
        assert_eq!(mode(&folder.path().join("a")), 0o700);
        write(&path, true, |out| out.write_all(b"before")).unwrap();
        let half = write(&path, true, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("the disk is full"))
        });
        assert_eq!(half.unwrap_err().to_string(), "the disk is full");
        assert_eq!(fs::read(&path).unwrap(), b"before");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_of_our_own_is_for_us_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "ours").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        open(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read(&path).unwrap(), b"ours");
    }

    #[test]
    fn only_the_file_that_was_written_gets_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("f.part"), folder.path().join("f"));
        let mut file = create(&from).unwrap();
        file.write_all(b"whole").unwrap();
        // Another file is put in its place.
        fs::rename(&from, folder.path().join("away")).unwrap();
        fs::write(&from, "theirs").unwrap();
        for replace in [false, true] {
            let error = publish(&file, &from, &to, replace).unwrap_err();
            assert!(error.to_string().ends_with("was replaced by another file"));
            assert!(!to.exists());
        }
        fs::rename(folder.path().join("away"), &from).unwrap();
        fs::write(&to, "before").unwrap();
        let error = publish(&file, &from, &to, false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&to).unwrap(), b"before");
        publish(&file, &from, &to, true).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"whole");
        assert!(!from.exists());
    }
}
