//! A migration that is added makes the crate that carries them be built again; cargo sees only the files that were there.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
