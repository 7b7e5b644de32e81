//! What is in `deploy/`: the container's recipe, built into a plain directory and run there by chroot, and files that
//! another program reads.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fake_provider::Settings;
use scorpiox_broker::config::Config;
use scorpiox_tests::component::{leave_out, require};
use scorpiox_tests::process::{Plan, Team};
use serde_json::Value;
use tempfile::TempDir;

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name).canonicalize().unwrap()
}

fn read(name: &str) -> String {
    fs::read_to_string(deploy(name)).unwrap()
}

/// Starts the image's program as an engine does: in its root, which is read-only except for the data, as its user.
const ENGINE: &str = r#"#!/bin/sh
exec /usr/bin/unshare UNSHARE /bin/sh -euc '
root=$1 && shift
/bin/mount --bind "$root" "$root"
/bin/mount --bind "$root/data" "$root/data"
/bin/mount --bind /dev/urandom "$root/dev/urandom"
/bin/mount -o remount,bind,ro "$root"
exec /usr/sbin/chroot USER "$root" "$@"' sh ROOT PROGRAM "$@"
"#;

/// What the container's file says about the image.
#[derive(Debug, Default)]
struct Image {
    environment: BTreeMap<String, String>,
    user: String,
    entry: Vec<String>,
    command: Vec<String>,
    health: Vec<String>,
}

impl Image {
    fn read() -> Self {
        let text = read("Containerfile").replace("\\\n", " ");
        let (_, last_stage) = text.rsplit_once("\nFROM ").unwrap();
        let mut image = Self::default();
        let words = |json: &str| serde_json::from_str::<Vec<String>>(json).unwrap();
        for line in last_stage.lines() {
            match line.split_once(' ').unwrap_or((line, "")) {
                ("ENV", rest) => {
                    let pairs = rest.split_whitespace().map(|pair| pair.split_once('=').unwrap());
                    image.environment = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                }
                ("USER", rest) => rest.clone_into(&mut image.user),
                ("ENTRYPOINT", rest) => image.entry = words(rest),
                ("CMD", rest) => image.command = words(rest),
                ("HEALTHCHECK", rest) => image.health = words(rest.split_once("CMD ").unwrap().1),
                _ => {}
            }
        }
        image
    }
}

/// The image's root in a plain directory, and an "engine" for it.
struct Container {
    image: Image,
    directory: TempDir,
}

impl Container {
    /// `None` after saying that the test is left out.
    fn build() -> Option<Self> {
        let program = require("static-broker")?;
        let image = Image::read();
        let directory = tempfile::Builder::new().prefix("sx").tempdir().unwrap();
        let container = Self { image, directory };
        let built = Command::new(deploy("rootfs")).arg(program).arg(container.root()).output().unwrap();
        assert!(built.status.success(), "{built:?}");
        // An engine brings its own devices.
        fs::create_dir(container.root().join("dev")).unwrap();
        fs::write(container.root().join("dev/urandom"), "").unwrap();
        let Some((unshare, user)) = container.rights() else {
            leave_out("no mount namespace can be made here (unshare --mount), so there is no other root to go into");
            return None;
        };
        let entry = format!("/usr/local/bin/{}", container.image.entry[0]);
        let root = container.root();
        let script = ENGINE.replace("UNSHARE", unshare).replace("USER", &user).replace("PROGRAM", &entry);
        fs::write(container.engine(), script.replace("ROOT", root.to_str().unwrap())).unwrap();
        fs::set_permissions(container.engine(), fs::Permissions::from_mode(0o755)).unwrap();
        Some(container)
    }

    /// Root may all of it; others only in a user namespace, in which there is no user but theirs.
    fn rights(&self) -> Option<(&'static str, String)> {
        let as_user = format!("--userspec={}", self.image.user);
        let ways = [("--mount", as_user), ("--mount --user --map-root-user", String::new())];
        let works = |words: &str| {
            let mut unshare = Command::new("unshare");
            unshare.args(words.split(' ')).args(["mount", "--bind", "/dev/urandom"]);
            unshare.arg(self.root().join("dev/urandom")).output().is_ok_and(|output| output.status.success())
        };
        let is_root = rustix::process::geteuid().is_root();
        ways.into_iter().find(|(words, user)| (is_root || user.is_empty()) && works(words))
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    fn engine(&self) -> PathBuf {
        self.directory.path().join("engine")
    }

    /// As the image says it, but on a free port of loopback and with another login server.
    fn plan(&self, issuer: &str) -> Plan {
        let environment = self.image.environment.iter();
        let plan = Plan::new(&self.root().join("data"), issuer).encrypted().wrapped(&self.engine());
        let plan = environment.fold(plan, |plan, (name, value)| plan.with(name, value));
        let ["serve", "--config", configuration] =
            self.image.command.iter().map(String::as_str).collect::<Vec<_>>()[..]
        else {
            panic!("{:?}", self.image.command);
        };
        plan.with("SCORPIOX_BROKER_LISTEN", "127.0.0.1:0").serve(Path::new(configuration))
    }
}

#[test]
fn the_container_holds_one_program_that_serves_over_tls_from_a_read_only_root() {
    let Some(container) = Container::build() else { return };
    let mut team = Team::with(Settings::default(), |usual| {
        let issuer = usual.command(&[]);
        let issuer = issuer.get_envs().find(|(name, _)| *name == "SCORPIOX_BROKER_PROVIDER_ISSUER").unwrap();
        container.plan(issuer.1.unwrap().to_str().unwrap())
    });
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    assert!(laptop.url.starts_with("https://"), "{laptop:?}");
    assert_eq!(team.fetch(&laptop.key).access_token.expose(), team.issued().access_token);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(team.broker().get(path).status, 200, "{path}");
    }
    team.admin().refresh("main").unwrap();
    assert_eq!(team.fetch(&laptop.key).access_token.expose(), team.issued().access_token);
    let health: Vec<&str> = container.image.health[1..].iter().map(String::as_str).collect();
    let healthy = team.plan().command(&health).output().unwrap();
    assert!(healthy.status.success() && healthy.stdout.starts_with(b"{"), "{healthy:?}");
    assert_eq!(container.image.health[0], container.image.entry[0]);
    let root = fs::read_link(format!("/proc/{}/root", team.broker().pid())).unwrap();
    assert_eq!(root, container.root().canonicalize().unwrap());
    assert!(team.stop().status.success());
    assert_eq!((team.provider.refresh_count(), team.provider.violations()), (1, Vec::<String>::new()));
}

#[test]
fn a_root_is_made_only_of_a_static_program_and_only_where_nothing_is() {
    let place = tempfile::tempdir().unwrap();
    let rootfs = |program: &Path, root: &Path| Command::new(deploy("rootfs")).arg(program).arg(root).output().unwrap();
    let says = |output: &Output, what: &str| String::from_utf8_lossy(&output.stderr).contains(what);
    let fresh = place.path().join("fresh");
    let dynamic = rootfs(&std::env::current_exe().unwrap(), &fresh);
    assert!(dynamic.status.code() == Some(65) && says(&dynamic, "needs shared libraries"), "{dynamic:?}");
    let missing = rootfs(&place.path().join("none"), &fresh);
    assert!(missing.status.code() == Some(65) && says(&missing, "is no program"), "{missing:?}");
    let taken = rootfs(&std::env::current_exe().unwrap(), place.path());
    assert!(taken.status.code() == Some(65) && says(&taken, "exists already"), "{taken:?}");
    assert!(!fresh.exists());
}

/// Words of a text that look like a variable of the broker.
fn variables(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
    // A word that ends so stands for all of them.
    words.filter(|word| word.starts_with("SCORPIOX_BROKER_") && !word.ends_with('_')).collect()
}

#[test]
fn every_setting_that_a_file_of_deploy_names_exists() {
    let known: Vec<&str> = Config::fields().iter().map(|field| field.variable).collect();
    let mut seen = 0;
    for file in ["Containerfile", "compose.yml", "kubernetes.yaml", "scorpiox-broker.service", "demo"] {
        for variable in variables(&read(file)) {
            assert!(known.contains(&variable), "{file}: {variable}");
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
    assert_eq!(variables("SCORPIOX_BROKER_* SCORPIOX_BROKER_DATA=/x"), ["SCORPIOX_BROKER_DATA"]);
}

/// The documents of a YAML file, as another program reads them.
fn documents(name: &str) -> Option<Vec<Value>> {
    let script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
    let output = Command::new(require("python3-yaml")?).args(["-c", script]).arg(deploy(name)).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("No module named") {
        leave_out("python3-yaml is missing: apt-get install python3-yaml");
        return None;
    }
    assert!(output.status.success(), "{name}: {said}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn kubernetes_runs_one_broker_that_may_nothing_and_asks_it_how_it_is() {
    let Some(documents) = documents("kubernetes.yaml") else { return };
    let set = documents.iter().find(|document| document["kind"] == "StatefulSet").unwrap();
    assert_eq!(set["spec"]["replicas"], 1);
    let pod = &set["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let image = Image::read();
    let user: u64 = image.user.split(':').next().unwrap().parse().unwrap();
    assert_eq!(
        (&pod["securityContext"]["runAsNonRoot"], &pod["securityContext"]["runAsUser"]),
        (&true.into(), &user.into())
    );
    let rights = &container["securityContext"];
    assert_eq!((&rights["readOnlyRootFilesystem"], &rights["allowPrivilegeEscalation"]), (&true.into(), &false.into()));
    assert_eq!(rights["capabilities"]["drop"][0], "ALL");
    for (probe, path) in [("livenessProbe", "/healthz"), ("startupProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        let get = &container[probe]["httpGet"];
        assert_eq!((&get["path"], &get["scheme"]), (&path.into(), &"HTTPS".into()), "{probe}");
    }
    let port = image.environment["SCORPIOX_BROKER_LISTEN"].rsplit(':').next().unwrap().to_owned();
    assert_eq!(container["ports"][0]["containerPort"].to_string(), port);
    let variable =
        |name: &str| container["env"].as_array().unwrap().iter().find(|entry| entry["name"] == name).unwrap();
    let mounted = |path: &str| container["volumeMounts"].as_array().unwrap().iter().any(|at| at["mountPath"] == path);
    assert!(mounted("/data") && variable("SCORPIOX_BROKER_DATA")["value"].as_str().unwrap().starts_with("/data/"));
    assert!(mounted(variable("CREDENTIALS_DIRECTORY")["value"].as_str().unwrap()));
    assert_eq!(set["spec"]["volumeClaimTemplates"][0]["metadata"]["name"], "data");
}

#[test]
fn compose_starts_the_containers_file_with_a_volume_a_secret_and_no_rights() {
    let Some(documents) = documents("compose.yml") else { return };
    let compose = &documents[0];
    let broker = &compose["services"]["broker"];
    let built = &broker["build"];
    let containerfile = deploy(built["context"].as_str().unwrap()).join(built["dockerfile"].as_str().unwrap());
    assert_eq!(containerfile.canonicalize().unwrap(), deploy("Containerfile"));
    assert_eq!((&broker["read_only"], &broker["cap_drop"][0]), (&true.into(), &"ALL".into()));
    let name = broker["environment"]["SCORPIOX_BROKER_KEYS_MASTER_KEY_CREDENTIAL"].as_str().unwrap();
    assert!(broker["secrets"][0] == name && compose["secrets"].get(name).is_some(), "{compose}");
    let port = Image::read().environment["SCORPIOX_BROKER_LISTEN"].rsplit(':').next().unwrap().to_owned();
    assert_eq!(broker["ports"][0], format!("{port}:{port}"));
    assert!(broker["volumes"][0].as_str().is_some_and(|volume| volume.ends_with(":/data")), "{broker}");
}
