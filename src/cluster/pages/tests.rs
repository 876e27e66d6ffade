use super::super::answer::RESPONSE_MAX;
use super::super::server::Server;
use super::super::test_server::{self, Asked};
use super::*;
use kube::client::Body;
use serde_json::{Value, json};

const PATH: &str = "/apis/x/v1/things?labelSelector=a";

/// A cluster that answers each request in turn, and what it is asked.
fn served(answers: Vec<(u16, Vec<u8>)>) -> (Cluster, Asked) {
    let answers = answers
        .into_iter()
        .map(|(code, body)| (code, Body::from(body)));
    let (client, asked) = test_server::serve(answers.collect());
    let transport = Transport::new(client, Server::new("https://test/"), None, 0);
    (Cluster::over(transport), asked)
}

/// Names that were folded from these answers, how often it was begun, and the queries.
async fn folded(
    answers: Vec<(u16, Vec<u8>)>,
) -> (Result<Vec<String>, ClusterError>, usize, Vec<String>) {
    let (cluster, asked) = served(answers);
    let begun = std::cell::Cell::new(0);
    let start = || {
        begun.set(begun.get() + 1);
        Vec::new()
    };
    let list = ListOf::objects(PATH);
    let take = |names: &mut Vec<String>, item: Value| names.push(item.name().unwrap().to_owned());
    let outcome = cluster.whole(&list, start, take).await;
    (outcome, begun.get(), asked.queries())
}

fn list(names: &[&str], metadata: Value) -> (u16, Vec<u8>) {
    let items: Vec<Value> = names
        .iter()
        .map(|n| json!({"metadata": {"name": n}}))
        .collect();
    let list =
        json!({"kind": "ThingList", "apiVersion": "x/v1", "metadata": metadata, "items": items});
    (200, list.to_string().into_bytes())
}

fn page(names: &[&str], token: &str) -> (u16, Vec<u8>) {
    list(names, json!({"continue": token, "resourceVersion": "7"}))
}

fn expired() -> (u16, Vec<u8>) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410, "reason": "Expired",
        "message": "too old", "metadata": {"continue": "from a later moment"}});
    (410, status.to_string().into_bytes())
}

fn other(body: &str) -> (u16, Vec<u8>) {
    (200, body.as_bytes().to_vec())
}

fn query(limit: usize, token: &str) -> String {
    let token = if token.is_empty() {
        String::new()
    } else {
        format!("&continue={token}")
    };
    format!("labelSelector=a&limit={limit}{token}")
}

#[tokio::test]
async fn pages_follow_the_token() {
    let (names, begun, asked) = folded(vec![page(&["a", "b"], "a/b="), page(&["c"], "")]).await;
    assert_eq!(names.unwrap(), ["a", "b", "c"]);
    assert_eq!(
        (begun, asked),
        (1, vec![query(500, ""), query(500, "a%2Fb%3D")])
    );
}

#[tokio::test]
async fn a_token_too_old_begins_the_list_again() {
    let (names, begun, asked) = folded(vec![
        page(&["gone"], "old"),
        expired(),
        list(&["a"], json!({"continue": "new", "resourceVersion": "9"})),
        list(&["b"], json!({"resourceVersion": "9"})),
    ])
    .await;
    assert_eq!(names.unwrap(), ["a", "b"]);
    assert_eq!(begun, 2);
    assert_eq!(asked[2..], [query(500, ""), query(500, "new")]);
}

#[tokio::test]
async fn a_token_that_is_always_too_old_ends_in_the_error() {
    let mut answers = Vec::new();
    for _ in 0..=RESTARTS_MAX {
        answers.extend([page(&["a"], "old"), expired()]);
    }
    let (names, _, asked) = folded(answers).await;
    assert_eq!(names.unwrap_err().api_code(), Some(410));
    assert_eq!(asked.len(), 2 * (RESTARTS_MAX + 1));
}

#[tokio::test]
async fn a_malformed_page_is_read_again_once() {
    let malformed = [
        other("{}"),
        other(r#"{"message":"no Route matched"}"#),
        other(r#"{"kind":"Status","apiVersion":"v1","status":"Success"}"#),
        other(r#"{"kind":"ThingList","apiVersion":"x/v1","metadata":{},"items":null}"#),
        other(r#"{"kind":"ThingList","apiVersion":"x/v1","metadata":{},"items":[{}]}"#),
        list(
            &["c"],
            json!({"remainingItemCount": 2, "resourceVersion": "7"}),
        ),
        list(&["c"], json!({"resourceVersion": "8"})),
        page(&["c"], "more"),
    ];
    for second in malformed {
        let once = vec![page(&["x"], "more"), second.clone(), page(&["a"], "")];
        let (names, begun, _) = folded(once).await;
        assert_eq!((names.unwrap(), begun), (vec!["a".to_owned()], 2));
        let twice = [
            page(&["x"], "more"),
            second.clone(),
            page(&["x"], "more"),
            second,
        ];
        let (names, _, asked) = folded(twice.to_vec()).await;
        let error = names.unwrap_err();
        assert!(matches!(error, ClusterError::NotAnAnswer(_)), "{error:?}");
        assert_eq!(asked.len(), 4);
    }
}

#[tokio::test]
async fn a_list_without_an_end_ends() {
    let nothing = |n: usize| page(&[], &format!("t{n}"));
    let two = |n: usize| (0..n).chain(0..n);
    // Read twice, as everything malformed.
    let (names, _, asked) = folded(two(EMPTY_MAX + 1).map(nothing).collect()).await;
    assert!(names.unwrap_err().clause().contains("does not end"));
    assert_eq!(asked.len(), 2 * (EMPTY_MAX + 1));
    // In a circle.
    let circle = |n: usize| page(&["a"], ["a", "b", "a"][n]);
    let (names, _, _) = folded(two(3).map(circle).collect()).await;
    assert!(names.unwrap_err().clause().contains("does not end"));
}

#[tokio::test]
async fn what_a_gateway_refuses_is_not_asked_again() {
    let (names, _, asked) = folded(vec![page(&["a"], "t"), (403, b"<b>no</b>".to_vec())]).await;
    assert_eq!(
        names.unwrap_err().clause(),
        "HTTP 403 from test is not a Kubernetes API answer: no"
    );
    assert_eq!(asked.len(), 2);
}

#[tokio::test]
async fn a_page_that_is_too_large_is_asked_for_in_smaller_ones() {
    let large = || (200, vec![b' '; RESPONSE_MAX + 1]);
    let (names, begun, asked) =
        folded(vec![large(), page(&["a"], "t"), large(), page(&["b"], "")]).await;
    assert_eq!(
        (names.unwrap(), begun),
        (vec!["a".to_owned(), "b".to_owned()], 1)
    );
    assert_eq!(
        asked,
        [
            query(500, ""),
            query(250, ""),
            query(250, "t"),
            query(125, "t")
        ]
    );
    // Down to one.
    let limits = [500, 250, 125, 62, 31, 15, 7, 3, 1];
    let (names, _, asked) = folded(limits.map(|_| large()).to_vec()).await;
    assert_eq!(names, Err(ClusterError::TooLarge));
    assert_eq!(asked, limits.map(|limit| query(limit, "")));
}

#[tokio::test]
async fn a_list_that_is_shown_page_by_page_says_that_it_began_again() {
    let (cluster, _) = served(vec![
        page(&["a"], "old"),
        expired(),
        page(&["b"], "new"),
        page(&["c"], ""),
    ]);
    let (first, mut pages) = cluster
        .pages::<Value>(&ListOf::objects(PATH))
        .await
        .unwrap();
    assert!(!first.is_last() && first.items().len() == 1);
    let step = pages.next().await.unwrap();
    assert!(matches!(step, Some(Step::Again(list)) if list.items()[0].name() == Some("b")));
    assert!(matches!(pages.next().await.unwrap(), Some(Step::Page(list)) if list.is_last()));
    assert!(pages.next().await.unwrap().is_none());
}

#[tokio::test]
async fn one_page_says_whether_there_is_more() {
    let (cluster, asked) = served(vec![page(&["a"], "t")]);
    let list = cluster
        .page::<Value>(&ListOf::objects(PATH), 1)
        .await
        .unwrap();
    let cut = Why::NotAsked("only the first 1 things were read".to_owned());
    assert_eq!((list.known().len(), list.all()), (1, Err(cut.clone())));
    assert_eq!(asked.queries(), [query(1, "")]);
    let (cluster, _) = served(vec![page(&["a"], "")]);
    let list = cluster.page::<Value>(&ListOf::objects(PATH), 1).await;
    assert_eq!(list.unwrap().all().unwrap().len(), 1);
}
