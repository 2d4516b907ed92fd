//! The private cluster's folder: what lies where in it, who may enter it, and the lock that makes one program its keeper.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use super::account::Account;

/// Names the socket; nothing listens on it.
pub const PORT: u16 = 5432;

/// A Unix socket's path may have 107 bytes (unix(7), `sun_path`).
const SOCKET_PATH_BYTES_MAX: usize = 107;

pub struct Folder {
    root: PathBuf,
}

/// Held by the one program that keeps the cluster. The kernel lets go of it however the program ends.
pub struct Lock {
    #[expect(dead_code, reason = "held, not read")]
    file: File,
}

impl Folder {
    pub fn prepare(data_dir: &Path) -> Result<Self> {
        let root = data_dir.join("postgres");
        fs::create_dir_all(data_dir)
            .and_then(|()| make_private(&root))
            .with_context(|| format!("making the folder {}", root.display()))?;
        Ok(Self { root: root.canonicalize()? })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Where a cluster is made; it moves to [`Self::data`] when it is whole.
    pub fn half_made(&self) -> PathBuf {
        self.root.join("data.partial")
    }

    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// In the folder itself, or in the system's temporary one when the path would be too long.
    pub fn socket(&self) -> PathBuf {
        let here = self.root.join("run");
        let name_bytes = format!("/.s.PGSQL.{PORT}").len();
        if here.as_os_str().len() + name_bytes <= SOCKET_PATH_BYTES_MAX {
            return here;
        }
        let digest = Sha256::digest(self.root.as_os_str().as_encoded_bytes());
        let short = digest.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        std::env::temp_dir().join(format!("atlas-{short:016x}"))
    }

    pub fn is_made(&self) -> bool {
        self.data().exists()
    }

    /// The major version that made the cluster.
    pub fn made_by_version(&self) -> Result<Option<String>> {
        if !self.is_made() {
            return Ok(None);
        }
        let file = self.data().join("PG_VERSION");
        let version = fs::read_to_string(&file)
            .with_context(|| format!("{} is no PostgreSQL cluster; move it away", self.data().display()))?;
        Ok(Some(version.trim().to_owned()))
    }

    /// User and group of the cluster's files, if there is one.
    pub fn owner(&self) -> Result<Option<(u32, u32)>> {
        if !self.is_made() {
            return Ok(None);
        }
        let metadata = self.data().metadata()?;
        Ok(Some((metadata.uid(), metadata.gid())))
    }

    /// None: another program holds it.
    pub fn lock(&self) -> Result<Option<Lock>> {
        let path = self.root.join("lock");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .with_context(|| format!("opening {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error).context("locking the data folder"),
        }
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        Ok(Some(Lock { file }))
    }

    /// The process that holds the lock, as it wrote down itself.
    pub fn holder(&self) -> Option<u32> {
        fs::read_to_string(self.root.join("lock")).ok()?.trim().parse().ok()
    }

    /// Gives the account what it needs, and nobody else anything.
    pub fn hand_over(&self, account: &Account) -> Result<()> {
        let socket = self.socket();
        make_private(&socket).with_context(|| format!("making {}", socket.display()))?;
        let log = self.log();
        OpenOptions::new().create(true).append(true).open(&log)?;
        for path in [&self.root, &socket, &log] {
            if fs::symlink_metadata(path)?.is_symlink() {
                bail!("{} is a link; remove it", path.display());
            }
            if let Some((uid, gid)) = account.owner() {
                chown(path, Some(uid), Some(gid)).with_context(|| format!("handing over {}", path.display()))?;
            }
            let mode = if path.is_dir() { 0o700 } else { 0o600 };
            fs::set_permissions(path, fs::Permissions::from_mode(mode))
                .with_context(|| format!("{} belongs to someone else; remove it", path.display()))?;
        }
        Ok(())
    }

    /// An earlier start that was cut off leaves this behind.
    pub fn clear_half_made(&self) -> Result<()> {
        let half_made = self.half_made();
        if half_made.exists() {
            tracing::warn!("an earlier start ended while making the database; making it anew");
            fs::remove_dir_all(&half_made).with_context(|| format!("removing {}", half_made.display()))?;
        }
        Ok(())
    }

    /// The rename is the moment from which the cluster exists.
    pub fn finish_making(&self) -> Result<()> {
        fs::rename(self.half_made(), self.data()).context("putting the new cluster in its place")?;
        File::open(&self.root)?.sync_all().context("making the rename durable")
    }
}

fn make_private(folder: &Path) -> std::io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
