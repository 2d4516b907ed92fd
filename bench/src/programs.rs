//! The programs to measure: given, or built in release mode beside this one.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use crate::stand::Programs;

/// The repository.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The release program to measure, with `sandbox` beside it [default: built from this repository]
    #[arg(long, global = true, value_name = "FILE")]
    atlas: Option<PathBuf>,
    /// The built site [default: site in the folder above the program's]
    #[arg(long, global = true, value_name = "FOLDER")]
    site: Option<PathBuf>,
}

/// Finds the programs, and builds what is not given.
pub async fn prepare(args: Args) -> Result<Programs> {
    if cfg!(debug_assertions) && args.atlas.is_none() {
        bail!("this is a debug build: run `make bench`, or name a release program with --atlas");
    }
    let site = args.site.clone();
    let atlas = atlas(args).await?;
    let folder = atlas.parent().context("no folder of programs")?;
    let site = match site {
        Some(site) => site.canonicalize().with_context(|| format!("no site at {}", site.display()))?,
        None => built_site(folder.parent().unwrap_or(folder)).await?,
    };
    Ok(Programs { sandbox: folder.join("sandbox"), atlas, site })
}

/// Finds the program itself, or builds it in the mode that we were built in.
pub async fn atlas(args: Args) -> Result<PathBuf> {
    if let Some(atlas) = args.atlas {
        return atlas.canonicalize().with_context(|| format!("no program at {}", atlas.display()));
    }
    let own = std::env::current_exe()?;
    let folder = own.parent().context("no folder of programs")?;
    let target = folder.parent().context("no target folder")?;
    let mut command = Command::new("cargo");
    command.args(["build", "--package", "server", "--package", "sandbox", "--bins", "--target-dir"]).arg(target);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    run(&mut command).await?;
    Ok(folder.join("atlas"))
}

async fn built_site(target: &Path) -> Result<PathBuf> {
    let site = target.join("site");
    if !site.join("hash.txt").is_file() {
        run(Command::new("node").arg("scripts/build-site.mjs").env("CARGO_TARGET_DIR", target)).await?;
    }
    Ok(site)
}

async fn run(command: &mut Command) -> Result<()> {
    let name = command.as_std().get_program().to_owned();
    let status = command.current_dir(ROOT).status().await.with_context(|| format!("running {}", name.display()))?;
    if !status.success() {
        bail!("{} failed: {status}", name.display());
    }
    Ok(())
}
