//! `sqlx::migrate!` reads the folder while compiling; without this a new migration would go unnoticed.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
