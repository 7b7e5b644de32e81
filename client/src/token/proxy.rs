//! Which proxy leads to the broker: `HTTPS_PROXY`, else `ALL_PROXY`, unless `NO_PROXY` exempts the host.
//!
//! A broker on this machine is never asked through a proxy: over plain HTTP that would show the proxy the key.
//! `HTTP_PROXY` is for plain HTTP and so never applies.

use std::ffi::OsString;

use crate::failure::Failure;
use crate::settings::broker_url::BrokerUrl;

/// The proxy's address as it was written, or `None` for a direct connection.
pub fn choose(environment: &dyn Fn(&str) -> Option<OsString>, url: &BrokerUrl) -> Result<Option<String>, Failure> {
    let lookup = |names: [&str; 2]| {
        let value = names.into_iter().find_map(|name| environment(name).filter(|value| !value.is_empty()));
        value
            .map(OsString::into_string)
            .transpose()
            .map_err(|_| Failure::configuration(format!("{} is not UTF-8", names[0])))
    };
    let exempt = lookup(["NO_PROXY", "no_proxy"])?.is_some_and(|list| exempts(&list, url.host()));
    if exempt || url.is_loopback() {
        return Ok(None);
    }
    let proxy = match lookup(["HTTPS_PROXY", "https_proxy"])? {
        None => lookup(["ALL_PROXY", "all_proxy"])?,
        proxy => proxy,
    };
    if proxy.as_ref().is_some_and(|proxy| proxy.starts_with("https:")) {
        // The connection to it would need a trust of its own; nobody has asked for that yet.
        return Err(Failure::configuration("a proxy that itself speaks TLS is not supported"));
    }
    Ok(proxy)
}

/// An entry exempts its host and everything below it; `*` exempts all. As curl reads it.
fn exempts(list: &str, host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.trim_start_matches('.').to_ascii_lowercase();
        let below = host.strip_suffix(&entry).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        entry == "*" || below
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(environment: &[(&str, &str)], url: &str) -> Option<String> {
        let lookup =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        choose(&lookup, &BrokerUrl::parse(url).unwrap()).unwrap()
    }

    #[test]
    fn the_usual_variables_are_obeyed_in_their_usual_order() {
        let url = "https://broker.example/codex";
        assert_eq!(chosen(&[], url), None);
        assert_eq!(chosen(&[("HTTP_PROXY", "http://h")], url), None, "that one is for plain HTTP");
        assert_eq!(chosen(&[("ALL_PROXY", "http://a"), ("https_proxy", "http://s")], url).as_deref(), Some("http://s"));
        assert_eq!(chosen(&[("ALL_PROXY", "http://a"), ("HTTPS_PROXY", "")], url).as_deref(), Some("http://a"));
    }

    #[test]
    fn a_broker_on_this_machine_is_asked_directly() {
        for url in ["http://127.0.0.1:8080/codex", "https://localhost/codex", "https://[::1]/codex"] {
            assert_eq!(chosen(&[("HTTPS_PROXY", "http://p"), ("ALL_PROXY", "http://p")], url), None, "{url}");
        }
    }

    #[test]
    fn no_proxy_exempts_a_host_and_what_is_below_it() {
        let cases = [
            ("broker.example", true),
            ("other, example", true),
            (".example", true),
            ("*", true),
            ("oker.example", false),
            ("broker.example.org", false),
            ("", false),
        ];
        for (list, exempt) in cases {
            let proxy = chosen(&[("HTTPS_PROXY", "http://p"), ("NO_PROXY", list)], "https://broker.example/codex");
            assert_eq!(proxy.is_none(), exempt, "{list}");
        }
    }
}
