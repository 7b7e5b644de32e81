//! What `~/.ssh/config` says about a host: the part that an ssh source needs. Pure.
//!
//! As in OpenSSH the first value wins, and files add up in the order in which they are read. `Include` is followed;
//! of `Match` only `Match all` is understood, every other such block is passed over and named.

use super::pattern;

/// Files within files: a circle ends here.
const DEEPEST: u32 = 8;

/// What the files said.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct HostOptions {
    /// The name or address to connect to.
    pub host_name: Option<String>,
    /// Its port, as written.
    pub port: Option<String>,
    /// The user there.
    pub user: Option<String>,
    /// Private keys, as written, in their order.
    pub identity_files: Vec<String>,
    /// Whether the agent's other keys stay out.
    pub identities_only: Option<bool>,
    /// The name under which the host key is known.
    pub host_key_alias: Option<String>,
    /// What holds for this host and is not understood, by its keyword.
    pub passed_over: Vec<String>,
}

/// Resolves an `Include`: the texts of the files that it names, in their order.
pub trait Included {
    /// `argument` is one pattern as it was written.
    fn texts(&mut self, argument: &str) -> Vec<String>;
}

/// Adds what `text` says about `host`.
pub fn apply(text: &str, host: &str, options: &mut HostOptions, included: &mut dyn Included) {
    Reader { host, options, included }.read(text, true, 0);
}

struct Reader<'a> {
    host: &'a str,
    options: &'a mut HostOptions,
    included: &'a mut dyn Included,
}

impl Reader<'_> {
    /// `holds`: whether the block in which the text stands is about our host.
    fn read(&mut self, text: &str, outer: bool, depth: u32) {
        let mut holds = outer;
        for line in text.lines() {
            let Some((keyword, arguments)) = words(line) else { continue };
            match keyword.as_str() {
                "host" => holds = outer && pattern::any_fits(arguments.iter().map(String::as_str), self.host),
                "match" => holds = outer && self.is_for_all(&arguments),
                "include" if holds && depth < DEEPEST => self.include(&arguments, depth),
                _ if holds => self.option(&keyword, &arguments),
                _ => {}
            }
        }
    }

    fn is_for_all(&mut self, arguments: &[String]) -> bool {
        let for_all = matches!(arguments, [only] if only.eq_ignore_ascii_case("all"));
        if !for_all {
            self.pass_over("Match");
        }
        for_all
    }

    fn include(&mut self, arguments: &[String], depth: u32) {
        for argument in arguments {
            for text in self.included.texts(argument) {
                self.read(&text, true, depth + 1);
            }
        }
    }

    fn option(&mut self, keyword: &str, arguments: &[String]) {
        let Some(value) = arguments.first() else { return };
        let options = &mut *self.options;
        let first = |slot: &mut Option<String>| {
            slot.get_or_insert_with(|| value.clone());
        };
        match keyword {
            "hostname" => first(&mut options.host_name),
            "port" => first(&mut options.port),
            "user" => first(&mut options.user),
            "hostkeyalias" => first(&mut options.host_key_alias),
            "identityfile" if options.identity_files.contains(value) => {}
            "identityfile" => options.identity_files.push(value.clone()),
            "identitiesonly" => {
                options.identities_only.get_or_insert(value.eq_ignore_ascii_case("yes"));
            }
            "proxyjump" | "proxycommand" if value.eq_ignore_ascii_case("none") => {}
            "proxyjump" => self.pass_over("ProxyJump"),
            "proxycommand" => self.pass_over("ProxyCommand"),
            "userknownhostsfile" => self.pass_over("UserKnownHostsFile"),
            _ => {}
        }
    }

    fn pass_over(&mut self, keyword: &str) {
        if !self.options.passed_over.iter().any(|named| named == keyword) {
            self.options.passed_over.push(keyword.to_owned());
        }
    }
}

/// Keyword in lower case, and its arguments; `None` for blank lines and comments.
fn words(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Some((keyword.to_ascii_lowercase(), arguments(rest)))
}

/// Arguments are separated by blanks; double quotes keep blanks; `#` begins a comment.
fn arguments(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (argument, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        all.push(argument.to_owned());
        rest = behind.trim_start();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files(&'static [(&'static str, &'static str)]);

    impl Included for Files {
        fn texts(&mut self, argument: &str) -> Vec<String> {
            self.0.iter().filter(|(name, _)| *name == argument).map(|(_, text)| (*text).to_owned()).collect()
        }
    }

    fn options_of(text: &str, host: &str) -> HostOptions {
        let mut options = HostOptions::default();
        let mut files = Files(&[
            ("more", "User included\nHost other\nPort 7\n"),
            ("circle", "Include circle\nPort 9\n"),
            ("two", "IdentityFile c\n"),
        ]);
        apply(text, host, &mut options, &mut files);
        options
    }

    #[test]
    fn the_first_value_that_is_about_the_host_holds() {
        let text = "\
            # a comment\n\
            User early\n\
            Host *.example.org !bad.example.org\n  HostName=10.0.0.7\n\tPort 2222 # remark\n  User late\n\
            Host bad.example.org\n  Port 1\n\
            Host *\n  Port 22\n  IdentityFile \"~/my keys/id\"\n  IdentityFile b\n IdentityFile b\n  identitiesonly YES\n";
        let good = options_of(text, "a.example.org");
        assert_eq!((good.host_name.as_deref(), good.port.as_deref()), (Some("10.0.0.7"), Some("2222")));
        assert_eq!(good.user.as_deref(), Some("early"));
        assert_eq!(good.identity_files, ["~/my keys/id", "b"]);
        assert_eq!(good.identities_only, Some(true));
        let bad = options_of(text, "bad.example.org");
        assert_eq!((bad.host_name, bad.port.as_deref()), (None, Some("1")));
    }

    #[test]
    fn includes_are_followed_where_they_hold_and_a_circle_ends() {
        let options = options_of("Host a\nInclude more two\nPort 5\nHost b\nInclude circle\n", "a");
        assert_eq!((options.user.as_deref(), options.port.as_deref()), (Some("included"), Some("5")));
        assert_eq!(options.identity_files, ["c"]);
        assert_eq!(options_of("Include circle\n", "a").port.as_deref(), Some("9"));
        assert_eq!(options_of("Host b\nInclude more\n", "a"), HostOptions::default());
    }

    #[test]
    fn what_is_not_understood_is_named_once_and_only_where_it_holds() {
        let text = "Match exec true\n User x\nMatch user y\nMatch all\nHostName h\nHost a\nProxyJump j\nProxyCommand none\n\
                    Host b\nProxyCommand nc\n";
        let options = options_of(text, "a");
        assert_eq!(options.passed_over, ["Match", "ProxyJump"]);
        assert_eq!((options.user, options.host_name.as_deref()), (None, Some("h")));
    }

    #[test]
    fn nothing_in_a_file_makes_the_reader_stumble() {
        for text in ["Host", "Port", "=", "Host \"", "Port =", "HostName \"\"", "\u{feff}Host x", "\0", "Include", "#"]
        {
            options_of(text, "a");
        }
    }
}
