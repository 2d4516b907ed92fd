//! The client for Whop's API against a server that misbehaves: what is asked again, what is not, and how it is said.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use atlas::providers::ProviderError;
use atlas::providers::whop::wire::membership::MembershipChanges;
use atlas::providers::whop::wire::payment::NewRefund;
use atlas::providers::whop::{API_VERSION, Client, Limits, Settings, WhopError};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::whop_scene::{KEY, answers, asked, client_at, fixture, header, limits, ok, scene, status};

#[tokio::test]
async fn each_request_says_who_asks_and_in_which_version() {
    let (server, client) = scene().await;
    answers(&server, [ok(&fixture("/objects/payment"))]).await;
    client.payment("pay_Ex0001").await.unwrap();
    client.refund_payment("pay_Ex0001", &NewRefund::default(), "refund-r_1").await.unwrap();
    let asked = asked(&server).await;
    for request in &asked {
        assert_eq!(header(request, "authorization"), format!("Bearer {KEY}"));
        assert_eq!(header(request, "api-version-date"), API_VERSION);
    }
    assert_eq!((asked[0].url.path(), header(&asked[0], "idempotency-key")), ("/api/v1/payments/pay_Ex0001", ""));
    assert_eq!(header(&asked[1], "idempotency-key"), "refund-r_1");
    assert_eq!((asked[1].url.path(), &asked[1].body[..]), ("/api/v1/payments/pay_Ex0001/refund", &b"{}"[..]));
    assert_eq!(header(&asked[1], "content-type"), "application/json");
}

#[tokio::test]
async fn what_carries_a_key_is_sent_again_under_the_same_key() {
    for trouble in [408, 409, 429, 500, 502, 503] {
        let (server, client) = scene().await;
        answers(&server, [status(trouble), status(trouble), ok(&fixture("/objects/payment"))]).await;
        client.refund_payment("pay_Ex0001", &NewRefund::default(), "refund-r_1").await.unwrap();
        let asked = asked(&server).await;
        assert_eq!(asked.len(), 3, "{trouble}");
        assert!(asked.iter().all(|request| header(request, "idempotency-key") == "refund-r_1"));
        assert!(asked.iter().all(|request| request.body == asked[0].body));
    }
}

#[tokio::test]
async fn three_tries_are_enough() {
    let (server, client) = scene().await;
    answers(&server, [status(503)]).await;
    let error = client.payment("pay_Ex0001").await.unwrap_err();
    assert_eq!(asked(&server).await.len(), 3);
    assert!(matches!(error.into(), ProviderError::Unreachable(_)));
}

#[tokio::test]
async fn what_carries_no_key_is_sent_once() {
    let (server, client) = scene().await;
    answers(&server, [status(503)]).await;
    client.update_membership("mem_1", &MembershipChanges::default()).await.unwrap_err();
    assert_eq!(asked(&server).await.len(), 1);
    client.delete_plan("plan_1").await.unwrap_err();
    assert_eq!(asked(&server).await.len(), 2);
}

#[tokio::test]
async fn refusals_are_final_and_say_whose_fault_it_is() {
    let cases = [
        (400, "misconfigured"),
        (401, "misconfigured"),
        (402, "misconfigured"),
        (403, "misconfigured"),
        (404, "not found"),
        (409, "unreachable"),
        (410, "misconfigured"),
        (422, "misconfigured"),
    ];
    for (refusal, meaning) in cases {
        let (server, client) = scene().await;
        let body = json!({"error": {"type": "some_type", "message": format!("no\u{0} {KEY}"), "code": "some_code"}});
        answers(&server, [status(refusal).set_body_json(body)]).await;
        let error = client.payment("pay_Ex0001").await.unwrap_err();
        assert_eq!(asked(&server).await.len(), 1, "{refusal}");
        let WhopError::Api(answer) = &error else { panic!("{error:?}") };
        assert_eq!(
            (answer.status, answer.kind.as_str(), answer.code.as_deref()),
            (refusal, "some_type", Some("some_code"))
        );
        assert_eq!(answer.message, "no [key]");
        let meant = match ProviderError::from(error) {
            ProviderError::Misconfigured(_) => "misconfigured",
            ProviderError::NotFound => "not found",
            ProviderError::Unreachable(_) => "unreachable",
            ProviderError::Unreadable(_) => "unreadable",
        };
        assert_eq!(meant, meaning, "{refusal}");
    }
}

#[tokio::test]
async fn a_wait_that_whop_asks_for_is_kept() {
    let (server, client) = scene().await;
    let later = status(429).insert_header("retry-after-ms", "120");
    answers(&server, [later, ok(&fixture("/objects/payment"))]).await;
    let start = Instant::now();
    client.payment("pay_Ex0001").await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(120));
    assert_eq!(asked(&server).await.len(), 2);
}

#[tokio::test]
async fn a_wait_beyond_our_time_ends_the_call_at_once() {
    let (server, client) = scene().await;
    answers(&server, [status(429).insert_header("retry-after", "60")]).await;
    let start = Instant::now();
    let error = client.payment("pay_Ex0001").await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(asked(&server).await.len(), 1);
    let WhopError::Api(answer) = error else { panic!("{error:?}") };
    assert_eq!(answer.retry_after, Some(Duration::from_mins(1)));
}

#[tokio::test]
async fn a_slow_answer_is_given_up_and_the_whole_call_is_bounded() {
    let (server, _) = scene().await;
    answers(&server, [ok(&fixture("/objects/payment")).set_delay(Duration::from_secs(30))]).await;
    let limits = Limits { attempt: Duration::from_millis(80), call: Duration::from_millis(120), ..limits() };
    let client = client_at(&server.uri(), limits);
    let start = Instant::now();
    let error = client.payment("pay_Ex0001").await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(error, WhopError::Unreachable("not in time".to_owned()));
    assert!(asked(&server).await.len() <= 2);
}

#[tokio::test]
async fn a_refused_connection_is_unreachable() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = client_at(&format!("http://{closed}"), limits()).payment("pay_Ex0001").await.unwrap_err();
    assert!(matches!(&error, WhopError::Unreachable(cause) if cause.contains("refused")), "{error:?}");
}

/// Reads one request, sends `answer`, closes; as often as there are answers.
fn raw_server(answers: Vec<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&answer);
        }
    });
    address
}

#[tokio::test]
async fn a_connection_that_is_cut_is_tried_again() {
    let body = fixture("/objects/payment").to_string();
    let whole = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let half = whole.as_bytes()[..whole.len() / 2].to_vec();
    let address = raw_server(vec![Vec::new(), half, whole.into_bytes()]);
    let payment = client_at(&address, limits()).refund_payment("pay_Ex0001", &NewRefund::default(), "refund-r_1").await;
    assert_eq!(payment.unwrap().id, "pay_Ex0001");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read() {
    let small = || Limits { answer_bytes_max: 1_000, ..limits() };
    let (server, _) = scene().await;
    answers(&server, [ResponseTemplate::new(200).set_body_string("x".repeat(1_001))]).await;
    let said = client_at(&server.uri(), small()).payment("pay_Ex0001").await.unwrap_err();
    assert!(matches!(&said, WhopError::Unreadable(_)), "{said:?}");
    assert_eq!(asked(&server).await.len(), 1);

    let mut chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..20 {
        chunked.extend(format!("64\r\n{}\r\n", "x".repeat(100)).bytes());
    }
    let unsaid = client_at(&raw_server(vec![chunked]), small()).payment("pay_Ex0001").await.unwrap_err();
    assert_eq!(unsaid, said);
}

#[tokio::test]
async fn an_answer_that_is_no_json_or_another_shape_is_unreadable_and_not_quoted() {
    for body in ["<html>ana@example.com</html>", "", "[]", r#"{"id":7,"status":"ana@example.com"}"#, r#"{"data":[]}"#] {
        let (server, client) = scene().await;
        answers(&server, [ResponseTemplate::new(200).set_body_string(body)]).await;
        let error = client.payment("pay_Ex0001").await.unwrap_err();
        assert_eq!(asked(&server).await.len(), 1, "{body}");
        assert!(!format!("{error} {error:?}").contains("ana@"), "{error}");
        assert!(matches!(error.into(), ProviderError::Unreadable(_)), "{body}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for redirect in [301, 302, 307, 308] {
        let (server, client) = scene().await;
        answers(&server, [status(redirect).insert_header("location", "/elsewhere"), ok(&fixture("/objects/payment"))])
            .await;
        let error = client.payment("pay_Ex0001").await.unwrap_err();
        assert_eq!(error, WhopError::Unreadable(format!("status {redirect}")));
        assert_eq!(asked(&server).await.len(), 1);
    }
}

#[tokio::test]
async fn lists_follow_their_cursors_and_stop() {
    let page = |id: &str, end: Option<&str>, more: bool| {
        ok(&json!({"data": [{"id": id, "status": "paid"}], "page_info": {"end_cursor": end, "has_next_page": more}}))
    };
    let filter = atlas::providers::whop::PaymentFilter { plan_id: Some("plan_1"), ..Default::default() };
    let (server, client) = scene().await;
    answers(&server, [page("pay_1", Some("c 1&x"), true), page("pay_2", Some("c2"), false), status(500)]).await;
    let all = client.payments(&filter).collect().await.unwrap();
    assert_eq!(all.iter().map(|payment| payment.id.as_str()).collect::<Vec<_>>(), ["pay_1", "pay_2"]);
    let asked_for: Vec<_> =
        asked(&server).await.iter().map(|request| request.url.query().unwrap().to_owned()).collect();
    let first = "account_id=biz_Ex0001&order=created_at&direction=desc&plan_id=plan_1&first=100";
    assert_eq!(asked_for, [first.to_owned(), format!("{first}&after=c+1%26x")]);

    // No cursor ends it, and a cursor that was there before is a mistake: half a list must not pass for the whole.
    for end in [None, Some("")] {
        let (server, client) = scene().await;
        answers(&server, [page("pay_1", end, true)]).await;
        assert_eq!(client.payments(&filter).collect().await.unwrap().len(), 1);
        assert_eq!(asked(&server).await.len(), 1);
    }
    for ends in [vec!["same"], vec!["c1", "c2", "c1"]] {
        let (server, client) = scene().await;
        answers(&server, ends.iter().map(|end| page("pay_1", Some(end), true))).await;
        let error = client.payments(&filter).collect().await.unwrap_err();
        assert_eq!(error, WhopError::Unreadable("a list goes round".to_owned()));
    }

    // As long as it is, unless fewer are wanted.
    let (server, client) = scene().await;
    let long = (1..200).map(|n| page("pay_1", Some(&format!("c{n}")), n < 199));
    answers(&server, long).await;
    assert_eq!(client.payments(&filter).collect().await.unwrap().len(), 199);
    let (server, client) = scene().await;
    answers(&server, (1..9).map(|n| page("pay_1", Some(&format!("c{n}")), true))).await;
    assert_eq!(client.payments(&filter).at_most(3).collect().await.unwrap().len(), 3);
    assert_eq!(asked(&server).await.len(), 3);
}

#[tokio::test]
async fn what_is_no_id_never_leaves() {
    let (server, client) = scene().await;
    for odd in ["", "..", "../refunds/rf_1", "pay_1?x=1", "pay_1/refund", "pay_é", "pay_1\r\nx: y", &"a".repeat(256)] {
        assert!(matches!(client.payment(odd).await, Err(WhopError::Unsendable(_))), "{odd:?}");
    }
    let refund = NewRefund::default();
    assert!(matches!(client.refund_payment("pay_1", &refund, "a\nb").await, Err(WhopError::Unsendable(_))));
    assert!(asked(&server).await.is_empty());
}

#[test]
fn settings_that_can_not_work_are_refused_and_the_key_is_never_printed() {
    let settings = |api_url: &str, key: &str, company: &str| Settings {
        api_url: api_url.to_owned(),
        api_key: key.into(),
        company_id: company.to_owned(),
        limits: Limits::default(),
    };
    for (url, key, company) in [
        ("", KEY, "biz_1"),
        ("api.whop.com", KEY, "biz_1"),
        ("ftp://api.whop.com", KEY, "biz_1"),
        ("https://user:pass@api.whop.com/api/v1", KEY, "biz_1"),
        ("https://api.whop.com/?x=1", KEY, "biz_1"),
        ("https://api.whop.com/api/v1", "a\nb", "biz_1"),
        ("https://api.whop.com/api/v1", "", "biz_1"),
        ("https://api.whop.com/api/v1", KEY, ""),
        ("https://api.whop.com/api/v1", KEY, "biz 1"),
    ] {
        assert!(matches!(Client::new(settings(url, key, company)), Err(WhopError::Unsendable(_))), "{url} {company}");
    }
    let good = settings("https://api.whop.com/api/v1", KEY, "biz_1");
    let printed = format!("{good:?} {:?}", Client::new(good.clone()).unwrap());
    assert!(!printed.contains(KEY), "{printed}");
}
