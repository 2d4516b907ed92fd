//! The browser's files, as the build left them: each with a brotli and a gzip copy beside it. What stands under `pkg`
//! has its content's hash in its name and may be cached for ever.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use leptos::config::{Env, LeptosOptions};
use tower_http::services::{ServeDir, ServeFile};

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// A built site that was looked at: its hashed files are there.
#[derive(Debug, Clone)]
pub struct Site {
    folder: PathBuf,
}

impl Site {
    pub fn open(folder: &Path) -> Result<Self> {
        let Ok(folder) = folder.canonicalize() else {
            bail!("no built site at {}; run scripts/build-site.mjs, or set ATLAS_SITE_DIR", folder.display())
        };
        let site = Self { folder };
        let note = site.hashes();
        let hashes = std::fs::read_to_string(&note).with_context(|| format!("reading {}", note.display()))?;
        for line in hashes.lines() {
            let (kind, hash) = line.split_once(": ").with_context(|| format!("{}: {line}", note.display()))?;
            let file = site.folder.join("pkg").join(format!("atlas.{hash}.{kind}"));
            if !file.is_file() {
                bail!("the built site is not whole: {} is missing; run scripts/build-site.mjs", file.display());
            }
        }
        Ok(site)
    }

    /// Only what is there is routed: anything else is a page, or the page for what is not found.
    pub fn routes(&self) -> Result<Router> {
        let hashed = ServeDir::new(self.folder.join("pkg")).precompressed_br().precompressed_gzip();
        let hashed =
            Router::new().nest_service("/pkg", hashed).layer(map_response(async |answer| cached(answer, FOR_EVER)));
        let mut others = Router::new();
        for entry in std::fs::read_dir(&self.folder).context("reading the built site")? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let is_copy = Path::new(&name).extension().is_some_and(|extension| extension == "br" || extension == "gz");
            if is_copy || name == "pkg" || name == "hash.txt" {
                continue;
            }
            let (path, place) = (format!("/{name}"), entry.path());
            others = if place.is_dir() {
                let folder = ServeDir::new(place).precompressed_br().precompressed_gzip();
                others.nest_service(&path, folder.append_index_html_on_directories(false))
            } else {
                others.route_service(&path, ServeFile::new(place).precompressed_br().precompressed_gzip())
            };
        }
        Ok(hashed.merge(others.layer(map_response(async |answer| cached(answer, A_DAY)))))
    }

    /// Tells Leptos the hashed names. It looks for the note beside the program, unless its path is absolute.
    pub fn leptos_options(&self, bound: std::net::SocketAddr) -> LeptosOptions {
        LeptosOptions::builder()
            .output_name("atlas")
            .site_root(self.folder.to_string_lossy())
            .site_pkg_dir("pkg")
            .site_addr(bound)
            .env(Env::PROD)
            .hash_files(true)
            .hash_file(self.hashes().to_string_lossy().into())
            .build()
    }

    fn hashes(&self) -> PathBuf {
        self.folder.join("hash.txt")
    }
}

fn cached(mut answer: Response, policy: HeaderValue) -> Response {
    if answer.status().is_success() || answer.status() == StatusCode::NOT_MODIFIED {
        answer.headers_mut().insert(header::CACHE_CONTROL, policy);
        // A cache between us and the browser must not hand the brotli copy to one that can't read it.
        answer.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    answer
}

/// A built site with nothing in it, in a folder of its own.
#[cfg(test)]
pub fn built() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("atlas-site-{}", atlas::ids::fresh()));
    std::fs::create_dir_all(folder.join("pkg")).unwrap_or_default();
    for (file, content) in [
        ("hash.txt", "js: 1\nwasm: 2\ncss: 3\n"),
        ("robots.txt", "User-agent: *"),
        ("pkg/atlas.1.js", "plain"),
        ("pkg/atlas.1.js.br", "brotli"),
        ("pkg/atlas.1.js.gz", "gzip"),
        ("pkg/atlas.2.wasm", ""),
        ("pkg/atlas.3.css", ""),
    ] {
        std::fs::write(folder.join(file), content).unwrap_or_default();
    }
    folder
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use axum::body::Body;
    use http::Request;
    use tower::ServiceExt as _;

    async fn ask(folder: &Path, path: &str, encodings: &str) -> Response {
        let request = Request::get(path).header("accept-encoding", encodings).body(Body::empty()).unwrap();
        Site::open(folder).unwrap().routes().unwrap().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn hashed_files_are_sent_compressed_and_kept_for_ever() {
        let folder = built();
        let answer = ask(&folder, "/pkg/atlas.1.js", "gzip, br").await;
        assert_eq!(answer.headers()["content-encoding"], "br");
        assert_eq!(answer.headers()["content-type"], "text/javascript");
        assert_eq!(answer.headers()["cache-control"], FOR_EVER);
        assert!(!ask(&folder, "/pkg/atlas.1.js", "identity").await.headers().contains_key("content-encoding"));
        assert_eq!(ask(&folder, "/pkg/atlas.2.wasm", "identity").await.headers()["content-type"], "application/wasm");
    }

    #[tokio::test]
    async fn what_is_missing_is_not_cached_and_the_note_is_not_served() {
        let folder = built();
        let answer = ask(&folder, "/pkg/atlas.9.js", "br").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert!(!answer.headers().contains_key("cache-control"));
        assert_eq!(ask(&folder, "/hash.txt", "br").await.status(), StatusCode::NOT_FOUND);
        assert_eq!(ask(&folder, "/robots.txt", "br").await.headers()["cache-control"], A_DAY);
    }

    #[tokio::test]
    async fn a_site_that_is_not_whole_is_refused() {
        let folder = built();
        std::fs::remove_file(folder.join("pkg/atlas.2.wasm")).unwrap();
        assert!(Site::open(&folder).unwrap_err().to_string().contains("atlas.2.wasm is missing"));
        assert!(Site::open(Path::new("/nowhere")).unwrap_err().to_string().contains("ATLAS_SITE_DIR"));
    }
}
