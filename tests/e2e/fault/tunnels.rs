//! Responses that open a tunnel are no responses to change.

use super::{faults, metric, rules, setup};
use e2e::Gateway;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// A server that switches protocols if it is asked to, and sends back what it receives then.
async fn echo(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                if !answer.is_empty() {
                    read_until(&mut stream, "\r\n\r\n").await;
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        let mut bytes = [0; 1024];
        let read = timeout(Duration::from_secs(10), stream.read(&mut bytes))
            .await
            .unwrap_or_else(|_| panic!("{text}"));
        let read = read.unwrap();
        assert!(read > 0, "closed after {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    text
}

async fn gateway() -> Gateway {
    let upgrading = echo(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-etag: a\r\n\r\n",
    )
    .await;
    let connecting = echo("").await;
    let everything = rules(json!([
        {
            "name": "delayed", "match": {"headers": [{"name": "x-delayed", "present": true}]},
            "delay": {"percentage": 100, "fixed": "100ms"},
            "response": {"percentage": 100, "status": 502, "remove_headers": ["upgrade"]},
        },
        {
            "name": "all",
            "response": {
                "percentage": 100, "status": 502, "delay": {"fixed": "10s"}, "remove_headers": ["upgrade"], "truncate_body": 0,
            },
            "throttle": {"percentage": 100, "bytes_per_second": 1},
        },
    ]));
    setup(everything)
        .cluster("upgrading", upgrading)
        .cluster("connecting", connecting)
        .route(json!({
            "match": {"connect_matcher": {}},
            "route": {"cluster": "connecting", "upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}]},
        }))
        .route(json!({
            "match": {"prefix": "/socket"},
            "route": {"cluster": "upgrading", "upgrade_configs": [{"upgrade_type": "websocket"}]},
        }))
        .start()
        .await
}

/// Opens a tunnel with this request and uses it.
async fn check(gateway: &Gateway, request: &str, status: &str, marker: bool) {
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = read_until(&mut stream, "\r\n\r\n").await;
    assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {answer}");
    assert_eq!(answer.contains("x-mesh-fault"), marker, "{request}: {answer}");
    for text in ["one", "two"] {
        stream.write_all(text.as_bytes()).await.unwrap();
        assert_eq!(read_until(&mut stream, text).await, text, "{request}");
    }
}

#[tokio::test]
async fn upgrades_and_connect_pass() {
    let gateway = gateway().await;
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nhost: a\r\n";
    let connect = "CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n";
    check(&gateway, &format!("GET /socket HTTP/1.1\r\n{upgrade}\r\n"), "101", false).await;
    check(&gateway, &format!("{connect}\r\n"), "200", false).await;
    for kind in ["response", "throttle"] {
        assert_eq!(faults(&gateway, "all", kind).await, 0, "{kind}");
    }
    // A delay of the request is one as for any other.
    check(&gateway, &format!("GET /socket HTTP/1.1\r\nx-delayed: 1\r\n{upgrade}\r\n"), "101", true).await;
    check(&gateway, &format!("{connect}x-delayed: 1\r\n\r\n"), "200", true).await;
    assert_eq!(faults(&gateway, "delayed", "delay").await, 2);
    assert_eq!(faults(&gateway, "delayed", "response").await, 0);
    assert_eq!((metric(&gateway, "active").await, metric(&gateway, "failed").await), (0, 0));
    gateway.assert_no_trap().await;
}
