//! The analyzers and views are read into the binary: a new file among them must build it anew.

fn main() {
    println!("cargo::rerun-if-changed=analyzers");
    println!("cargo::rerun-if-changed=views");
}
