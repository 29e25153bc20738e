use proptest::prelude::*;
use standardwebhooks::Webhook;

use super::*;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const MINUTES: Duration = Duration::from_secs(5 * 60);

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn check(secrets: &[&str], headers: Headers<'_>, body: &[u8], now: u64) -> Result<(), Unverified> {
    let keys: Vec<Key> = secrets.iter().map(|secret| Key::parse(secret).unwrap()).collect();
    verify(&keys, headers, body, at(now), MINUTES)
}

/// The vector that the specification and its implementations show.
#[test]
fn the_published_vector_is_met() {
    let key = Key::parse(SECRET).unwrap();
    let body = br#"{"email":"test@example.com","username":"test_user"}"#;
    let signature = sign([&key], "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body);
    assert_eq!(signature, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
}

proptest! {
    #[test]
    fn the_published_crate_signs_the_same(
        id in "[!-~]{1,40}", timestamp in 0_i64..i64::MAX / 2, body in ".{0,200}",
        bytes in prop::collection::vec(any::<u8>(), 1..100), plain in ".{1,80}",
    ) {
        let encoded = Key::secret_of(&bytes);
        let theirs = Webhook::new(&encoded).unwrap().sign(&id, timestamp, body.as_bytes()).unwrap();
        prop_assert_eq!(sign([&Key::parse(&encoded).unwrap()], &id, timestamp, body.as_bytes()), theirs);

        prop_assume!(!plain.starts_with(PREFIX));
        let theirs = Webhook::from_bytes(plain.clone().into_bytes()).unwrap();
        let theirs = theirs.sign(&id, timestamp, body.as_bytes()).unwrap();
        prop_assert_eq!(sign([&Key::parse(&plain).unwrap()], &id, timestamp, body.as_bytes()), theirs);
    }
}

#[test]
fn the_published_crate_accepts_both_signatures_of_a_rotation() {
    #[expect(clippy::disallowed_methods, reason = "the published crate asks the system's clock")]
    let now = SystemTime::now();
    let keys = [Key::parse("whsec_bmV3").unwrap(), Key::parse("whsec_b2xk").unwrap()];
    let signature = sign(&keys, "id", seconds(now), b"{}");
    let mut headers = http::HeaderMap::new();
    headers.insert(ID, "id".parse().unwrap());
    headers.insert(TIMESTAMP, seconds(now).to_string().parse().unwrap());
    headers.insert(SIGNATURE, signature.parse().unwrap());
    for secret in ["whsec_bmV3", "whsec_b2xk"] {
        Webhook::new(secret).unwrap().verify(b"{}", &headers).unwrap();
    }
    assert!(Webhook::new("whsec_b3RoZXI=").unwrap().verify(b"{}", &headers).is_err());
}

#[test]
fn a_signature_is_accepted_from_either_secret_and_refused_from_another() {
    let signature = sign([&Key::parse("new").unwrap(), &Key::parse("old").unwrap()], "id", 1_000, b"{}");
    let headers = Headers { id: "id", timestamp: "1000", signature: &signature };
    for accepted in [&["new"][..], &["old"], &["other", "old"]] {
        assert_eq!(check(accepted, headers, b"{}", 1_000), Ok(()));
    }
    for refused in [&["other"][..], &[]] {
        assert_eq!(check(refused, headers, b"{}", 1_000), Err(Unverified::NoSignatureFits));
    }
}

#[test]
fn whatever_is_changed_on_the_way_is_noticed() {
    let signature = sign([&Key::parse(SECRET).unwrap()], "id", 1_000, b"{}");
    let good = Headers { id: "id", timestamp: "1000", signature: &signature };
    assert_eq!(check(&[SECRET], good, b"{}", 1_000), Ok(()));
    assert_eq!(check(&[SECRET], good, b"{ }", 1_000), Err(Unverified::NoSignatureFits));
    for bad in [
        Headers { id: "other", ..good },
        Headers { timestamp: "1001", ..good },
        Headers { signature: &signature[..signature.len() - 2], ..good },
        Headers { signature: &signature.replace("v1,", "v2,"), ..good },
        Headers { signature: "", ..good },
    ] {
        assert_eq!(check(&[SECRET], bad, b"{}", 1_000), Err(Unverified::NoSignatureFits), "{bad:?}");
    }
    let bad = Headers { timestamp: "soon", ..good };
    assert_eq!(check(&[SECRET], bad, b"{}", 1_000), Err(Unverified::InvalidTimestamp));
}

#[test]
fn clocks_may_differ_by_the_tolerance_to_either_side() {
    let signature = sign([&Key::parse(SECRET).unwrap()], "id", 1_000, b"{}");
    let headers = Headers { id: "id", timestamp: "1000", signature: &signature };
    for (now, expected) in [
        (699, Err(Unverified::OutOfTolerance)),
        (700, Ok(())),
        (1_300, Ok(())),
        (1_301, Err(Unverified::OutOfTolerance)),
    ] {
        assert_eq!(check(&[SECRET], headers, b"{}", now), expected, "{now}");
    }
}

#[test]
fn a_secret_without_a_byte_is_none() {
    assert_eq!(Key::parse(""), Err(InvalidSecret::Empty));
    assert_eq!(Key::parse("whsec_"), Err(InvalidSecret::NoBase64));
}

#[test]
fn a_secret_is_its_bytes_or_the_base64_behind_whsec() {
    assert_eq!(Key::parse("whsec_AQI=").unwrap(), Key(vec![1, 2]));
    assert_eq!(Key::parse("whsec_AQI").unwrap(), Key(vec![1, 2]), "without padding");
    assert_eq!(Key::parse("AQI=").unwrap(), Key(b"AQI=".to_vec()));
    assert_eq!(Key::parse("whsec_ä"), Err(InvalidSecret::NoBase64));
    assert!(!format!("{:?}", Key::parse("hunter2").unwrap()).contains("104"));
}
