use std::io;
use std::net::IpAddr;

use async_trait::async_trait;

use super::*;

/// Answers with these addresses, whatever is asked.
struct Answers(Vec<IpAddr>);

#[async_trait]
impl Resolver for Answers {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        if self.0.is_empty() { Err(io::Error::other("no such name")) } else { Ok(self.0.clone()) }
    }
}

fn answers(addresses: &[&str]) -> Answers {
    Answers(addresses.iter().map(|address| address.parse().unwrap()).collect())
}

fn what(url: &str) -> &'static str {
    match Guard::default().check_url(url) {
        Err(Refusal::Address { what, .. }) => what,
        other => panic!("{url}: {other:?}"),
    }
}

#[test]
fn loopback_is_refused_in_every_notation() {
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "0X7F.0x0.0.01",
        "127.0.0.1.",
        "127.255.255.254",
        "１２７.0.0.1",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::0001]",
    ] {
        assert_eq!(what(&format!("http://{host}:8080/x")), "a loopback address", "{host}");
    }
}

#[test]
fn what_is_not_public_is_refused() {
    for (host, expected) in [
        ("0.0.0.0", "an address of this network"),
        ("0", "an address of this network"),
        ("10.0.0.1", "a private address"),
        ("10.255.255.255", "a private address"),
        ("172.16.0.1", "a private address"),
        ("172.31.255.255", "a private address"),
        ("192.168.1.1", "a private address"),
        ("100.64.0.1", "a carrier's private address"),
        ("100.127.255.255", "a carrier's private address"),
        ("100.100.100.200", "a metadata service"),
        ("169.254.169.254", "a metadata service"),
        ("0xa9fea9fe", "a metadata service"),
        ("2852039166", "a metadata service"),
        ("169.254.1.1", "a link-local address"),
        ("168.63.129.16", "a metadata service"),
        ("192.0.0.192", "a reserved address"),
        ("198.18.0.1", "an address for benchmarks"),
        ("203.0.113.9", "an address for documentation"),
        ("192.88.99.1", "a 6to4 relay"),
        ("224.0.0.1", "a multicast address"),
        ("255.255.255.255", "a reserved address"),
        ("[::]", "the unspecified address"),
        ("[::ffff:127.0.0.1]", "an IPv4-mapped address"),
        ("[::ffff:7f00:1]", "an IPv4-mapped address"),
        ("[::ffff:8.8.8.8]", "an IPv4-mapped address"),
        ("[::ffff:0:127.0.0.1]", "an IPv4-translated address"),
        ("[::127.0.0.1]", "an IPv4-compatible address"),
        ("[64:ff9b::7f00:1]", "a NAT64 address"),
        ("[64:ff9b:1::1]", "a NAT64 address"),
        ("[2002:7f00:1::]", "a 6to4 address"),
        ("[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "a Teredo address"),
        ("[2001:20::1]", "a reserved address"),
        ("[2001:db8::1]", "an address for documentation"),
        ("[fc00::1]", "a private address"),
        ("[fd12:3456::1]", "a private address"),
        ("[fd00:ec2::254]", "a metadata service"),
        ("[fe80::1]", "a link-local address"),
        ("[fec0::1]", "a private address"),
        ("[ff02::1]", "a multicast address"),
        ("[5f00::1]", "a reserved address"),
        ("[4000::1]", "a reserved address"),
    ] {
        assert_eq!(what(&format!("https://{host}/")), expected, "{host}");
    }
}

#[test]
fn what_is_public_is_admitted() {
    for host in [
        "8.8.8.8",
        "172.15.255.255",
        "172.32.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "11.0.0.1",
        "223.255.255.255",
        "[2606:4700::1111]",
        "[2001:4860:4860::8888]",
        "[2a00:1450::1]",
        "example.com",
        "example.com.",
        "bücher.example",
    ] {
        let checked = Guard::default().check_url(&format!("https://{host}/hook?x=1"));
        assert!(checked.is_ok(), "{host}: {checked:?}");
    }
}

#[test]
fn other_forms_are_refused() {
    let refused = |url: &str| Guard::default().check_url(url).unwrap_err();
    for url in ["ftp://example.com", "file:///etc/passwd", "gopher://example.com/", "unix:/run/x.sock"] {
        assert_eq!(refused(url), Refusal::Scheme, "{url}");
    }
    for url in ["http://user@example.com", "http://user:password@example.com", "http://:p@example.com"] {
        assert_eq!(refused(url), Refusal::UserInfo, "{url}");
    }
    for url in [
        "",
        "example.com",
        "http://",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://256.256.256.256/",
        "http://a b/",
        "http://example.com:99999/",
    ] {
        assert!(matches!(refused(url), Refusal::Unreadable(_)), "{url}");
    }
    assert_eq!(refused(&format!("http://example.com/{}", "x".repeat(LONGEST))), Refusal::TooLong);
}

#[test]
fn a_url_that_reads_like_another_host_is_judged_by_the_one_it_has() {
    assert_eq!(Guard::default().check_url("http://8.8.8.8@127.0.0.1/"), Err(Refusal::UserInfo));
    assert_eq!(what("http:\\\\127.0.0.1\\@8.8.8.8/"), "a loopback address");
    assert_eq!(what("http:127.0.0.1"), "a loopback address");
}

#[test]
fn allowed_networks_are_admitted_as_they_are_written_and_in_no_disguise() {
    let guard = Guard::allowing(["127.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
    for host in ["127.0.0.1", "2130706433", "[fd00::1]"] {
        assert!(guard.check_url(&format!("http://{host}/")).is_ok(), "{host}");
    }
    for host in ["[::1]", "10.0.0.1", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"] {
        assert!(guard.check_url(&format!("http://{host}/")).is_err(), "{host}");
    }
}

#[test]
fn loopback_is_admitted_while_the_switch_is_on_and_nothing_else_is() {
    let on = Arc::new(AtomicBool::new(true));
    let guard = Guard::allowing(["10.0.0.0/8".parse().unwrap()]).with_loopback_while(on.clone());
    for host in ["127.0.0.1", "[::1]", "10.0.0.1"] {
        assert!(guard.check_url(&format!("http://{host}/")).is_ok(), "{host}");
    }
    for host in ["0.0.0.0", "192.168.0.1", "[::ffff:127.0.0.1]"] {
        assert!(guard.check_url(&format!("http://{host}/")).is_err(), "{host}");
    }
    on.store(false, Ordering::Relaxed);
    assert!(guard.check_url("http://127.0.0.1/").is_err());
    assert!(guard.check_url("http://10.0.0.1/").is_ok());
}

#[tokio::test]
async fn a_rule_is_refused_if_any_address_of_its_name_is() {
    let guard = Guard::default();
    for (addresses, admitted) in [
        (&["8.8.8.8", "2606:4700::1"][..], true),
        (&["8.8.8.8", "127.0.0.1"], false),
        (&["fe80::1"], false),
        (&["::ffff:10.0.0.1"], false),
    ] {
        for name in ["localhost", "example.com", "ⓛocalhost."] {
            let checked = guard.check_rule(&format!("http://{name}/"), &answers(addresses)).await;
            assert_eq!(checked.is_ok(), admitted, "{name} {addresses:?}");
        }
    }
    let refusal = guard.check_rule("http://inner.example/", &answers(&["10.1.2.3"])).await.unwrap_err();
    let words =
        "10.1.2.3 (inner.example) is a private address, which `callback.allow_networks` does not allow";
    assert_eq!(refusal.to_string(), words);
}

#[tokio::test]
async fn a_name_without_an_address_is_not_refused_but_told() {
    let checked = Guard::default().check_rule("http://later.example/", &answers(&[])).await.unwrap();
    assert_eq!(checked.unresolved.as_deref(), Some("no such name"));
}
