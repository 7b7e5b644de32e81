//! The egress proxy is part of dialing: what fails there is unsent.

use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;

use super::tls::{Authority, secure_far_side};
use super::*;

/// A proxy that says this to CONNECT, and then passes bytes to that port if there is one.
async fn proxy(says: &'static str, to: Option<u16>) -> FarSide {
    FarSide::playing(move |mut talk| async move {
        talk.request().await;
        talk.say(says).await;
        if let Some(port) = to {
            let mut onward = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let _ = copy_bidirectional(&mut talk.stream, &mut onward).await;
        }
    })
    .await
}

fn through(proxy: &FarSide) -> Egress {
    Egress::parse(Some(&format!("http://anna:secret@127.0.0.1:{}", proxy.port())), None).unwrap()
}

#[tokio::test]
async fn a_proxy_is_asked_to_connect_and_sees_only_tls() {
    let authority = Authority::new();
    let far_side = secure_far_side(authority.acceptor("provider.test")).await;
    let proxy = proxy("HTTP/1.1 200 Connection established\r\nvia: x\r\n\r\n", Some(far_side.port())).await;
    let given = given("https://provider.test", authority.trusted(), through(&proxy));
    assert_eq!(answered(given.redeem().await).body.as_slice(), TOKENS.as_bytes());
    let asked = "CONNECT provider.test:443 HTTP/1.1\r\nHost: provider.test:443\r\n\
                 Proxy-Authorization: Basic YW5uYTpzZWNyZXQ=\r\n\r\n";
    assert_eq!(proxy.received(), asked);
    assert!(far_side.received().starts_with("POST /oauth/token "));
}

#[tokio::test]
async fn what_a_proxy_refuses_is_unsent() {
    let endless = Box::leak(format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(9000)).into_boxed_str());
    let cases = [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "it answered 403"),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "not HTTP"),
        ("HTTP/1.1 200 OK\r\n", "end of file"),
        ("", "end of file"),
        (endless, "does not end"),
    ];
    for (says, expected) in cases {
        let proxy = proxy(says, None).await;
        let given = given("https://provider.test", Authority::new().trusted(), through(&proxy));
        let Err(Unsent(why)) = patiently(given.provider.dial()).await else { panic!("dialed") };
        assert!(why.contains("through the proxy 127.0.0.1:") && why.contains(expected), "{why}");
        assert!(!why.contains("secret") && !why.contains("YW5u"), "{why}");
        assert!(!proxy.received().contains("rt_1"));
    }
}

#[tokio::test]
async fn a_proxy_cannot_stand_in_for_the_provider() {
    let impostor = secure_far_side(Authority::new().acceptor("provider.test")).await;
    let proxy = proxy("HTTP/1.1 200 OK\r\n\r\n", Some(impostor.port())).await;
    let given = given("https://provider.test", Authority::new().trusted(), through(&proxy));
    let Err(Unsent(why)) = patiently(given.provider.dial()).await else { panic!("dialed") };
    assert!(why.contains("invalid peer certificate"), "{why}");
    assert_eq!(impostor.received(), "");
}
